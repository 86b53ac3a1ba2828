// SPDX-License-Identifier: Apache-2.0
// Rewrite: divisions by constants become multiplications, which every accelerator has.
#include <cmath>
#include <cstring>
#include <optional>

#include "passes/rewrite.h"

namespace dlpu {
namespace {

// The constant's inverses; nothing where one has none in float32.
std::optional<Tensor> Inverses(const Tensor& divisor) {
  Tensor inverse = divisor;
  inverse.name += "/inverse";
  for (size_t at = 0; at + sizeof(float) <= inverse.data.size(); at += sizeof(float)) {
    float value = 0;
    std::memcpy(&value, inverse.data.data() + at, sizeof(float));
    value = 1 / value;
    if (!std::isnormal(value)) return std::nullopt;
    std::memcpy(inverse.data.data() + at, &value, sizeof(float));
  }
  return inverse;
}

}  // namespace

Rewrites MultiplyByInverses(Graph& graph) {
  Rewrites rewrites;
  for (Node& node : graph.nodes) {
    if (node.op != Op::kDiv) continue;
    const Tensor& divisor = graph.tensors[static_cast<size_t>(node.inputs[1])];
    if (!divisor.is_constant || divisor.type != DataType::kFloat32) continue;
    std::optional<Tensor> inverse = Inverses(divisor);
    if (!inverse) {
      rewrites.left.push_back({node.name, "DIV by a constant without an inverse"});
      continue;
    }
    node.op = Op::kMul;
    node.version = 1;
    node.inputs[1] = static_cast<TensorId>(graph.tensors.size());
    graph.tensors.push_back(*std::move(inverse));
    rewrites.done.push_back({node.name, "DIV by a constant is MUL by its inverse"});
  }
  return rewrites;
}

}  // namespace dlpu
