// SPDX-License-Identifier: Apache-2.0
// .onnx -> Graph: inputs and weights, then one rule for each node.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/file.h"
#include "formats/onnx_builder.h"
#include "formats/onnx_quant.h"
#include "ir/verify.h"

namespace dlpu {
namespace {

constexpr size_t kMaxNamed = 20;  // unsupported nodes that one message names

std::vector<OnnxRow> AllRows() {
  std::vector<OnnxRow> rows;
  for (const auto& family :
       {OnnxConvRows(), OnnxPoolRows(), OnnxMatMulRows(), OnnxMathRows(), OnnxActivationRows(),
        OnnxNormRows(), OnnxReduceRows(), OnnxShapeRows(), OnnxSliceRows(), OnnxIndexRows(),
        OnnxResizeRows(), OnnxQuantRows(), OnnxRecurrentRows(), OnnxEinsumRows()}) {
    rows.insert(rows.end(), family.begin(), family.end());
  }
  std::sort(rows.begin(), rows.end(), [](const OnnxRow& a, const OnnxRow& b) {
    return std::string_view(a.op) < std::string_view(b.op);
  });
  return rows;
}

const OnnxRow* FindRow(const OnnxNode& node) {
  static const std::vector<OnnxRow> kRows = AllRows();
  if (!node.domain.empty()) return nullptr;
  for (const OnnxRow& row : kRows) {
    if (node.op == row.op) return &row;
  }
  return nullptr;
}

std::string NodeText(const OnnxNode& node) {
  std::string name = node.name;
  if (name.empty() && !node.outputs.empty()) name = node.outputs[0];
  return fmt::format("{}{} '{}'", node.domain.empty() ? "" : node.domain + ".", node.op, name);
}

class Reader {
 public:
  Reader(OnnxModel model, const std::string& name, const OnnxReadOptions& options)
      : model_(std::move(model)),
        name_(name),
        options_(options),
        builder_(options, Opset(model_)) {}

  Result<Graph> Read() {
    if (Status status = Build(); !status.ok()) {
      return Error{status.error().code, fmt::format("{}: {}", name_, status.error().message)};
    }
    return std::move(builder_.graph());
  }

 private:
  static int64_t Opset(const OnnxModel& model) {
    const auto found = model.opsets.find("");
    return found == model.opsets.end() ? 1 : found->second;
  }

  Status Build() {
    DLPU_RETURN_IF_ERROR(CheckVersions());
    ExpandOps();
    DLPU_RETURN_IF_ERROR(CheckOps());
    builder_.graph().name = name_;
    builder_.graph().description = model_.producer;
    KeepMetadata();
    for (OnnxTensor& tensor : model_.graph.initializers) {
      DLPU_RETURN_IF_ERROR(LoadExternal(tensor));
      DLPU_TRY(const TensorId id, builder_.AddInitializer(tensor));
      builder_.Define(tensor.name, id);
      tensor.data = {};  // the graph has it now
    }
    DLPU_RETURN_IF_ERROR(CheckShapeNames());
    BindSymbols();
    for (const OnnxValue& input : model_.graph.inputs) DLPU_RETURN_IF_ERROR(AddInput(input));
    DLPU_RETURN_IF_ERROR(CheckOpen());
    for (const OnnxNode& node : model_.graph.nodes) DLPU_RETURN_IF_ERROR(AddNode(node));
    for (const OnnxValue& output : model_.graph.outputs) {
      DLPU_RETURN_IF_ERROR(AddOutput(output.name));
    }
    return Verify(builder_.graph());
  }

  Status CheckVersions() const {
    if (builder_.opset() < 7) {
      return UnsupportedError(fmt::format(
          "opset {}; dlpu reads 7 and later: export again, or convert with onnx.version_converter",
          builder_.opset()));
    }
    return OkStatus();
  }

  void ExpandOps() {
    std::vector<OnnxNode> nodes;
    for (const OnnxNode& node : model_.graph.nodes) {
      for (OnnxNode& part : ExpandQLinear(node)) nodes.push_back(std::move(part));
    }
    model_.graph.nodes = std::move(nodes);
  }

  // All that is not supported in one message, so that nobody learns it op by op.
  Status CheckOps() const {
    std::vector<std::string> nodes;
    std::set<std::string> ops;
    for (const OnnxNode& node : model_.graph.nodes) {
      if (FindRow(node) != nullptr) continue;
      nodes.push_back(NodeText(node));
      ops.insert(node.op);
    }
    if (nodes.empty()) return OkStatus();
    std::string list;
    for (size_t i = 0; i < nodes.size() && i < kMaxNamed; ++i) {
      list += (i == 0 ? "" : ", ") + nodes[i];
    }
    if (nodes.size() > kMaxNamed) list += fmt::format(" and {} more", nodes.size() - kMaxNamed);
    return UnsupportedError(fmt::format("{} of {} nodes have no counterpart on a camera: {}. {}",
                                        nodes.size(), model_.graph.nodes.size(), list,
                                        Remedy(ops)));
  }

