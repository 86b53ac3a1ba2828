// SPDX-License-Identifier: Apache-2.0
// Pass: cut a graph before an op or a layer.
#include <fmt/format.h>

#include <vector>

#include "passes/compile.h"

namespace dlpu {

Status CutAt(Graph& graph, const std::string& what) {
  size_t first = 0;
  while (first < graph.nodes.size() && NodeOpName(graph.nodes[first]) != what &&
         graph.nodes[first].name != what) {
    ++first;
  }
  if (first == graph.nodes.size()) {
    return NotFoundError(fmt::format(
        "--cut-at {}: the model has no op or layer of that name (dlpu inspect lists them)", what));
  }
  std::vector<bool> gone(graph.tensors.size(), false);
  std::vector<Node> kept;
  std::vector<TensorId> read_by_cut;
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    Node& node = graph.nodes[i];
    bool cut = i == first || NodeOpName(node) == what;
    for (const TensorId id : node.inputs) cut = cut || (id != kNoTensor && gone[id]);
    if (!cut) {
      kept.push_back(std::move(node));
      continue;
    }
    for (const TensorId id : node.outputs) gone[id] = true;
    for (const TensorId id : node.inputs) {
      if (id != kNoTensor && !graph.tensors[id].is_constant) read_by_cut.push_back(id);
    }
  }
  if (kept.empty()) {
    return InvalidError(fmt::format("--cut-at {}: nothing is left of the model", what));
  }
  std::vector<TensorId> outputs;
  std::vector<bool> listed(graph.tensors.size(), false);
  const auto add = [&](TensorId id) {
    if (gone[id] || listed[id]) return;
    listed[id] = true;
    outputs.push_back(id);
  };
  for (const TensorId id : graph.outputs) add(id);
  for (const TensorId id : graph.inputs) listed[id] = true;  // an input is no new output
  for (const TensorId id : read_by_cut) add(id);
  graph.nodes = std::move(kept);
  graph.outputs = std::move(outputs);
  graph.signature.clear();
  graph.signature_inputs.clear();
  graph.signature_outputs.clear();
  return OkStatus();
}

}  // namespace dlpu
