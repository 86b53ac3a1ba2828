// SPDX-License-Identifier: Apache-2.0
// The reader's workbench: tensors, constants and nodes.
#include "formats/onnx_builder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include "base/file.h"
#include "base/half.h"

namespace dlpu {
namespace {

// Of a constant that is computed from others.
constexpr int64_t kMaxConstantBytes = int64_t{256} << 20;

template <typename T>
T Load(const uint8_t* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof(T));
  return value;
}

// Elements of `type` (a float type of ONNX) as float32 bytes.
std::vector<uint8_t> ToFloat32(OnnxType type, std::span<const uint8_t> data) {
  const size_t size = static_cast<size_t>(OnnxTypeBytes(type)), count = data.size() / size;
  std::vector<uint8_t> result(count * sizeof(float));
  for (size_t i = 0; i < count; ++i) {
    const uint8_t* from = data.data() + i * size;
    float value = 0;
    if (type == OnnxType::kDouble) {
      value = static_cast<float>(Load<double>(from));
    } else if (type == OnnxType::kFloat16) {
      value = FloatFromHalf(Load<uint16_t>(from));
    } else {  // bfloat16 is the upper half of a float32
      const uint32_t bits = uint32_t{Load<uint16_t>(from)} << 16;
      std::memcpy(&value, &bits, sizeof(value));
    }
    std::memcpy(result.data() + i * sizeof(float), &value, sizeof(value));
  }
  return result;
}

// All values of a constant as T; false for a type that is no number.
template <typename T>
bool ReadValues(const Tensor& tensor, std::vector<T>& values) {
  const auto convert = [&]<typename S>(S) {
    values.resize(tensor.data.size() / sizeof(S));
    for (size_t i = 0; i < values.size(); ++i) {
      values[i] = static_cast<T>(Load<S>(tensor.data.data() + i * sizeof(S)));
    }
    return true;
  };
  switch (tensor.type) {
    case DataType::kFloat32:
      return std::is_same_v<T, float> && convert(float{});
    case DataType::kInt64:
      return convert(int64_t{});
    case DataType::kInt32:
      return convert(int32_t{});
    case DataType::kUInt32:
      return convert(uint32_t{});
    case DataType::kInt16:
      return convert(int16_t{});
    case DataType::kUInt16:
      return convert(uint16_t{});
    case DataType::kInt8:
      return convert(int8_t{});
    case DataType::kUInt8:
    case DataType::kBool:
      return convert(uint8_t{});
    default:
      return false;
  }
}

}  // namespace

DataType FromOnnxType(OnnxType type) {
  switch (type) {
    case OnnxType::kFloat:
    case OnnxType::kFloat16:
    case OnnxType::kBFloat16:
    case OnnxType::kDouble:
      return DataType::kFloat32;
    case OnnxType::kUInt8:
      return DataType::kUInt8;
    case OnnxType::kInt8:
      return DataType::kInt8;
    case OnnxType::kUInt16:
      return DataType::kUInt16;
    case OnnxType::kInt16:
      return DataType::kInt16;
    case OnnxType::kInt32:
      return DataType::kInt32;
    case OnnxType::kUInt32:
      return DataType::kUInt32;
    case OnnxType::kInt64:
      return DataType::kInt64;
    case OnnxType::kUInt64:
      return DataType::kUInt64;
    case OnnxType::kBool:
      return DataType::kBool;
    default:
      return DataType::kOther;
  }
}

void OnnxBuilder::Begin(const OnnxNode& node) {
  node_ = &node;
  inputs_.clear();
  for (const std::string& name : node.inputs) inputs_.push_back(Find(name));
  first_own_tensor_ = graph_.tensors.size();
  serial_ = 0;
  error_.reset();
}

Status OnnxBuilder::status() const { return error_.has_value() ? Status(*error_) : OkStatus(); }

TensorId OnnxBuilder::Find(const std::string& value) const {
  const auto found = values_.find(value);
  return found == values_.end() ? kNoTensor : found->second;
}