  static std::string Remedy(const std::set<std::string>& ops) {
    for (const char* op : {"If", "Loop", "Scan", "SequenceConstruct", "SequenceAt"}) {
      if (ops.contains(op)) {
        return "Control flow does not run on a DLPU: export the model with static shapes, or "
               "simplify it (onnxsim)";
      }
    }
    for (const char* op : {"NonMaxSuppression", "NonZero", "Unique", "Compress"}) {
      if (ops.contains(op)) {
        return "Results of variable size cannot run on a DLPU: export the model without its "
               "post-processing, which dlpu does in C++";
      }
    }
    return "Replace them in the model or cut them off before the export";
  }

  Status LoadExternal(OnnxTensor& tensor) {
    if (tensor.external_path.empty()) return OkStatus();
    const std::string& path = tensor.external_path;
    if (options_.folder.empty()) {
      return UnsupportedError(fmt::format(
          "tensor '{}': its data is in '{}', which cannot be found without the model's folder",
          tensor.name, path));
    }
    if (path[0] == '/' || path.find("..") != std::string::npos) {
      return InvalidError(
          fmt::format("tensor '{}': its data is in '{}', which is outside the model's folder",
                      tensor.name, path));
    }
    const std::string full = options_.folder + "/" + path;
    if (external_name_ != full) {
      DLPU_TRY(external_, ReadFile(full));
      external_name_ = full;
    }
    int64_t count = 1;
    for (const int64_t extent : tensor.dims) count *= extent;
    const int64_t want = count * OnnxTypeBytes(tensor.type);
    const int64_t size = static_cast<int64_t>(external_.size());
    if (want == 0 && OnnxTypeBytes(tensor.type) == 0) {
      return UnsupportedError(fmt::format("tensor '{}' is {}, which dlpu does not read",
                                          tensor.name, OnnxTypeName(tensor.type)));
    }
    if ((tensor.external_bytes >= 0 && tensor.external_bytes != want) ||
        tensor.external_offset > size || want > size - tensor.external_offset) {
      return InvalidError(fmt::format("tensor '{}': {} bytes at {} do not fit '{}' ({} bytes)",
                                      tensor.name, want, tensor.external_offset, path, size));
    }
    const uint8_t* begin = external_.data() + tensor.external_offset;
    tensor.data.assign(begin, begin + want);
    return OkStatus();
  }

  Status AddInput(const OnnxValue& input) {
    if (builder_.Knows(input.name)) return OkStatus();  // an initializer, as old files list them
    const DataType type = FromOnnxType(input.type);
    if (!input.is_tensor || type == DataType::kOther) {
      return UnsupportedError(
          fmt::format("input '{}' is {}, which no camera takes", input.name,
                      input.is_tensor ? OnnxTypeName(input.type) : "no tensor"));
    }
    Tensor tensor;
    tensor.name = input.name;
    tensor.type = type;
    DLPU_TRY(tensor.shape, InputShape(input));
    Graph& graph = builder_.graph();
    const auto id = static_cast<TensorId>(graph.tensors.size());
    graph.tensors.push_back(std::move(tensor));
    graph.inputs.push_back(id);
    builder_.Define(input.name, id);
    return OkStatus();
  }

  void KeepMetadata() {
    auto& kept = builder_.graph().metadata;
    const auto bytes = [](const std::string& text) {
      return std::vector<uint8_t>(text.begin(), text.end());
    };
    if (!model_.doc.empty()) kept[kOnnxDoc] = bytes(model_.doc);
    if (!model_.unknown.empty()) kept[kOnnxUnknown] = bytes(model_.unknown);
    for (const auto& [key, value] : model_.metadata) kept[kOnnxProperty + key] = bytes(value);
  }

  // What the user said of one input's symbols holds wherever they stand.
  void BindSymbols() {
    for (const OnnxValue& input : model_.graph.inputs) {
      const auto stated = options_.shapes.find(input.name);
      if (stated == options_.shapes.end() || stated->second.size() != input.dims.size()) continue;
      for (size_t d = 0; d < input.dims.size(); ++d) {
        if (input.dims[d] < 0 && !input.symbols[d].empty()) {
          symbols_.emplace(input.symbols[d], stated->second[d]);
        }
      }
    }
  }

