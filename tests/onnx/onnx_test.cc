// SPDX-License-Identifier: Apache-2.0
// The ONNX reader without Python: golden models with ONNX Runtime's outputs, where transpositions
// are left, what is refused and how, documentation, damaged models.
#include "formats/onnx.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <sstream>

#include "app/import_onnx.h"
#include "base/encoding.h"
#include "base/file.h"
#include "formats/onnx_graph.h"
#include "formats/tflite.h"
#include "passes/compile.h"
#include "passes/layout.h"
#include "run/runner.h"
#include "try_onnx.h"

namespace dlpu::onnx_test {
namespace {

using ::testing::HasSubstr;
using Bytes = std::vector<uint8_t>;

struct Case {
  std::string name;
  Bytes model;
  std::vector<Bytes> inputs, outputs;
};

std::vector<Case> GoldenCases() {
  const auto text = ReadTextFile("tests/golden/onnx.txt");
  EXPECT_TRUE(text.ok());
  std::vector<Case> cases;
  std::istringstream lines(text.ok() ? *text : "");
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string word, first, second;
    words >> word >> first >> second;
    if (word == "case") cases.push_back({first, {}, {}, {}});
    if (word == "model") cases.back().model = BytesFromBase64(first).value();
    if (word == "input") cases.back().inputs.push_back(BytesFromBase64(second).value());
    if (word == "output") cases.back().outputs.push_back(BytesFromBase64(second).value());
  }
  return cases;
}

float LargestDifference(std::span<const uint8_t> a, const Bytes& b) {
  if (a.size() != b.size()) return INFINITY;
  float largest = 0, range = 1e-6f;
  for (size_t i = 0; i < b.size(); i += sizeof(float)) {
    float x = 0, y = 0;
    std::memcpy(&x, a.data() + i, sizeof(x));
    std::memcpy(&y, b.data() + i, sizeof(y));
    largest = std::max(largest, std::fabs(x - y));
    range = std::max(range, std::fabs(y));
  }
  return largest / range;
}

TEST(OnnxGolden, OutputsAreThoseOfOnnxRuntime) {
  const std::vector<Case> cases = GoldenCases();
  ASSERT_GE(cases.size(), 6u);
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    OnnxImportOptions as_written;
    as_written.keep_nchw = true;
    const auto imported = ImportOnnx(c.model, c.name, as_written);
    ASSERT_TRUE(imported.ok()) << imported.error().message;
    auto program = Compile(imported->graph, {});
    ASSERT_TRUE(program.ok()) << program.error().message;
    auto runner = Runner::Load(*std::move(program), {.threads = 1});
    ASSERT_TRUE(runner.ok()) << runner.error().message;
    for (size_t i = 0; i < c.inputs.size(); ++i) {
      ASSERT_EQ((*runner)->input(i).size(), c.inputs[i].size());
      std::copy(c.inputs[i].begin(), c.inputs[i].end(), (*runner)->input(i).begin());
    }
    ASSERT_TRUE((*runner)->Run().ok());
    ASSERT_EQ((*runner)->output_count(), c.outputs.size());
    for (size_t i = 0; i < c.outputs.size(); ++i) {
      EXPECT_LT(LargestDifference((*runner)->output(i), c.outputs[i]), 1e-5f) << "output " << i;
    }
  }
}

TEST(OnnxGolden, NoTranspositionIsLeftInConvolutionalNetworks) {
  int looked_at = 0;
  for (const Case& c : GoldenCases()) {
    const auto imported = ImportOnnx(c.model, c.name, {});
    ASSERT_TRUE(imported.ok());
    EXPECT_GT(imported->layout.transposes_before, 1) << c.name;
    // A channel shuffle has one of its own, which goes into weights.
    EXPECT_EQ(imported->layout.transposes_after, c.name == "shuffled" ? 1 : 0) << c.name;
    for (const Node& node : imported->graph.nodes) EXPECT_NE(node.op, Op::kTranspose) << c.name;
    EXPECT_EQ(imported->layout.nhwc_inputs, std::vector<std::string>{"input"}) << c.name;
    ++looked_at;
  }
  EXPECT_GE(looked_at, 6);
}

