// SPDX-License-Identifier: Apache-2.0
// Rewrite: needless RESHAPEs go.
#include <fmt/format.h>

#include "passes/rewrite.h"

namespace dlpu {
namespace {

bool IsStatic(const Shape& shape) {
  for (const int32_t extent : shape) {
    if (extent < 0) return false;
  }
  return true;
}

// The new shape is written into the attributes and, where it is a constant input, is the same.
bool IsReshape(const Graph& graph, const Node& node) {
  if (node.op != Op::kReshape || node.inputs.empty() || node.outputs.size() != 1) return false;
  const Tensor& from = graph.tensors[static_cast<size_t>(node.inputs[0])];
  const Tensor& to = graph.tensors[static_cast<size_t>(node.outputs[0])];
  return IsStatic(from.shape) && IsStatic(to.shape) && from.type == to.type &&
         from.quantization == to.quantization;
}

}  // namespace

Rewrites FoldReshapes(Graph& graph) {
  Rewrites rewrites;
  const Uses uses = FindUses(graph);
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    Node& node = graph.nodes[i];
    if (!IsReshape(graph, node)) continue;
    const int before = uses.writer[static_cast<size_t>(node.inputs[0])];
    // Nodes stand in order, so the one before was already joined with its own predecessor.
    if (before >= 0 && IsReshape(graph, graph.nodes[static_cast<size_t>(before)])) {
      const Node& first = graph.nodes[static_cast<size_t>(before)];
      rewrites.done.push_back(
          {node.name, fmt::format("RESHAPE '{}' in front of it left out", first.name)});
      node.inputs[0] = first.inputs[0];
    }
    const Tensor& from = graph.tensors[static_cast<size_t>(node.inputs[0])];
    const Tensor& to = graph.tensors[static_cast<size_t>(node.outputs[0])];
    if (from.shape == to.shape && ReplaceTensor(graph, node.outputs[0], node.inputs[0])) {
      rewrites.done.push_back({node.name, "RESHAPE to the shape it had left out"});
    }
  }
  if (!rewrites.done.empty()) DropUnused(graph);
  return rewrites;
}

}  // namespace dlpu
