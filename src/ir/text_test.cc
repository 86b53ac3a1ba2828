// SPDX-License-Identifier: Apache-2.0
// The text form: generated graphs with every op and attribute come back identical, and every kind
// of wrong line is refused by its number.
#include "ir/text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <random>

namespace dlpu {
namespace {

using testing::HasSubstr;

class GraphMaker {
 public:
  explicit GraphMaker(uint32_t seed) : random_(seed) {}

  int Pick(int low, int high) { return std::uniform_int_distribution<int>(low, high)(random_); }

  std::string Text() {
    std::string text;
    for (int i = Pick(0, 12); i > 0; --i) text += static_cast<char>(Pick(0, 255));
    return text;
  }

  // Any binary32 number that is not NaN, or a special one.
  float Number() {
    const float special[] = {0.0f,
                             -0.0f,
                             1.0f,
                             0.1f,
                             std::numeric_limits<float>::infinity(),
                             -std::numeric_limits<float>::infinity(),
                             std::numeric_limits<float>::denorm_min(),
                             std::numeric_limits<float>::max()};
    if (Pick(0, 3) == 0) return special[Pick(0, 7)];
    const auto bits = static_cast<uint32_t>(random_());
    float value = 0;
    std::memcpy(&value, &bits, sizeof(value));
    return value == value ? value : 0.5f;
  }

  std::vector<uint8_t> Bytes(int most) {
    std::vector<uint8_t> bytes(static_cast<size_t>(Pick(0, most)));
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random_());
    return bytes;
  }

  void Fill(bool& value) { value = Pick(0, 1) == 1; }
  void Fill(int32_t& value) {
    const int32_t extremes[] = {std::numeric_limits<int32_t>::min(), -1, 0,
                                std::numeric_limits<int32_t>::max()};
    value = Pick(0, 3) == 0 ? extremes[Pick(0, 3)] : Pick(-9, 9);
  }
  void Fill(float& value) { value = Number(); }
  void Fill(Padding& value) { value = static_cast<Padding>(Pick(0, 1)); }
  void Fill(Activation& value) { value = static_cast<Activation>(Pick(0, 5)); }
  void Fill(DataType& value) {
    value = static_cast<DataType>(Pick(0, static_cast<int>(DataType::kOther)));
  }
  void Fill(std::string& value) { value = Text(); }
  void Fill(std::vector<int32_t>& values) {
    values.resize(static_cast<size_t>(Pick(0, 4)));
    for (int32_t& value : values) Fill(value);
  }

  Tensor MakeTensor() {
    Tensor tensor;
    tensor.name = Text();
    Fill(tensor.type);
    for (int d = Pick(0, 5); d > 0; --d) tensor.shape.push_back(Pick(-1, 300));
    for (int i = Pick(0, 3); i > 0; --i) tensor.quantization.scale.push_back(Number());
    for (int i = Pick(0, 3); i > 0; --i) {
      int64_t zero = Pick(-128, 127);
      if (Pick(0, 5) == 0) zero = std::numeric_limits<int64_t>::min();
      tensor.quantization.zero_point.push_back(zero);
    }
    tensor.quantization.axis = Pick(0, 2);
    Fill(tensor.is_variable);
    Fill(tensor.is_constant);
    if (tensor.is_constant) tensor.data = Bytes(80);
    return tensor;
  }

  Node MakeNode(Op op, int tensors) {
    Node node;
    node.op = op;
    node.name = Text();
    node.attrs = DefaultAttrs(op);
    std::visit([&](auto& a) { a.Visit([&](const char*, auto& value) { MaybeFill(value); }); },
               node.attrs);
    for (int i = Pick(0, 4); i > 0; --i) node.inputs.push_back(Pick(-1, tensors - 1));
    for (int i = Pick(0, 2); i > 0; --i) node.outputs.push_back(Pick(0, tensors - 1));
    for (int i = Pick(0, 2); i > 0; --i) node.intermediates.push_back(Pick(-1, tensors - 1));
    node.version = Pick(0, 3) == 0 ? Pick(1, 12) : 1;
    return node;
  }