Result<TensorId> OnnxBuilder::AddInitializer(const OnnxTensor& source) {
  Tensor tensor;
  tensor.name = source.name;
  tensor.type = FromOnnxType(source.type);
  if (tensor.type == DataType::kOther) {
    return UnsupportedError(fmt::format("tensor '{}' is {}, which dlpu does not read", source.name,
                                        OnnxTypeName(source.type)));
  }
  for (const int64_t extent : source.dims) tensor.shape.push_back(static_cast<int32_t>(extent));
  tensor.is_constant = true;
  tensor.data = IsFloat(tensor.type) && source.type != OnnxType::kFloat
                    ? ToFloat32(source.type, source.data)
                    : source.data;
  return AddTensor(std::move(tensor));
}

int64_t OnnxBuilder::Int(const std::string& name, int64_t otherwise) const {
  const auto found = node_->attributes.find(name);
  return found == node_->attributes.end() ? otherwise : found->second.i;
}

float OnnxBuilder::Float(const std::string& name, float otherwise) const {
  const auto found = node_->attributes.find(name);
  return found == node_->attributes.end() ? otherwise : found->second.f;
}

std::string OnnxBuilder::String(const std::string& name, const std::string& otherwise) const {
  const auto found = node_->attributes.find(name);
  return found == node_->attributes.end() ? otherwise : found->second.s;
}

std::vector<int64_t> OnnxBuilder::Ints(const std::string& name) const {
  const auto found = node_->attributes.find(name);
  return found == node_->attributes.end() ? std::vector<int64_t>() : found->second.ints;
}

const OnnxTensor* OnnxBuilder::TensorAttribute(const std::string& name) const {
  const auto found = node_->attributes.find(name);
  if (found == node_->attributes.end() || found->second.tensor.empty()) return nullptr;
  return &found->second.tensor[0];
}

const Tensor& OnnxBuilder::tensor(TensorId id) const {
  static const Tensor kEmpty;
  return id == kNoTensor ? kEmpty : graph_.tensors[static_cast<size_t>(id)];
}

std::vector<int64_t> OnnxBuilder::ConstantInts(TensorId id) {
  std::vector<int64_t> values;
  if (error_.has_value()) return values;
  if (!IsConstant(id)) {
    Fail(Unsupported(fmt::format(
        "input '{}' is computed while the model runs; a DLPU needs it constant (fix dynamic sizes "
        "with --shape, or export with static shapes)",
        tensor(id).name)));
  } else if (!ReadValues(tensor(id), values)) {
    Fail(Invalid(fmt::format("input '{}' must be integers, not {}", tensor(id).name,
                             DataTypeName(type(id)))));
  }
  return values;
}

std::vector<float> OnnxBuilder::ConstantFloats(TensorId id) {
  std::vector<float> values;
  if (error_.has_value()) return values;
  if (!IsConstant(id)) {
    Fail(Unsupported(fmt::format("input '{}' is computed while the model runs; it must be constant",
                                 tensor(id).name)));
  } else if (!ReadValues(tensor(id), values)) {
    Fail(Invalid(fmt::format("input '{}' must be numbers, not {}", tensor(id).name,
                             DataTypeName(type(id)))));
  }
  return values;
}

int32_t OnnxBuilder::Axis(int64_t axis, size_t rank) {
  const auto extent = static_cast<int64_t>(rank);
  if (axis < -extent || axis >= extent) {
    Fail(Invalid(fmt::format("axis {} of {} dimensions", axis, rank)));
    return 0;
  }
  return static_cast<int32_t>(axis < 0 ? axis + extent : axis);
}

template <typename T>
TensorId OnnxBuilder::AddConstant(const std::vector<T>& values, Shape shape) {
  if (error_.has_value()) return kNoTensor;
  Tensor tensor;
  tensor.name = NewName();
  tensor.type = DataTypeOf<T>::value;
  tensor.shape = std::move(shape);
  tensor.is_constant = true;
  tensor.data.resize(values.size() * sizeof(T));
  if (!values.empty()) std::memcpy(tensor.data.data(), values.data(), tensor.data.size());
  DLPU_CHECK(ElementCount(tensor.shape) == static_cast<int64_t>(values.size()));
  return AddTensor(std::move(tensor));
}

