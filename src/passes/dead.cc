// SPDX-License-Identifier: Apache-2.0
// Pass: what contributes to no output goes.
#include <algorithm>
#include <vector>

#include "passes/compile.h"

namespace dlpu {

void RemoveDead(Graph& graph) {
  std::vector<bool> used(graph.tensors.size(), false);
  for (const TensorId id : graph.outputs) used[id] = true;
  std::vector<Node> kept;
  for (auto node = graph.nodes.rbegin(); node != graph.nodes.rend(); ++node) {
    const auto is_used = [&](TensorId id) { return used[id] || graph.tensors[id].is_variable; };
    // A node that updates a variable (the state of an LSTM) stays as well.
    const auto updates = [&](TensorId id) {
      return id != kNoTensor && graph.tensors[id].is_variable;
    };
    if (!std::any_of(node->outputs.begin(), node->outputs.end(), is_used) &&
        !std::any_of(node->inputs.begin(), node->inputs.end(), updates)) {
      continue;
    }
    for (const TensorId id : node->inputs) {
      if (id != kNoTensor) used[id] = true;
    }
    for (const TensorId id : node->intermediates) {  // their scales are what the node reads
      if (id != kNoTensor) used[id] = true;
    }
    kept.push_back(std::move(*node));
  }
  std::reverse(kept.begin(), kept.end());
  graph.nodes = std::move(kept);
  for (size_t i = 0; i < used.size(); ++i) {
    if (!used[i]) graph.tensors[i].data = {};
    if (!used[i] && graph.tensors[i].is_constant) {
      graph.tensors[i].is_constant = false;
      graph.tensors[i].shape = {0};
      graph.tensors[i].quantization = {};
    }
  }
}

}  // namespace dlpu