  Graph Make() {
    Graph graph;
    graph.name = Text();
    graph.description = Text();
    const int tensors = Pick(1, 8);
    for (int i = 0; i < tensors; ++i) graph.tensors.push_back(MakeTensor());
    for (int op = 0; op <= kOpCount; ++op) {  // kUnknown as well
      graph.nodes.push_back(MakeNode(static_cast<Op>(op), tensors));
    }
    for (int i = Pick(0, 3); i > 0; --i) graph.inputs.push_back(Pick(0, tensors - 1));
    for (int i = Pick(0, 3); i > 0; --i) graph.outputs.push_back(Pick(0, tensors - 1));
    if (Pick(0, 1) == 1) {
      graph.signature = Text();
      for (size_t i = 0; i < graph.inputs.size(); ++i) graph.signature_inputs.push_back(Text());
      for (size_t i = 0; i < graph.outputs.size(); ++i) graph.signature_outputs.push_back(Text());
    }
    for (int i = Pick(0, 2); i > 0; --i) graph.metadata[Text()] = Bytes(100);
    return graph;
  }

 private:
  template <typename T>
  void MaybeFill(T& value) {
    if (Pick(0, 2) != 0) Fill(value);
  }

  std::mt19937 random_;
};

void ExpectSame(const Graph& a, const Graph& b) {
  EXPECT_EQ(a.name, b.name);
  EXPECT_EQ(a.description, b.description);
  EXPECT_EQ(a.inputs, b.inputs);
  EXPECT_EQ(a.outputs, b.outputs);
  EXPECT_EQ(a.signature, b.signature);
  EXPECT_EQ(a.signature_inputs, b.signature_inputs);
  EXPECT_EQ(a.signature_outputs, b.signature_outputs);
  EXPECT_EQ(a.metadata, b.metadata);
  ASSERT_EQ(a.tensors.size(), b.tensors.size());
  for (size_t i = 0; i < a.tensors.size(); ++i) {
    const Tensor &x = a.tensors[i], &y = b.tensors[i];
    EXPECT_EQ(x.name, y.name);
    EXPECT_EQ(x.type, y.type);
    EXPECT_EQ(x.shape, y.shape);
    EXPECT_EQ(x.quantization, y.quantization);
    EXPECT_EQ(x.data, y.data);
    EXPECT_EQ(x.is_constant, y.is_constant);
    EXPECT_EQ(x.is_variable, y.is_variable);
  }
  ASSERT_EQ(a.nodes.size(), b.nodes.size());
  for (size_t i = 0; i < a.nodes.size(); ++i) {
    const Node &x = a.nodes[i], &y = b.nodes[i];
    EXPECT_EQ(x.op, y.op);
    EXPECT_EQ(x.name, y.name);
    EXPECT_EQ(x.inputs, y.inputs);
    EXPECT_EQ(x.outputs, y.outputs);
    EXPECT_EQ(x.intermediates, y.intermediates);
    EXPECT_EQ(x.version, y.version);
    EXPECT_TRUE(x.attrs == y.attrs) << OpName(x.op);
  }
}

TEST(GraphText, GeneratedGraphsComeBack) {
  for (uint32_t seed = 0; seed < 300; ++seed) {
    const Graph graph = GraphMaker(seed).Make();
    const std::string text = PrintGraph(graph);
    const Result<Graph> parsed = ParseGraph(text);
    ASSERT_TRUE(parsed.ok()) << "seed " << seed << ": " << parsed.error().message << "\n" << text;
    ExpectSame(graph, *parsed);
    ASSERT_EQ(PrintGraph(*parsed), text) << "seed " << seed;
  }
}

constexpr char kTiny[] = R"(dlpu-graph 1
name "tiny"
tensor %0 "input" int8 1x4x4x3 scale=[0.5] zero=[-128]
tensor %1 "weights" int8 2x1x1x3 scale=[0.25,0.125] zero=[0,0] const=hex:0102030405ff
tensor %2 "relu" int8 1x4x4x2 scale=[1] zero=[-128]
node CONV_2D "relu" (%0 %1 -) -> (%2) version=3 {padding=valid activation=relu}
inputs (%0)
outputs (%2)
)";

TEST(GraphText, ReadsAsTheHeaderSays) {
  const Result<Graph> graph = ParseGraph(kTiny);
  ASSERT_TRUE(graph.ok()) << graph.error().message;
  EXPECT_EQ(PrintGraph(*graph), kTiny);
  EXPECT_EQ(graph->tensors[1].data, (std::vector<uint8_t>{1, 2, 3, 4, 5, 255}));
  EXPECT_EQ(graph->nodes[0].inputs, (std::vector<TensorId>{0, 1, kNoTensor}));
  const auto& attrs = std::get<ConvAttrs>(graph->nodes[0].attrs);
  EXPECT_EQ(attrs.padding, Padding::kValid);
  EXPECT_EQ(attrs.activation, Activation::kRelu);
  EXPECT_EQ(attrs.stride_h, 1);
}

