// SPDX-License-Identifier: Apache-2.0
// Rewrite: what runs on the camera's CPU at the end is taken off the model.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "passes/rewrite.h"
#include "target/partition.h"

namespace dlpu {
namespace {

bool HasWeights(Op op) {
  switch (op) {
    case Op::kConv2d:
    case Op::kDepthwiseConv2d:
    case Op::kFullyConnected:
    case Op::kTransposeConv:
    case Op::kConvolution2dTransposeBias:
    case Op::kUnidirectionalSequenceLstm:
    case Op::kBatchMatmul:
      return true;
    default:
      return false;
  }
}

// Nodes on the CPU that come after a DLPU node on some way and before one on none.
std::vector<int> TailOf(const Graph& graph, const Partition& partition, const Uses& uses) {
  const size_t n = graph.nodes.size();
  using Where = Support::Where;
  const auto on_dlpu = [&](size_t i) { return partition.nodes[i].where == Where::kDlpu; };
  std::vector<bool> after(n, false), before(n, false);
  for (size_t i = 0; i < n; ++i) {
    for (const TensorId id : graph.nodes[i].inputs) {
      const int writer = id == kNoTensor ? -1 : uses.writer[static_cast<size_t>(id)];
      if (writer < 0) continue;
      const auto w = static_cast<size_t>(writer);
      after[i] = after[i] || after[w] || on_dlpu(w);
    }
  }
  for (size_t i = n; i-- > 0;) {
    for (const TensorId id : graph.nodes[i].outputs) {
      for (const int reader : uses.readers[static_cast<size_t>(id)]) {
        const auto r = static_cast<size_t>(reader);
        before[i] = before[i] || before[r] || on_dlpu(r);
      }
    }
  }
  std::vector<int> tail;
  for (size_t i = 0; i < n; ++i) {
    const bool known = partition.nodes[i].where != Where::kUnknown;
    if (known && !on_dlpu(i) && after[i] && !before[i]) tail.push_back(static_cast<int>(i));
  }
  return tail;
}

std::string OpsText(const Graph& graph, const std::vector<int>& nodes) {
  std::map<std::string, int> counts;
  for (const int i : nodes) ++counts[NodeOpName(graph.nodes[static_cast<size_t>(i)])];
  std::string text;
  for (const auto& [name, count] : counts) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, name);
  }
  return text;
}

}  // namespace

Detached CutPostProcessing(Graph& graph, const Target& target) {
  const Partition partition = PartitionGraph(graph, target);
  const std::vector<int> tail = TailOf(graph, partition, FindUses(graph));
  if (tail.empty()) return {};
  const std::string first = graph.nodes[static_cast<size_t>(tail[0])].name;
  const std::string ops = OpsText(graph, tail);
  for (const int i : tail) {
    const Node& node = graph.nodes[static_cast<size_t>(i)];
    if (!HasWeights(node.op)) continue;
    Detached nothing;
    nothing.rewrites.left.push_back(
        {first, fmt::format("{} run on the CPU at the end, but {} '{}' among them is no "
                            "post-processing: it has weights",
                            ops, NodeOpName(node), node.name)});
    return nothing;
  }
  Detached detached = Detach(graph, tail);
  detached.rewrites.done.push_back(
      {first, fmt::format("{} cut off, which the CPU would run", ops)});
  return detached;
}

}  // namespace dlpu