TensorId OnnxBuilder::IntConstant(const std::vector<int32_t>& values, Shape shape) {
  return AddConstant(values, std::move(shape));
}

TensorId OnnxBuilder::IntList(const std::vector<int32_t>& values) {
  return IntConstant(values, {static_cast<int32_t>(values.size())});
}

TensorId OnnxBuilder::LongConstant(const std::vector<int64_t>& values, Shape shape) {
  return AddConstant(values, std::move(shape));
}

TensorId OnnxBuilder::FloatConstant(const std::vector<float>& values, Shape shape) {
  return AddConstant(values, std::move(shape));
}

TensorId OnnxBuilder::Scalar(DataType type, double value) {
  if (type == DataType::kFloat32) return FloatScalar(static_cast<float>(value));
  if (type == DataType::kInt64) return LongConstant({static_cast<int64_t>(value)}, {});
  const TensorId number = IntScalar(static_cast<int32_t>(value));
  return type == DataType::kInt32 ? number : Cast(number, type);
}

TensorId OnnxBuilder::Emit(Op op, std::vector<TensorId> inputs, Attrs attrs) {
  if (error_.has_value()) return kNoTensor;
  const DataType type =
      inputs.empty() || inputs[0] == kNoTensor ? DataType::kFloat32 : this->type(inputs[0]);
  const auto outputs = EmitMany(op, std::move(inputs), std::move(attrs), {type});
  return outputs.empty() ? kNoTensor : outputs[0];
}

std::vector<TensorId> OnnxBuilder::EmitMany(Op op, std::vector<TensorId> inputs, Attrs attrs,
                                            const std::vector<DataType>& types,
                                            const Quantization& quantization) {
  std::vector<TensorId> failed(types.size(), kNoTensor);
  if (error_.has_value()) return failed;
  Node node;
  node.op = op;
  node.attrs = std::move(attrs);
  node.inputs = std::move(inputs);
  node.name = node_->name.empty() ? (node_->outputs.empty() ? "" : node_->outputs[0]) : node_->name;
  for (const DataType type : types) {
    Tensor output;
    output.name = NewName();
    output.type = type;
    output.quantization = quantization;
    node.outputs.push_back(AddTensor(std::move(output)));
  }
  if (!Run(node)) return failed;
  return node.outputs;
}

// Infers the node's outputs, and computes them when everything is constant.
bool OnnxBuilder::Run(const Node& node) {
  if (Status status = options_.infer(graph_, node); !status.ok()) {
    Fail(status.error());
    return false;
  }
  for (const TensorId id : node.outputs) {
    if (ByteCount(type(id), shape(id)) > (int64_t{1} << 33)) {
      Fail(ExhaustedError(fmt::format("{} '{}': output {} needs more than 8 GiB", node_->op,
                                      node.name, ShapeText(shape(id)))));
      return false;
    }
  }
  const bool constant = std::all_of(node.inputs.begin(), node.inputs.end(),
                                    [&](TensorId id) { return id == kNoTensor || IsConstant(id); });
  // A weight stays quantized; its DEQUANTIZE is the sign of that.
  if (constant && node.op != Op::kDequantize && !node.inputs.empty()) {
    for (const TensorId id : node.outputs) {
      if (ByteCount(type(id), shape(id)) <= kMaxConstantBytes) continue;
      Fail(ExhaustedError(fmt::format("{} '{}': a constant of {} would take more than 256 MiB",
                                      node_->op, node.name, ShapeText(shape(id)))));
      return false;
    }
    if (Status status = options_.evaluate(graph_, node); !status.ok()) {
      Fail(status.error());
      return false;
    }
    return true;
  }
  for (const TensorId id : node.outputs) producer_[id] = graph_.nodes.size();
  graph_.nodes.push_back(node);
  return true;
}

TensorId OnnxBuilder::Reshape(TensorId id, Shape shape) {
  if (error_.has_value()) return kNoTensor;
  if (this->shape(id) == shape) return id;
  const TensorId extents = IntList(shape);
  const TensorId result = Emit(Op::kReshape, {id, extents}, ReshapeAttrs{shape});
  if (result != kNoTensor) graph_.tensors[result].quantization = tensor(id).quantization;
  return result;
}

