// SPDX-License-Identifier: Apache-2.0
// The case builder and the registry of generators.
#include "cases.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "base/check.h"
#include "ops/op.h"

namespace dlpu::peer {
namespace {

std::vector<Generator>& Registry() {
  static std::vector<Generator> generators;
  return generators;
}

}  // namespace

TensorId CaseBuilder::AddTensor(const char* kind, DataType type, Shape shape,
                                Quantization quantization) {
  Tensor tensor;
  tensor.name = fmt::format("{}{}", kind, graph_.tensors.size());
  tensor.type = type;
  tensor.shape = std::move(shape);
  tensor.quantization = std::move(quantization);
  graph_.tensors.push_back(std::move(tensor));
  return static_cast<TensorId>(graph_.tensors.size()) - 1;
}

TensorId CaseBuilder::Input(DataType type, Shape shape, Quantization quantization, double limit) {
  const int64_t zero = quantization.present() ? quantization.zero0() : 0;
  Bytes data = RandomData(random_, type, ElementCount(shape), limit, zero);
  return InputData(type, std::move(shape), std::move(data), std::move(quantization));
}

TensorId CaseBuilder::InputData(DataType type, Shape shape, Bytes data, Quantization quantization) {
  DLPU_CHECK(static_cast<int64_t>(data.size()) == ByteCount(type, shape));
  const TensorId id = AddTensor("input", type, std::move(shape), std::move(quantization));
  graph_.inputs.push_back(id);
  inputs_.push_back(std::move(data));
  return id;
}

TensorId CaseBuilder::Constant(DataType type, Shape shape, Bytes data, Quantization quantization) {
  DLPU_CHECK(static_cast<int64_t>(data.size()) == ByteCount(type, shape));
  const TensorId id = AddTensor("constant", type, std::move(shape), std::move(quantization));
  graph_.tensors[id].is_constant = true;
  graph_.tensors[id].data = std::move(data);
  return id;
}

TensorId CaseBuilder::RandomConstant(DataType type, Shape shape, Quantization quantization,
                                     double limit) {
  Bytes data = RandomData(random_, type, ElementCount(shape), limit);
  return Constant(type, std::move(shape), std::move(data), std::move(quantization));
}

TensorId CaseBuilder::Ints(const std::vector<int32_t>& values) {
  return Constant(DataType::kInt32, {static_cast<int32_t>(values.size())}, BytesOf(values));
}

TensorId CaseBuilder::Scalar(int32_t value) {
  return Constant(DataType::kInt32, {}, BytesOf(std::vector<int32_t>{value}));
}

TensorId CaseBuilder::ScalarFloat(float value) {
  return Constant(DataType::kFloat32, {}, BytesOf(std::vector<float>{value}));
}

TensorId CaseBuilder::Computed(DataType type, Quantization quantization) {
  return AddTensor("output", type, {}, std::move(quantization));
}

void CaseBuilder::Add(Op op, std::vector<TensorId> inputs, std::vector<TensorId> outputs,
                      Attrs attrs) {
  Node node;
  node.op = op;
  node.name = outputs.empty() ? "node" : graph_.tensors[outputs[0]].name;
  node.inputs = std::move(inputs);
  node.outputs = std::move(outputs);
  node.attrs = std::move(attrs);
  const auto specs = InferOutputs(OpContext(graph_.tensors, node));
  if (specs.ok()) {
    for (size_t i = 0; i < specs->size() && i < node.outputs.size(); ++i) {
      graph_.tensors[node.outputs[i]].shape = (*specs)[i].shape;
    }
  }
  graph_.nodes.push_back(std::move(node));
}

Case CaseBuilder::Finish(Op op, std::vector<TensorId> inputs, DataType output,
                         Quantization quantization, Attrs attrs) {
  const TensorId id = Computed(output, std::move(quantization));
  Add(op, std::move(inputs), {id}, std::move(attrs));
  return Finish({id});
}

Case CaseBuilder::Finish(std::vector<TensorId> outputs) {
  graph_.outputs = std::move(outputs);
  return Case{"", std::move(graph_), std::move(inputs_)};
}

const std::vector<Generator>& Generators() {
  std::vector<Generator>& all = Registry();
  static const bool sorted = [&all] {
    std::sort(all.begin(), all.end(), [](const Generator& a, const Generator& b) {
      return std::tie(a.family, a.name) < std::tie(b.family, b.name);
    });
    return true;
  }();
  DLPU_CHECK(sorted);
  return all;
}

Case MakeCase(const Generator& generator, uint64_t seed, uint64_t index) {
  Random random(SeedOf(generator.name, seed, index));
  Case result = generator.make(random);
  result.name = fmt::format("{}/{}/{}", generator.family, generator.name, index);
  result.graph.name = result.name;
  return result;
}

Registration::Registration(std::string_view family, std::string_view name, Case (*make)(Random&)) {
  Registry().push_back({family, name, make});
}

}  // namespace dlpu::peer