  // The user's shape where it agrees with the file; an unstated batch is 1. What stays open is
  // kept in open_, for one message about all inputs.
  Result<Shape> InputShape(const OnnxValue& file) {
    OnnxValue input = file;
    const auto stated = options_.shapes.find(input.name);
    if (!input.has_shape && stated == options_.shapes.end()) {
      open_.emplace_back(input.name, "no shape in the file");
      return Shape{1};
    }
    if (!input.has_shape) return stated->second;
    for (size_t d = 0; d < input.dims.size(); ++d) {
      if (input.dims[d] >= 0) continue;
      const auto bound = symbols_.find(input.symbols[d]);
      if (bound != symbols_.end()) input.dims[d] = bound->second;
      const bool picture = input.dims.size() == 4 && (d == 2 || d == 3) && options_.picture[0] > 0;
      if (bound == symbols_.end() && picture) input.dims[d] = options_.picture[d - 2];
    }
    std::string dims;
    bool open = false;
    for (size_t d = 0; d < input.dims.size(); ++d) {
      const std::string name = input.symbols[d].empty() ? "?" : input.symbols[d];
      const std::string text = input.dims[d] >= 0 ? std::to_string(input.dims[d]) : name;
      dims += (d == 0 ? "" : ",") + text;
      open = open || (input.dims[d] < 0 && d > 0);
      if (input.dims[d] > (1 << 30)) {
        return InvalidError(fmt::format("input '{}' has an extent of {}", input.name, text));
      }
    }
    if (stated != options_.shapes.end()) return AgreedShape(file, dims, stated->second);
    if (open) open_.emplace_back(input.name, dims);
    Shape shape;
    for (const int64_t extent : input.dims) {
      shape.push_back(extent < 0 ? 1 : static_cast<int32_t>(extent));
    }
    return shape;
  }

  Status CheckOpen() const {
    if (open_.empty()) return OkStatus();
    std::string list, options;
    for (const auto& [name, dims] : open_) {
      list += fmt::format("{}'{}' ({})", list.empty() ? "" : ", ", name, dims);
      options += fmt::format(" --shape {}=...", name);
    }
    return UnsupportedError(fmt::format(
        "{} dynamic: {}. A DLPU needs static shapes; give{} with numbers in the file's order of "
        "axes (a batch that is open is 1, and a name counts wherever it stands)",
        open_.size() == 1 ? "input is" : "inputs are", list, options));
  }

  static Result<Shape> AgreedShape(const OnnxValue& input, const std::string& dims,
                                   const Shape& shape) {
    bool agrees = shape.size() == input.dims.size();
    for (size_t d = 0; agrees && d < shape.size(); ++d) {
      agrees = input.dims[d] < 0 ? shape[d] > 0 : input.dims[d] == shape[d];
    }
    if (agrees) return shape;
    std::string given;
    for (const int32_t extent : shape) given += (given.empty() ? "" : ",") + std::to_string(extent);
    return InvalidError(fmt::format(
        "--shape {}={}: the file says {}; only what it leaves open can be chosen, in the file's "
        "own order of axes",
        input.name, given, dims));
  }

  Status CheckShapeNames() const {
    for (const auto& [name, shape] : options_.shapes) {
      const auto is = [&, &n = name](const OnnxValue& input) { return input.name == n; };
      if (std::none_of(model_.graph.inputs.begin(), model_.graph.inputs.end(), is)) {
        std::string names;
        for (const OnnxValue& input : model_.graph.inputs) names += " '" + input.name + "'";
        return NotFoundError(
            fmt::format("--shape {}: no such input; the model has{}", name, names));
      }
    }
    return OkStatus();
  }

  Status AddNode(const OnnxNode& node) {
    builder_.Begin(node);
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      if (builder_.has(i) && builder_.in(i) == kNoTensor) {
        return InvalidError(fmt::format("{}: input '{}' is not computed before it is used",
                                        NodeText(node), node.inputs[i]));
      }
    }
    for (const std::string& output : node.outputs) {
      if (!output.empty() && builder_.Knows(output)) {
        return InvalidError(
            fmt::format("{}: output '{}' is written twice", NodeText(node), output));
      }
    }
    const OnnxRow* row = FindRow(node);
    if (Status arity = CheckArity(node, *row); !arity.ok()) return arity;
    DLPU_RETURN_IF_ERROR(row->rule(builder_));
    for (const std::string& output : node.outputs) {
      if (!output.empty() && !builder_.Knows(output)) {
        return UnsupportedError(
            fmt::format("{}: output '{}' is not supported", NodeText(node), output));
      }
    }
    return OkStatus();
  }

  // Rules look at the inputs that the specification requires without asking.
  Status CheckArity(const OnnxNode& node, const OnnxRow& row) const;