TEST(OnnxLayout, TransposesBetweenConvolutionsAreCounted) {
  // conv, transpose, relu, conv; then one more transpose behind the last convolution, and two whose
  // values reach a convolution only through a product of matrices.
  Graph graph;
  const auto tensor = [&] {
    graph.tensors.push_back({"t", DataType::kFloat32, {1, 2, 2, 2}, {}, {}, false, false});
    return static_cast<TensorId>(graph.tensors.size()) - 1;
  };
  const auto node = [&](Op op, std::vector<TensorId> inputs) {
    Node made;
    made.op = op;
    made.inputs = std::move(inputs);
    made.outputs = {tensor()};
    graph.nodes.push_back(made);
    return made.outputs[0];
  };
  const TensorId first = node(Op::kConv2d, {tensor()});
  const TensorId turned = node(Op::kRelu, {node(Op::kTranspose, {first})});
  const TensorId second = node(Op::kConv2d, {turned});
  node(Op::kTranspose, {second});
  EXPECT_EQ(TransposesBetweenConvolutions(graph), 1);
  const TensorId product =
      node(Op::kBatchMatmul, {node(Op::kTranspose, {second}), node(Op::kTranspose, {second})});
  node(Op::kConv2d, {product});
  EXPECT_EQ(TransposesBetweenConvolutions(graph), 1);
}

OnnxValue Value(const std::string& name, std::vector<int64_t> dims) {
  OnnxValue value;
  value.name = name;
  value.type = OnnxType::kFloat;
  value.has_shape = true;
  value.dims = std::move(dims);
  return value;
}

OnnxNode MakeNode(const std::string& op, std::vector<std::string> inputs, const std::string& out) {
  OnnxNode node;
  node.name = "my_" + op;
  node.op = op;
  node.inputs = std::move(inputs);
  node.outputs = {out};
  return node;
}

OnnxModel Model(std::vector<OnnxNode> nodes, std::vector<int64_t> input) {
  OnnxModel model;
  model.ir_version = 8;
  model.opsets[""] = 17;
  model.graph.nodes = std::move(nodes);
  model.graph.inputs = {Value("x", std::move(input))};
  model.graph.outputs = {Value(model.graph.nodes.back().outputs[0], {})};
  return model;
}

std::string Refusal(const OnnxModel& model, const OnnxImportOptions& options = {}) {
  const auto imported = ImportOnnx(SerializeOnnx(model), "m.onnx", options);
  return imported.ok() ? "" : imported.error().message;
}

TEST(OnnxRefusal, NamesAllUnsupportedNodesAtOnce) {
  const std::string text = Refusal(Model(
      {MakeNode("NonZero", {"x"}, "a"), MakeNode("Relu", {"x"}, "b"), MakeNode("Loop", {"a"}, "c")},
      {1, 4}));
  EXPECT_THAT(text, HasSubstr("2 of 3 nodes"));
  EXPECT_THAT(text, HasSubstr("NonZero 'my_NonZero'"));
  EXPECT_THAT(text, HasSubstr("Loop 'my_Loop'"));
  EXPECT_THAT(text, HasSubstr("export"));
}

TEST(OnnxRefusal, OpenExtentsAreNamedAllAtOnce) {
  OnnxModel model = Model({MakeNode("Add", {"x", "mask"}, "y")}, {-1, 3, 8, 8});
  model.graph.inputs.push_back(Value("mask", {1, 1, 8, 8}));
  EXPECT_EQ(Refusal(model), "");  // a batch is 1
  model.graph.inputs[0].dims = {-1, 3, -1, -1};
  model.graph.inputs[0].symbols = {"n", "", "high", "wide"};
  model.graph.inputs[1].dims = {1, 1, -1, -1};
  model.graph.inputs[1].symbols = {"", "", "high", "wide"};
  const std::string text = Refusal(model);
  EXPECT_THAT(text, HasSubstr("'x' (n,3,high,wide), 'mask' (1,1,high,wide)"));
  EXPECT_THAT(text, HasSubstr("give --shape x=... --shape mask=... with"));
  // One of them says what the names are.
  EXPECT_EQ(Refusal(model, {.shapes = {{"x", {1, 3, 8, 8}}}}), "");
  OnnxImportOptions picture;
  picture.picture = {8, 8};
  EXPECT_EQ(Refusal(model, picture), "");
  model.graph.inputs[1].symbols = {"", "", "", ""};
  EXPECT_THAT(Refusal(model, {.shapes = {{"x", {1, 3, 8, 8}}}}), HasSubstr("'mask' (1,1,?,?)"));
}

TEST(OnnxRefusal, ShapesThatDoNotFit) {
  EXPECT_THAT(Refusal(Model({MakeNode("Relu", {"x"}, "y")}, {1, 3, 8, 8}),
                      {.shapes = {{"x", {1, 8, 8, 3}}}}),
              HasSubstr("the file says 1,3,8,8"));
  EXPECT_THAT(Refusal(Model({MakeNode("Relu", {"x"}, "y")}, {1, 3}), {.shapes = {{"z", {1, 3}}}}),
              HasSubstr("no such input; the model has 'x'"));
}

