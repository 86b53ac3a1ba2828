// SPDX-License-Identifier: Apache-2.0
// For unit tests of ops: builds one node with its tensors, infers, prepares and runs it. One
// OpRig is one node; it owns everything and is used by one thread.
#pragma once

#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "ops/op.h"

namespace dlpu {

class OpRig {
 public:
  OpRig(Op op, Attrs attrs) {
    node_.op = op;
    node_.name = "layer";
    node_.attrs = std::move(attrs);
  }

  // Inputs in order; a constant is also known to infer and prepare.
  template <typename T>
  OpRig& Input(Shape shape, const std::vector<T>& values, Quantization q = {}) {
    return Add(std::move(shape), values, std::move(q), false);
  }
  template <typename T>
  OpRig& Constant(Shape shape, const std::vector<T>& values, Quantization q = {}) {
    return Add(std::move(shape), values, std::move(q), true);
  }
  OpRig& Output(DataType type, Quantization q = {}) {
    Tensor tensor;
    tensor.name = "output";
    tensor.type = type;
    tensor.quantization = std::move(q);
    node_.outputs.push_back(static_cast<TensorId>(tensors_.size()));
    tensors_.push_back(std::move(tensor));
    return *this;
  }

  // Infers, prepares and runs.
  Status Run(int threads = 1) {
    DLPU_TRY(const std::vector<OutputSpec> specs, InferOutputs(OpContext(tensors_, node_)));
    DLPU_CHECK(specs.size() == node_.outputs.size());
    for (size_t i = 0; i < specs.size(); ++i) {
      Tensor& tensor = tensors_[node_.outputs[i]];
      if (tensor.type != specs[i].type) return InvalidError("the output has another type");
      tensor.shape = specs[i].shape;
    }
    const PrepareContext context(tensors_, node_, Profile::kTfliteReference, EnabledCpuFlags(),
                                 threads);
    DLPU_TRY(const PreparedOp op, PrepareOp(context));
    std::vector<const uint8_t*> inputs;
    std::vector<uint8_t*> outputs;
    for (const TensorId id : node_.inputs) inputs.push_back(bytes_[id].data());
    outputs_.clear();
    for (const TensorId id : node_.outputs) {
      const Tensor& tensor = tensors_[id];
      outputs_.emplace_back(static_cast<size_t>(ByteCount(tensor.type, tensor.shape)) + 256);
    }
    for (std::vector<uint8_t>& output : outputs_) outputs.push_back(output.data());
    std::vector<uint64_t> scratch(static_cast<size_t>(op.scratch_bytes) / 8 + 64);
    ThreadPool pool(threads);
    return op.run({inputs, outputs, reinterpret_cast<uint8_t*>(scratch.data()), pool});
  }
  // What Run said, for tests of refusals; empty when it succeeded.
  std::string Refusal() {
    const Status status = Run();
    return status.ok() ? "" : status.error().message;
  }

  const Shape& shape(size_t output = 0) const { return tensors_[node_.outputs[output]].shape; }
  // REQUIRES: Run succeeded.
  template <typename T>
  std::vector<T> values(size_t output = 0) const {
    std::vector<T> values(static_cast<size_t>(ElementCount(shape(output))));
    if (!values.empty()) {
      std::memcpy(values.data(), outputs_[output].data(), values.size() * sizeof(T));
    }
    return values;
  }

 private:
  template <typename T>
  OpRig& Add(Shape shape, const std::vector<T>& values, Quantization q, bool constant) {
    Tensor tensor;
    tensor.name = "input" + std::to_string(tensors_.size());
    tensor.type = DataTypeOf<T>::value;
    tensor.shape = std::move(shape);
    tensor.quantization = std::move(q);
    tensor.is_constant = constant;
    const auto* first = reinterpret_cast<const uint8_t*>(values.data());
    std::vector<uint8_t> bytes(first, first + values.size() * sizeof(T));
    DLPU_CHECK(static_cast<int64_t>(bytes.size()) == ByteCount(tensor.type, tensor.shape));
    if (constant) tensor.data = bytes;
    bytes.resize(bytes.size() + 256);
    bytes_.resize(tensors_.size() + 1);
    bytes_.back() = std::move(bytes);
    node_.inputs.push_back(static_cast<TensorId>(tensors_.size()));
    tensors_.push_back(std::move(tensor));
    return *this;
  }

  std::vector<Tensor> tensors_;
  std::vector<std::vector<uint8_t>> bytes_;  // of each input, with slack
  std::vector<std::vector<uint8_t>> outputs_;
  Node node_;
};

inline Quantization OneScale(float scale, int64_t zero_point) {
  Quantization q;
  q.scale = {scale};
  q.zero_point = {zero_point};
  return q;
}

}  // namespace dlpu