TensorId OnnxBuilder::Transpose(TensorId id, const Permutation& perm) {
  if (error_.has_value() || IsIdentity(perm)) return id;
  const TensorId result = Emit(Op::kTranspose, {id, IntList(perm)});
  if (result != kNoTensor) graph_.tensors[result].quantization = tensor(id).quantization;
  return result;
}

TensorId OnnxBuilder::Cast(TensorId id, DataType type) {
  if (error_.has_value() || this->type(id) == type) return id;
  return EmitMany(Op::kCast, {id}, OutputTypeAttrs{type}, {type})[0];
}

TensorId OnnxBuilder::ConstantBehind(TensorId id) const {
  if (id == kNoTensor || IsConstant(id)) return id;
  const auto found = producer_.find(id);
  if (found == producer_.end()) return kNoTensor;
  const Node& node = graph_.nodes[found->second];
  if (node.op != Op::kDequantize || !IsConstant(node.inputs[0])) return kNoTensor;
  return node.inputs[0];
}

TensorId OnnxBuilder::TransposeWeights(TensorId id, const Permutation& perm) {
  if (error_.has_value()) return kNoTensor;
  const TensorId constant = ConstantBehind(id);
  if (constant == kNoTensor || perm.size() != rank(constant)) return Transpose(id, perm);
  Tensor moved = PermutedConstant(tensor(constant), perm);
  moved.name = tensor(constant).name;  // the user's own name of the weight
  const TensorId result = AddTensor(std::move(moved));
  return constant == id ? result
                        : EmitMany(Op::kDequantize, {result}, NoAttrs{}, {DataType::kFloat32})[0];
}

TensorId OnnxBuilder::Binary(Op op, TensorId a, TensorId b) {
  if (error_.has_value()) return kNoTensor;
  const DataType type = this->type(a);
  if (!IsInteger(type) || type == DataType::kInt32) return Emit(op, {a, b});
  const TensorId result = Emit(op, {Cast(a, DataType::kInt32), Cast(b, DataType::kInt32)});
  return this->type(result) == DataType::kInt32 ? Cast(result, type) : result;
}

TensorId OnnxBuilder::Reduce(Op op, TensorId x, const std::vector<int32_t>& axes, bool keep_dims) {
  return Emit(op, {x, IntList(axes)}, ReduceAttrs{keep_dims});
}

Status OnnxBuilder::Set(size_t output, TensorId id) {
  if (error_.has_value()) return *error_;
  DLPU_CHECK(id != kNoTensor);
  if (!wants(output)) return OkStatus();
  const std::string& name = node_->outputs[output];
  const bool own = static_cast<size_t>(id) >= first_own_tensor_;
  const bool named = own && std::any_of(node_->outputs.begin(), node_->outputs.end(),
                                        [&](const std::string& n) { return Find(n) == id; });
  if (own && !named) graph_.tensors[id].name = name;
  values_[name] = id;
  return OkStatus();
}

Error OnnxBuilder::Invalid(const std::string& message) const {
  return InvalidError(fmt::format(
      "{} '{}': {}", node_->op,
      node_->name.empty() && !node_->outputs.empty() ? node_->outputs[0] : node_->name, message));
}

Error OnnxBuilder::Unsupported(const std::string& message) const {
  Error error = Invalid(message);
  error.code = ErrorCode::kUnsupported;
  return error;
}

TensorId OnnxBuilder::Fail(Error error) {
  if (!error_.has_value()) error_ = std::move(error);
  return kNoTensor;
}

TensorId OnnxBuilder::AddTensor(Tensor tensor) {
  graph_.tensors.push_back(std::move(tensor));
  return static_cast<TensorId>(graph_.tensors.size() - 1);
}

std::string OnnxBuilder::NewName() {
  const std::string base =
      node_ == nullptr || node_->outputs.empty() ? "constant" : node_->outputs[0];
  return fmt::format("{}/{}", base, ++serial_);
}

}  // namespace dlpu
