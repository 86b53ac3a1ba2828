// SPDX-License-Identifier: Apache-2.0
// What the rewrites share.
#include "passes/rewrite.h"

#include <algorithm>

#include "passes/compile.h"

namespace dlpu {
namespace {

void Renumber(std::vector<TensorId>& ids, const std::vector<TensorId>& now) {
  for (TensorId& id : ids) {
    if (id != kNoTensor) id = now[static_cast<size_t>(id)];
  }
}

// Drops the tensors that are not used.
void DropTensors(Graph& graph, const std::vector<bool>& used) {
  std::vector<TensorId> now(graph.tensors.size(), kNoTensor);
  std::vector<Tensor> kept;
  for (size_t i = 0; i < used.size(); ++i) {
    if (!used[i]) continue;
    now[i] = static_cast<TensorId>(kept.size());
    kept.push_back(std::move(graph.tensors[i]));
  }
  graph.tensors = std::move(kept);
  Renumber(graph.inputs, now);
  Renumber(graph.outputs, now);
  for (Node& node : graph.nodes) {
    for (auto* ids : {&node.inputs, &node.outputs, &node.intermediates}) Renumber(*ids, now);
  }
}

}  // namespace

Uses FindUses(const Graph& graph) {
  const size_t n = graph.tensors.size();
  Uses uses{std::vector<std::vector<int>>(n), std::vector<int>(n, -1), std::vector<bool>(n, false),
            std::vector<bool>(n, false)};
  for (const TensorId id : graph.inputs) uses.is_input[static_cast<size_t>(id)] = true;
  for (const TensorId id : graph.outputs) uses.is_output[static_cast<size_t>(id)] = true;
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const int index = static_cast<int>(i);
    for (const TensorId id : graph.nodes[i].inputs) {
      if (id == kNoTensor) continue;
      auto& readers = uses.readers[static_cast<size_t>(id)];
      if (readers.empty() || readers.back() != index) readers.push_back(index);
    }
    for (const TensorId id : graph.nodes[i].outputs) uses.writer[static_cast<size_t>(id)] = index;
  }
  return uses;
}

bool ReplaceTensor(Graph& graph, TensorId to, TensorId from) {
  const Uses uses = FindUses(graph);
  const auto t = static_cast<size_t>(to), f = static_cast<size_t>(from);
  const auto redirect = [&](TensorId old_id, TensorId new_id) {
    for (const int reader : uses.readers[static_cast<size_t>(old_id)]) {
      auto& inputs = graph.nodes[static_cast<size_t>(reader)].inputs;
      std::replace(inputs.begin(), inputs.end(), old_id, new_id);
    }
  };
  const bool free = !uses.is_input[f] && !uses.is_output[f] && uses.writer[f] >= 0 &&
                    graph.tensors[t].shape == graph.tensors[f].shape;
  if (uses.is_output[t] && !free) return false;
  Node& writer = graph.nodes[static_cast<size_t>(uses.writer[t])];
  writer.inputs.clear();
  writer.outputs.clear();
  if (!uses.is_output[t]) {
    redirect(to, from);
    return true;
  }
  auto& outputs = graph.nodes[static_cast<size_t>(uses.writer[f])].outputs;
  std::replace(outputs.begin(), outputs.end(), from, to);
  redirect(from, to);
  return true;
}

void DropUnused(Graph& graph) {
  RemoveDead(graph);
  std::vector<bool> used(graph.tensors.size(), false);
  const auto mark = [&](const std::vector<TensorId>& ids) {
    for (const TensorId id : ids) {
      if (id != kNoTensor) used[static_cast<size_t>(id)] = true;
    }
  };
  mark(graph.inputs);
  mark(graph.outputs);
  for (const Node& node : graph.nodes) {
    mark(node.inputs);
    mark(node.outputs);
    mark(node.intermediates);
  }
  DropTensors(graph, used);
}

Detached Detach(Graph& graph, const std::vector<int>& nodes, const std::vector<TensorId>& order) {
  Detached result;
  std::vector<bool> gone(graph.nodes.size(), false), made_by_tail(graph.tensors.size(), false);
  for (const int i : nodes) gone[static_cast<size_t>(i)] = true;
  Graph tail = graph;
  std::vector<Node> kept;
  tail.nodes.clear();
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    (gone[i] ? tail.nodes : kept).push_back(graph.nodes[i]);
    if (!gone[i]) continue;
    for (const TensorId id : graph.nodes[i].outputs) made_by_tail[static_cast<size_t>(id)] = true;
  }
  std::vector<TensorId> outputs;
  const auto place_of = [&](TensorId id) {
    const auto found = std::find(outputs.begin(), outputs.end(), id);
    if (found != outputs.end()) return static_cast<int>(found - outputs.begin());
    outputs.push_back(id);
    return static_cast<int>(outputs.size()) - 1;
  };
  tail.inputs.clear();
  tail.outputs.clear();
  for (const TensorId id : graph.outputs) {
    if (!made_by_tail[static_cast<size_t>(id)]) {
      result.old_outputs.push_back(place_of(id));
      continue;
    }
    for (const TensorId first : order) place_of(first);
    result.old_outputs.push_back(-1 - static_cast<int>(tail.outputs.size()));
    tail.outputs.push_back(id);
  }
  for (const Node& node : tail.nodes) {
    for (const TensorId id : node.inputs) {
      if (id == kNoTensor || made_by_tail[static_cast<size_t>(id)]) continue;
      const Tensor& tensor = graph.tensors[static_cast<size_t>(id)];
      if (tensor.is_constant || tensor.is_variable) continue;
      if (std::find(tail.inputs.begin(), tail.inputs.end(), id) != tail.inputs.end()) continue;
      tail.inputs.push_back(id);
      const auto input = std::find(graph.inputs.begin(), graph.inputs.end(), id);
      result.tail_inputs.push_back(input == graph.inputs.end()
                                       ? place_of(id)
                                       : -1 - static_cast<int>(input - graph.inputs.begin()));
    }
  }
  graph.nodes = std::move(kept);
  graph.outputs = outputs;
  graph.signature_outputs.clear();
  if (!graph.signature.empty()) {
    for (const TensorId id : outputs) {
      graph.signature_outputs.push_back(graph.tensors[static_cast<size_t>(id)].name);
    }
  }
  tail.metadata.clear();
  tail.signature.clear();
  tail.signature_inputs.clear();
  tail.signature_outputs.clear();
  DropUnused(graph);
  DropUnused(tail);
  result.tail = std::move(tail);
  return result;
}

}  // namespace dlpu
