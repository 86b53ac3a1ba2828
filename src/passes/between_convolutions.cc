// SPDX-License-Identifier: Apache-2.0
// Counts what layout propagation left where it matters most.
#include <vector>

#include "passes/layout.h"

namespace dlpu {
namespace {

bool IsConvolution(Op op) {
  return op == Op::kConv2d || op == Op::kDepthwiseConv2d || op == Op::kTransposeConv;
}

// Marks the tensors `to` of a convolution and of all that follows it through `from`. A product of
// two computed matrices ends the way: what transposes its operands is attention's own.
template <typename From, typename To>
void Spread(const Node& node, const From& from, const To& to, std::vector<bool>& marked) {
  bool any = IsConvolution(node.op);
  if (node.op != Op::kBatchMatmul) {
    for (const TensorId id : from) any = any || (id != kNoTensor && marked[id]);
  }
  for (const TensorId id : to) {
    if (id != kNoTensor && any) marked[id] = true;
  }
}

}  // namespace

int TransposesBetweenConvolutions(const Graph& graph) {
  std::vector<bool> after(graph.tensors.size(), false), before(graph.tensors.size(), false);
  for (const Node& node : graph.nodes) Spread(node, node.inputs, node.outputs, after);
  for (auto node = graph.nodes.rbegin(); node != graph.nodes.rend(); ++node) {
    Spread(*node, node->outputs, node->inputs, before);
  }
  int count = 0;
  for (const Node& node : graph.nodes) {
    if (node.op != Op::kTranspose || node.inputs.empty() || node.outputs.empty()) continue;
    count += after[node.inputs[0]] && before[node.outputs[0]] ? 1 : 0;
  }
  return count;
}

}  // namespace dlpu
