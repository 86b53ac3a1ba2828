// SPDX-License-Identifier: Apache-2.0
// Rewrite: post-processing that has no integer form is taken off a float model that is to be
// quantized.
#include <fmt/format.h>

#include <algorithm>

#include "ops/op.h"
#include "passes/quantize_plan.h"
#include "passes/rewrite.h"

namespace dlpu {
namespace {

bool HasWeights(const Graph& graph, const Node& node) {
  if (node.op == Op::kUnknown) return false;
  const int weights = GetOp(node.op).quantize.value.weights;
  return node.op == Op::kUnidirectionalSequenceLstm ||
         (weights >= 0 && static_cast<size_t>(weights) < node.inputs.size() &&
          node.inputs[static_cast<size_t>(weights)] != kNoTensor &&
          graph.tensors[static_cast<size_t>(node.inputs[static_cast<size_t>(weights)])]
              .is_constant);
}

// For each node whether something of `marked` comes before it (or it is marked itself).
std::vector<bool> Behind(const Graph& graph, const Uses& uses, std::vector<bool> marked) {
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    for (const TensorId id : graph.nodes[i].inputs) {
      const int writer = id == kNoTensor ? -1 : uses.writer[static_cast<size_t>(id)];
      if (writer >= 0 && marked[static_cast<size_t>(writer)]) marked[i] = true;
    }
  }
  return marked;
}

}  // namespace

Detached CutFloatTail(Graph& graph, QuantScheme scheme) {
  QuantizeOptions options;
  options.scheme = scheme;
  const NodeForms forms = ChooseForms(graph, options);
  const size_t n = graph.nodes.size();
  std::vector<bool> layers(n), no_form(n);
  for (size_t i = 0; i < n; ++i) {
    layers[i] = HasWeights(graph, graph.nodes[i]);
    no_form[i] = forms[i] == DataType::kFloat32 && !layers[i];
  }
  const Uses uses = FindUses(graph);
  const std::vector<bool> after_layers = Behind(graph, uses, layers);
  for (size_t i = 0; i < n; ++i) no_form[i] = no_form[i] && after_layers[i];
  // A node that a layer follows is in the middle of the model.
  std::vector<bool> middle = layers;
  for (size_t i = n; i-- > 0;) {
    for (const TensorId id : graph.nodes[i].outputs) {
      for (const int reader : uses.readers[static_cast<size_t>(id)]) {
        if (middle[static_cast<size_t>(reader)]) middle[i] = true;
      }
    }
  }
  for (size_t i = 0; i < n; ++i) no_form[i] = no_form[i] && !middle[i];
  const std::vector<bool> tail = Behind(graph, uses, no_form);
  std::vector<int> nodes;
  std::string ops;
  for (size_t i = 0; i < n; ++i) {
    if (!tail[i]) continue;
    nodes.push_back(static_cast<int>(i));
    if (no_form[i]) ops += fmt::format("{}{}", ops.empty() ? "" : ", ", NodeOpName(graph.nodes[i]));
  }
  if (nodes.empty()) return {};
  const std::string first = graph.nodes[static_cast<size_t>(nodes[0])].name;
  Detached detached = Detach(graph, nodes);
  detached.rewrites.done.push_back(
      {first, fmt::format("cut off with what follows ({} nodes): {} compute{} in float32 only",
                          nodes.size(), ops, ops.find(',') == std::string::npos ? "s" : "")});
  return detached;
}

}  // namespace dlpu