TEST(GraphText, CommentsBlankLinesAndCarriageReturnsAreSkipped) {
  const Result<Graph> graph =
      ParseGraph("\n# a comment\r\ndlpu-graph 1\r\n\n  name \"x\"  \r\ninputs ()\noutputs ()");
  ASSERT_TRUE(graph.ok()) << graph.error().message;
  EXPECT_EQ(graph->name, "x");
}

TEST(GraphText, LargeConstantsCanBeLeftOut) {
  Graph graph;
  Tensor tensor;
  tensor.name = "w";
  tensor.type = DataType::kUInt8;
  tensor.shape = {40};
  tensor.is_constant = true;
  tensor.data.assign(40, 7);
  graph.tensors.push_back(tensor);
  EXPECT_THAT(PrintGraph(graph), HasSubstr("const=base64:BwcH"));
  const std::string text = PrintGraph(graph, {.max_constant_bytes = 39});
  EXPECT_THAT(text, HasSubstr("const=sha256:"));
  const Result<Graph> parsed = ParseGraph(text);
  ASSERT_FALSE(parsed.ok());
  EXPECT_THAT(parsed.error().message, HasSubstr("for reading only"));
}

// Each known-bad text with the line and a part of the message that it must give.
TEST(GraphText, ErrorsNameTheLine) {
  struct Bad {
    std::string line;
    const char* message;
  };
  const std::string first = "tensor %0 \"a\" int8 1x2";
  const std::vector<Bad> bad = {
      {"tensor %1 \"a\" int8 1", "expected '%0 '"},
      {"tensor %0 a int8 1", "name in quotes"},
      {"tensor %0 \"a int8 1", "not closed"},
      {"tensor %0 \"a\\q\" int8 1", "expected \\\""},
      {"tensor %0 \"a\\xZZ\" int8 1", "hexadecimal"},
      {"tensor %0 \"a\" int7 1", "'int7' is not a data type"},
      {"tensor %0 \"a\" int8 1xx2", "an extent"},
      {"tensor %0 \"a\" int8 -1", "an extent"},
      {"tensor %0 \"a\" int8 99999999999", "an extent"},
      {first + " scale=[1", "expected ','"},
      {first + " scale=[a]", "a scale"},
      {first + " zero=[1.5]", "expected ','"},
      {first + " const=hex:0", "hexadecimal digits"},
      {first + " const=base64:A", "base64"},
      {first + " const=0102", "expected hex: or base64:"},
      {first + " fixed", "expected scale="},
      {"node NO_OP \"n\" () -> ()", "there is no op 'NO_OP'"},
      {"node RESHAPE \"n\" (%0) -> ()", "there is no tensor %0 yet"},
      {"node RESHAPE \"n\" () -> (-)", "expected '%'"},
      {"node RESHAPE \"n\" () ()", "expected '->'"},
      {"node RESHAPE \"n\" () -> () {axis=1}", "RESHAPE has no attribute 'axis'"},
      {"node RESHAPE \"n\" () -> () {new_shape=[1}", "expected ','"},
      {"node CONV_2D \"n\" () -> () {padding=full}", "'full' is not a padding"},
      {"node CONV_2D \"n\" () -> () {stride_h=x}", "a value, an integer"},
      {"inputs (%7)", "there is no tensor %7 yet"},
      {"inputs ()  more", "the end of the line"},
      {"weights 1", "'weights' is not the beginning"},
      {"metadata \"m\" 00", "expected hex:"},
  };
  for (const Bad& b : bad) {
    const Result<Graph> parsed = ParseGraph("dlpu-graph 1\n\n" + b.line + "\n");
    ASSERT_FALSE(parsed.ok()) << b.line;
    EXPECT_THAT(parsed.error().message, HasSubstr("line 3: ")) << b.line;
    EXPECT_THAT(parsed.error().message, HasSubstr(b.message)) << b.line;
  }
  EXPECT_FALSE(ParseGraph("").ok());
  EXPECT_FALSE(ParseGraph("dlpu-graph 2\n").ok());
}

// Cut off anywhere, or with any byte changed: an error or a graph, never a crash.
TEST(GraphText, DamagedTextIsHandled) {
  const std::string text = kTiny;
  for (size_t i = 0; i < text.size(); ++i) {
    (void)ParseGraph(text.substr(0, i)).ok();
    for (const char c : {'\0', '%', '"', '[', '9', '\n'}) {
      std::string damaged = text;
      damaged[i] = c;
      (void)ParseGraph(damaged).ok();
    }
  }
}

}  // namespace
}  // namespace dlpu
