// SPDX-License-Identifier: Apache-2.0
// Pass: tensors that nothing refers to go, and the others are numbered anew.
#include <vector>

#include "passes/compile.h"

namespace dlpu {

void DropUnusedTensors(Graph& graph) {
  std::vector<bool> used(graph.tensors.size(), false);
  const auto mark = [&](const std::vector<TensorId>& ids) {
    for (const TensorId id : ids) {
      if (id != kNoTensor) used[id] = true;
    }
  };
  mark(graph.inputs);
  mark(graph.outputs);
  for (const Node& node : graph.nodes) {
    mark(node.inputs);
    mark(node.outputs);
    mark(node.intermediates);
  }
  std::vector<TensorId> number(graph.tensors.size(), kNoTensor);
  std::vector<Tensor> kept;
  for (size_t i = 0; i < used.size(); ++i) {
    if (!used[i]) continue;
    number[i] = static_cast<TensorId>(kept.size());
    kept.push_back(std::move(graph.tensors[i]));
  }
  graph.tensors = std::move(kept);
  const auto renumber = [&](std::vector<TensorId>& ids) {
    for (TensorId& id : ids) id = id == kNoTensor ? kNoTensor : number[id];
  };
  renumber(graph.inputs);
  renumber(graph.outputs);
  for (Node& node : graph.nodes) {
    renumber(node.inputs);
    renumber(node.outputs);
    renumber(node.intermediates);
  }
}

}  // namespace dlpu
