// SPDX-License-Identifier: Apache-2.0
// Graph -> .onnx, float32, opset 13. Equal graphs give equal bytes.
#include "formats/onnx_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "formats/onnx.h"
#include "ir/verify.h"

namespace dlpu {
namespace {

constexpr int64_t kOpset = 13, kIrVersion = 7;

OnnxType ToOnnxType(DataType type) {
  switch (type) {
    case DataType::kFloat32:
      return OnnxType::kFloat;
    case DataType::kInt32:
      return OnnxType::kInt32;
    case DataType::kInt64:
      return OnnxType::kInt64;
    case DataType::kBool:
      return OnnxType::kBool;
    case DataType::kUInt8:
      return OnnxType::kUInt8;
    case DataType::kInt8:
      return OnnxType::kInt8;
    default:
      return OnnxType::kUndefined;
  }
}

}  // namespace

int32_t OnnxWriter::Axis(int32_t axis, size_t rank, bool planar) {
  if (axis < 0) axis += static_cast<int32_t>(rank);
  return planar ? kNchwToNhwc[axis] : axis;  // N, H, W, C stand at 0, 2, 3, 1
}

OnnxAttribute OnnxWriter::Int(int64_t value) {
  OnnxAttribute a;
  a.kind = OnnxAttribute::Kind::kInt;
  a.i = value;
  return a;
}

OnnxAttribute OnnxWriter::Real(float value) {
  OnnxAttribute a;
  a.kind = OnnxAttribute::Kind::kFloat;
  a.f = value;
  return a;
}

OnnxAttribute OnnxWriter::Text(const std::string& value) {
  OnnxAttribute a;
  a.kind = OnnxAttribute::Kind::kString;
  a.s = value;
  return a;
}

OnnxAttribute OnnxWriter::List(std::vector<int64_t> values) {
  OnnxAttribute a;
  a.kind = OnnxAttribute::Kind::kInts;
  a.ints = std::move(values);
  return a;
}

std::string OnnxWriter::Unique(const std::string& name) {
  std::string unique = name.empty() ? "value" : name;
  for (int n = 1; !names_.insert(unique).second; ++n) unique = fmt::format("{}_{}", name, n);
  return unique;
}

std::string OnnxWriter::AddConstant(const Tensor& tensor) {
  OnnxTensor written;
  written.name = Unique(tensor.name);
  written.type = ToOnnxType(tensor.type);
  written.dims.assign(tensor.shape.begin(), tensor.shape.end());
  written.data.assign(tensor.data.begin(), tensor.data.end());
  model_.graph.initializers.push_back(std::move(written));
  return model_.graph.initializers.back().name;
}

std::string OnnxWriter::Weights(const Tensor& constant) { return AddConstant(constant); }

std::string OnnxWriter::Ints(const std::vector<int64_t>& values) {
  Tensor tensor;
  tensor.name = "ints";
  tensor.type = DataType::kInt64;
  tensor.shape = {static_cast<int32_t>(values.size())};
  tensor.data.resize(values.size() * 8);
  if (!values.empty()) std::memcpy(tensor.data.data(), values.data(), tensor.data.size());
  return AddConstant(tensor);
}

std::string OnnxWriter::Float(float value) {
  Tensor tensor;
  tensor.name = "number";
  tensor.data.resize(sizeof(float));
  std::memcpy(tensor.data.data(), &value, sizeof(float));
  return AddConstant(tensor);
}

std::vector<int64_t> OnnxWriter::ConstantInts(TensorId id) const {
  const Tensor& t = tensor(id);
  std::vector<int64_t> values;
  if (!t.is_constant) return values;
  const size_t size = t.type == DataType::kInt64 ? 8 : 4;
  if (t.type != DataType::kInt64 && t.type != DataType::kInt32) return values;
  for (size_t i = 0; i + size <= t.data.size(); i += size) {
    int64_t wide = 0;
    int32_t narrow = 0;
    std::memcpy(size == 8 ? static_cast<void*>(&wide) : &narrow, t.data.data() + i, size);
    values.push_back(size == 8 ? wide : narrow);
  }
  return values;
}

std::string OnnxWriter::Plain(TensorId id) {
  if (const auto found = plain_.find(id); found != plain_.end()) return found->second;
  if (IsConstant(id)) return plain_[id] = AddConstant(tensor(id));
  const std::string planar = planar_.at(id);
  return plain_[id] = Step("Transpose", {planar}, {{"perm", List({0, 2, 3, 1})}});
}

std::string OnnxWriter::Planar(TensorId id) {
  if (const auto found = planar_.find(id); found != planar_.end()) return found->second;
  if (IsConstant(id)) {  // raised to four dimensions, unless it is one value
    Tensor constant = tensor(id);
    if (ElementCount(constant.shape) == 1) return Plain(id);
    constant.shape.insert(constant.shape.begin(), 4 - constant.shape.size(), 1);
    return planar_[id] = AddConstant(PermutedConstant(constant, kNhwcToNchw));
  }
  const std::string plain = plain_.at(id);
  return planar_[id] = Step("Transpose", {plain}, {{"perm", List({0, 3, 1, 2})}});
}

OnnxNode& OnnxWriter::Emit(const std::string& op, std::vector<std::string> inputs, TensorId output,
                           bool planar) {
  OnnxNode node;
  node.op = op;
  node.inputs = std::move(inputs);
  node.outputs = {Unique(tensor(output).name)};
  node.name = node.outputs[0];
  (planar ? planar_ : plain_)[output] = node.outputs[0];
  model_.graph.nodes.push_back(std::move(node));
  return model_.graph.nodes.back();
}

std::string OnnxWriter::Step(const std::string& op, std::vector<std::string> inputs,
                             std::map<std::string, OnnxAttribute> attributes) {
  OnnxNode node;
  node.op = op;
  node.outputs = {Unique((inputs.empty() ? "" : inputs[0]) + "/" + op)};
  node.name = node.outputs[0];
  node.inputs = std::move(inputs);
  node.attributes = std::move(attributes);
  model_.graph.nodes.push_back(std::move(node));
  return model_.graph.nodes.back().outputs[0];
}

Status OnnxWriter::CheckFloat() const {
  for (const Node& node : graph_.nodes) {
    for (const TensorId id : node.outputs) {
      const Tensor& t = tensor(id);
      if (t.quantization.present() && t.type != DataType::kFloat32) {
        return UnsupportedError(fmt::format(
            "'{}' is quantized ({}); float ONNX is written from the float model only, because "
            "rounding cannot be undone: convert that one",
            t.name, DataTypeName(t.type)));
      }
    }
    for (const TensorId id : node.inputs) {
      if (id != kNoTensor && tensor(id).is_constant &&
          ToOnnxType(tensor(id).type) == OnnxType::kUndefined) {
        return UnsupportedError(fmt::format("constant '{}' is {}, which is not written as ONNX",
                                            tensor(id).name, DataTypeName(tensor(id).type)));
      }
    }
  }
  return OkStatus();
}

Status OnnxWriter::CheckOps() const {
  std::string missing;
  for (const Node& node : graph_.nodes) {
    if (node.op != Op::kUnknown && OnnxWriteRuleOf(node.op) != nullptr) continue;
    missing += fmt::format("{}{} '{}'", missing.empty() ? "" : ", ", NodeOpName(node), node.name);
  }
  if (missing.empty()) return OkStatus();
  return UnsupportedError(
      fmt::format("ONNX is not written for: {}. Leave them out with --cut-at", missing));
}

// Through ops that keep four dimensions to one that works on pictures.
bool OnnxWriter::ReachesPicture(TensorId input) const {
  std::vector<bool> reached(graph_.tensors.size(), false);
  reached[input] = true;
  for (const Node& node : graph_.nodes) {
    const bool any = std::any_of(node.inputs.begin(), node.inputs.end(),
                                 [&](TensorId id) { return id != kNoTensor && reached[id]; });
    if (!any) continue;
    if (WantsPlanar(node.op)) return true;
    if (node.op == Op::kReshape || node.op == Op::kTranspose) continue;
    for (const TensorId id : node.outputs) reached[id] = shape(id).size() == 4;
  }
  return false;
}

// What an ONNX file said, which the model may have been read from.
void OnnxWriter::AddMetadata() {
  for (const auto& [key, data] : graph_.metadata) {
    std::string text(data.begin(), data.end());
    if (key == kOnnxDoc) model_.doc = std::move(text);
    if (key == kOnnxUnknown) model_.unknown = std::move(text);
    if (key.starts_with(kOnnxProperty)) {
      model_.metadata[key.substr(std::string_view(kOnnxProperty).size())] = std::move(text);
    }
  }
}

void OnnxWriter::AddInputs() {
  for (const TensorId id : graph_.inputs) {
    const bool planar = !keep_layout_ && shape(id).size() == 4 && ReachesPicture(id);
    OnnxValue value;
    value.name = Unique(tensor(id).name);
    value.type = ToOnnxType(tensor(id).type);
    const Shape order = planar ? Permuted(shape(id), kNhwcToNchw) : shape(id);
    value.dims.assign(order.begin(), order.end());
    (planar ? planar_ : plain_)[id] = value.name;
    model_.graph.inputs.push_back(std::move(value));
  }
}

// The file's outputs carry the tensors' names; a node that made one under that name does already.
void OnnxWriter::AddOutputs() {
  for (const TensorId id : graph_.outputs) {
    const bool planar = !keep_layout_ && IsPlanar(id);
    std::string made = In(id, planar);
    const bool by_node = std::any_of(model_.graph.nodes.begin(), model_.graph.nodes.end(),
                                     [&](const OnnxNode& node) { return node.outputs[0] == made; });
    OnnxValue value;
    value.name = made;
    if (!by_node || made != tensor(id).name) {
      const bool free = !names_.contains(tensor(id).name);
      made = Step("Identity", {made});
      if (free) model_.graph.nodes.back().outputs[0] = made = Unique(tensor(id).name);
      value.name = made;
    }
    value.type = ToOnnxType(tensor(id).type);
    const Shape order = planar ? Permuted(shape(id), kNhwcToNchw) : shape(id);
    value.dims.assign(order.begin(), order.end());
    model_.graph.outputs.push_back(std::move(value));
  }
}

Result<OnnxModel> OnnxWriter::Write() {
  DLPU_RETURN_IF_ERROR(Verify(graph_));
  DLPU_RETURN_IF_ERROR(CheckFloat());
  DLPU_RETURN_IF_ERROR(CheckOps());
  model_.ir_version = kIrVersion;
  model_.producer = "dlpu";
  model_.opsets[""] = kOpset;
  model_.graph.name = "main";
  AddMetadata();
  AddInputs();
  for (const Node& node : graph_.nodes) {
    if (!OnnxWriteRuleOf(node.op)(*this, node)) {
      return UnsupportedError(fmt::format("{} '{}': ONNX has nothing for this form of the op",
                                          NodeOpName(node), node.name));
    }
  }
  AddOutputs();
  return std::move(model_);
}

Result<std::vector<uint8_t>> WriteOnnx(const Graph& graph, bool keep_layout) {
  DLPU_TRY(const OnnxModel model, OnnxWriter(graph, keep_layout).Write());
  return SerializeOnnx(model);
}

}  // namespace dlpu