TEST(OnnxRefusal, OldOpsetsAndMissingInputs) {
  OnnxModel old = Model({MakeNode("Relu", {"x"}, "y")}, {1, 3});
  old.opsets[""] = 6;
  EXPECT_THAT(Refusal(old), HasSubstr("opset 6"));
  EXPECT_THAT(Refusal(Model({MakeNode("Add", {"x"}, "y")}, {1, 3})), HasSubstr("needs 2"));
  EXPECT_THAT(Refusal(Model({MakeNode("Relu", {"q"}, "y")}, {1, 3})),
              HasSubstr("not computed before"));
  EXPECT_THAT(Refusal(Model({MakeNode("MaxPool", {"x"}, "y")}, {1, 3, 4, 4, 4})),
              HasSubstr("spatial axes"));
}

TEST(OnnxRefusal, ExternalDataStaysInTheModelsFolder) {
  // TensorProto with data_location EXTERNAL cannot be made by the writer, so the bytes are.
  const std::string location = "../../etc/passwd";
  std::string entry =
      "\x0a\x08location\x12" + std::string(1, static_cast<char>(location.size())) + location;
  std::string tensor = std::string("\x08\x01\x10\x01\x42\x01w") + "\x6a" +
                       std::string(1, static_cast<char>(entry.size())) + entry + "\x70\x01";
  std::string graph = "\x2a" + std::string(1, static_cast<char>(tensor.size())) + tensor;
  std::string model = "\x08\x08\x3a" + std::string(1, static_cast<char>(graph.size())) + graph +
                      std::string("\x42\x02\x10\x11", 4);
  const Bytes bytes(model.begin(), model.end());
  const auto imported = ImportOnnx(bytes, "m.onnx", {});
  ASSERT_FALSE(imported.ok());
  EXPECT_THAT(imported.error().message, HasSubstr("outside the model's folder"));
}

TEST(OnnxMetadata, IsKeptWhereAModelIsWrittenAgain) {
  OnnxModel model = Model({MakeNode("Relu", {"x"}, "y")}, {1, 3});
  model.doc = "what it is for";
  model.metadata = {{"names", "{0: 'cat'}"}, {"stride", "32"}};
  Bytes bytes = SerializeOnnx(model);
  // Field 999, a text that no version of the format has.
  const std::string unknown = "\xba\x3e\x05later";
  bytes.insert(bytes.end(), unknown.begin(), unknown.end());
  const auto imported = ImportOnnx(bytes, "m.onnx", {});
  ASSERT_TRUE(imported.ok()) << imported.error().message;
  const auto written = WriteOnnx(imported->graph, true);
  ASSERT_TRUE(written.ok()) << written.error().message;
  const auto again = ParseOnnx(*written, "again.onnx");
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->doc, model.doc);
  EXPECT_EQ(again->metadata, model.metadata);
  EXPECT_EQ(again->unknown, unknown);
  // Through a .tflite and back as well.
  const auto tflite = WriteTflite(imported->graph);
  ASSERT_TRUE(tflite.ok());
  const auto read = ReadTflite(*tflite, "m.tflite");
  ASSERT_TRUE(read.ok()) << read.error().message;
  const auto back = WriteOnnx(*read, true);
  ASSERT_TRUE(back.ok()) << back.error().message;
  EXPECT_EQ(ParseOnnx(*back, "back.onnx")->metadata, model.metadata);
}

TEST(OnnxDocs, EveryOpHasItsLine) {
  const auto docs = ReadTextFile("docs/onnx.md");
  ASSERT_TRUE(docs.ok());
  ASSERT_GT(OnnxOps().size(), 100u);
  for (const OnnxOpInfo& op : OnnxOps()) {
    EXPECT_THAT(*docs, HasSubstr(fmt::format("| {} | {} |\n", op.op, op.becomes)));
  }
}

TEST(OnnxHostile, CutOffAtEveryByte) {
  int refused = 0;
  for (const Case& c : GoldenCases()) {
    for (size_t size = 0; size < c.model.size(); ++size) {
      const OnnxTrial trial = TryOnnx(std::span(c.model).first(size));
      if (!trial.ran) {
        EXPECT_FALSE(trial.error.empty()) << c.name << " cut at " << size;
        ++refused;
      }
    }
  }
  EXPECT_GT(refused, 1000);
}

TEST(OnnxHostile, EveryByteFlipped) {
  int refused = 0, ran = 0;
  for (const Case& c : GoldenCases()) {
    Bytes model = c.model;
    for (size_t at = 0; at < model.size(); ++at) {
      const uint8_t before = model[at];
      model[at] = static_cast<uint8_t>(before ^ (at % 3 == 0 ? 0xFF : 1 << at % 8));
      const OnnxTrial trial = TryOnnx(model);
      model[at] = before;
      EXPECT_TRUE(trial.ran || !trial.error.empty()) << c.name << " at " << at;
      (trial.ran ? ran : refused) += 1;
    }
  }
  EXPECT_GT(ran, 100);      // weights and names may be anything
  EXPECT_GT(refused, 100);  // structure may not
}

}  // namespace
}  // namespace dlpu::onnx_test