  // An output that is an input, a constant or another output gets a copy of its own.
  Status AddOutput(const std::string& name) {
    const TensorId id = builder_.Find(name);
    if (id == kNoTensor) {
      return InvalidError(fmt::format("output '{}' is never computed", name));
    }
    Graph& graph = builder_.graph();
    const bool taken =
        graph.tensors[id].is_constant ||
        std::find(graph.inputs.begin(), graph.inputs.end(), id) != graph.inputs.end() ||
        std::find(graph.outputs.begin(), graph.outputs.end(), id) != graph.outputs.end();
    if (!taken) {
      graph.tensors[id].name = name;
      graph.outputs.push_back(id);
      return OkStatus();
    }
    Tensor copy = graph.tensors[id];
    copy.name = name;
    copy.is_constant = false;
    copy.data = {};
    OnnxNode node;
    node.op = "Identity";
    node.outputs = {name};
    builder_.Begin(node);
    Node same;
    same.op = Op::kReshape;
    same.name = name;
    same.attrs = ReshapeAttrs{copy.shape};
    same.inputs = {id, builder_.IntList(copy.shape)};
    same.outputs = {static_cast<TensorId>(graph.tensors.size())};
    graph.tensors.push_back(std::move(copy));
    graph.outputs.push_back(same.outputs[0]);
    graph.nodes.push_back(std::move(same));
    return OkStatus();
  }

  OnnxModel model_;
  const std::string& name_;
  const OnnxReadOptions& options_;
  OnnxBuilder builder_;
  std::map<std::string, int32_t> symbols_;                 // sizes of named extents, as stated
  std::vector<std::pair<std::string, std::string>> open_;  // dynamic inputs and their extents
  std::string external_name_;                              // of the file that external_ holds
  std::vector<uint8_t> external_;
};

// Inputs that must be there, by op; one for ops that are not listed.
Status Reader::CheckArity(const OnnxNode& node, const OnnxRow& row) const {
  static const std::map<std::string, size_t> kRequired = {{"Constant", 0},
                                                          {"Add", 2},
                                                          {"Scatter", 3},
                                                          {"RNN", 3},
                                                          {"LSTM", 3},
                                                          {"GRU", 3},
                                                          {"AffineGrid", 2},
                                                          {"And", 2},
                                                          {"BatchNormalization", 5},
                                                          {"CastLike", 2},
                                                          {"Conv", 2},
                                                          {"ConvInteger", 2},
                                                          {"ConvTranspose", 2},
                                                          {"CumSum", 2},
                                                          {"DequantizeLinear", 2},
                                                          {"Div", 2},
                                                          {"Equal", 2},
                                                          {"Expand", 2},
                                                          {"Gather", 2},
                                                          {"GatherElements", 2},
                                                          {"GatherND", 2},
                                                          {"Gemm", 2},
                                                          {"Greater", 2},
                                                          {"GreaterOrEqual", 2},
                                                          {"GroupNormalization", 3},
                                                          {"InstanceNormalization", 3},
                                                          {"LayerNormalization", 2},
                                                          {"Less", 2},
                                                          {"LessOrEqual", 2},
                                                          {"MatMul", 2},
                                                          {"MatMulInteger", 2},
                                                          {"Mod", 2},
                                                          {"Mul", 2},
                                                          {"OneHot", 3},
                                                          {"Or", 2},
                                                          {"PRelu", 2},
                                                          {"Pow", 2},
                                                          {"QLinearConv", 8},
                                                          {"QLinearMatMul", 8},
                                                          {"QuantizeLinear", 2},
                                                          {"RMSNormalization", 2},
                                                          {"Range", 3},
                                                          {"ReverseSequence", 2},
                                                          {"ScatterElements", 3},
                                                          {"ScatterND", 3},
                                                          {"Sub", 2},
                                                          {"Tile", 2},
                                                          {"Where", 3},
                                                          {"Xor", 2}};
  const auto found = kRequired.find(row.op);
  size_t required = found == kRequired.end() ? 1 : found->second;
  if (node.op == "Slice" && builder_.opset() >= 10) required = 3;
  if (node.op == "Pad" && builder_.opset() >= 11) required = 2;
  if (node.op == "Upsample" && !node.attributes.contains("scales")) required = 2;
  if (node.op == "Resize" && builder_.opset() < 11) required = 2;
  for (size_t i = 0; i < required; ++i) {
    if (!builder_.has(i)) {
      return InvalidError(fmt::format("{}: {} inputs, the op needs {}", NodeText(node),
                                      node.inputs.size(), required));
    }
  }
  return node.outputs.empty() ? InvalidError(NodeText(node) + ": no outputs") : OkStatus();
}

}  // namespace

Result<Graph> ReadOnnx(std::span<const uint8_t> bytes, const std::string& name,
                       const OnnxReadOptions& options) {
  DLPU_TRY(OnnxModel model, ParseOnnx(bytes, name));
  return Reader(std::move(model), name, options).Read();
}

std::vector<OnnxOpInfo> OnnxOps() {
  std::vector<OnnxOpInfo> ops;
  for (const OnnxRow& row : AllRows()) ops.push_back({row.op, row.becomes});
  return ops;
}

}  // namespace dlpu
