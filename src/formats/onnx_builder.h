// SPDX-License-Identifier: Apache-2.0
// OnnxBuilder: what the rules of the ONNX reader build a Graph with. A rule is a function that sees
// one ONNX node and emits IR nodes. The first error sticks: later calls do nothing and Set returns
// it, so that rules read like formulas. Constants are computed at once. One thread.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "formats/onnx.h"
#include "formats/onnx_graph.h"
#include "ir/permute.h"

namespace dlpu {

class OnnxBuilder;
using OnnxRule = Status (*)(OnnxBuilder&);

// One row for each ONNX op: its name, its rule, and what documentation says that it becomes.
struct OnnxRow {
  const char* op;
  OnnxRule rule;
  const char* becomes;
};

// The type a tensor of the ONNX type has in the IR; kOther for one that has none.
DataType FromOnnxType(OnnxType type);

class OnnxBuilder {
 public:
  OnnxBuilder(const OnnxReadOptions& options, int64_t opset) : options_(options), opset_(opset) {}

  Graph& graph() { return graph_; }
  int64_t opset() const { return opset_; }

  // The reader's side: names of ONNX values, and the node that a rule is about to see.
  void Begin(const OnnxNode& node);
  Status status() const;
  bool Knows(const std::string& value) const { return values_.contains(value); }
  TensorId Find(const std::string& value) const;  // kNoTensor when there is none
  void Define(const std::string& value, TensorId id) { values_[value] = id; }
  Result<TensorId> AddInitializer(const OnnxTensor& tensor);

  // The node.
  const OnnxNode& node() const { return *node_; }
  size_t input_count() const { return node_->inputs.size(); }
  bool has(size_t i) const { return i < input_count() && !node_->inputs[i].empty(); }
  // REQUIRES: has(i).
  TensorId in(size_t i) const { return inputs_[i]; }
  bool wants(size_t output) const {
    return output < node_->outputs.size() && !node_->outputs[output].empty();
  }
  bool HasAttribute(const std::string& name) const { return node_->attributes.contains(name); }
  int64_t Int(const std::string& name, int64_t otherwise) const;
  float Float(const std::string& name, float otherwise) const;
  std::string String(const std::string& name, const std::string& otherwise) const;
  std::vector<int64_t> Ints(const std::string& name) const;  // empty when not stated
  const OnnxTensor* TensorAttribute(const std::string& name) const;

  // Tensors. An id of a failed call gives an empty tensor.
  const Tensor& tensor(TensorId id) const;
  const Shape& shape(TensorId id) const { return tensor(id).shape; }
  DataType type(TensorId id) const { return tensor(id).type; }
  size_t rank(TensorId id) const { return shape(id).size(); }
  bool IsConstant(TensorId id) const { return tensor(id).is_constant; }
  // The values of a constant of any number type. An error (that sticks) when it is computed.
  std::vector<int64_t> ConstantInts(TensorId id);
  std::vector<float> ConstantFloats(TensorId id);
  // axis in [-rank, rank) as [0, rank); an error otherwise.
  int32_t Axis(int64_t axis, size_t rank);

  // Constants.
  TensorId IntConstant(const std::vector<int32_t>& values, Shape shape);
  TensorId IntList(const std::vector<int32_t>& values);  // of one dimension
  TensorId IntScalar(int32_t value) { return IntConstant({value}, {}); }
  TensorId LongConstant(const std::vector<int64_t>& values, Shape shape);
  TensorId FloatConstant(const std::vector<float>& values, Shape shape);
  TensorId FloatScalar(float value) { return FloatConstant({value}, {}); }
  // `value` in the type and as a scalar.
  TensorId Scalar(DataType type, double value);

  // Nodes. The first output's type is the first input's unless stated.
  TensorId Emit(Op op, std::vector<TensorId> inputs, Attrs attrs);
  TensorId Emit(Op op, std::vector<TensorId> inputs) { return Emit(op, inputs, DefaultAttrs(op)); }
  // `types` of all outputs; `quantizations` of the outputs when given.
  std::vector<TensorId> EmitMany(Op op, std::vector<TensorId> inputs, Attrs attrs,
                                 const std::vector<DataType>& types,
                                 const Quantization& quantization = {});
  TensorId Reshape(TensorId id, Shape shape);  // the same tensor when nothing changes
  TensorId Transpose(TensorId id, const Permutation& perm);
  TensorId Cast(TensorId id, DataType type);
  // A weight with its axes in another order: of a constant or of a constant that is dequantized.
  TensorId TransposeWeights(TensorId id, const Permutation& perm);
  // The constant behind a weight: itself, or what a DEQUANTIZE reads; kNoTensor when neither.
  TensorId ConstantBehind(TensorId id) const;
  // ADD, SUB, MUL, DIV, MAXIMUM, ... Integer types that the op lacks are computed as int32.
  TensorId Binary(Op op, TensorId a, TensorId b);
  TensorId Unary(Op op, TensorId x) { return Emit(op, {x}); }
  TensorId Reduce(Op op, TensorId x, const std::vector<int32_t>& axes, bool keep_dims);

  // Binds the node's output to a tensor, and ends the rule.
  Status Set(size_t output, TensorId id);
  Status Set(TensorId id) { return Set(0, id); }

  // Errors; what they say follows "Conv 'name': ".
  Error Invalid(const std::string& message) const;
  Error Unsupported(const std::string& message) const;
  // Keeps the error for Set.
  TensorId Fail(Error error);

 private:
  TensorId AddTensor(Tensor tensor);
  template <typename T>
  TensorId AddConstant(const std::vector<T>& values, Shape shape);
  bool Run(const Node& node);
  std::string NewName();

  const OnnxReadOptions& options_;
  const int64_t opset_;
  Graph graph_;
  std::map<std::string, TensorId> values_;
  std::map<TensorId, size_t> producer_;  // node that writes a tensor
  const OnnxNode* node_ = nullptr;
  std::vector<TensorId> inputs_;
  size_t first_own_tensor_ = 0;  // tensors from here on belong to the current node
  int serial_ = 0;
  std::optional<Error> error_;
};

// The families; each is one file onnx_<family>.cc.
std::span<const OnnxRow> OnnxConvRows();
std::span<const OnnxRow> OnnxPoolRows();
std::span<const OnnxRow> OnnxMatMulRows();
std::span<const OnnxRow> OnnxMathRows();
std::span<const OnnxRow> OnnxActivationRows();
std::span<const OnnxRow> OnnxNormRows();
std::span<const OnnxRow> OnnxReduceRows();
std::span<const OnnxRow> OnnxShapeRows();
std::span<const OnnxRow> OnnxSliceRows();
std::span<const OnnxRow> OnnxIndexRows();
std::span<const OnnxRow> OnnxResizeRows();
std::span<const OnnxRow> OnnxQuantRows();
std::span<const OnnxRow> OnnxRecurrentRows();
std::span<const OnnxRow> OnnxEinsumRows();

}  // namespace dlpu
