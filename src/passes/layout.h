// SPDX-License-Identifier: Apache-2.0
// Pass: TRANSPOSE nodes are pushed through the ops between them until they meet their inverse or
// an op that cannot take another order of axes. A tensor is kept in the order it is stored in, and
// a view says how the graph's own order comes from that; a TRANSPOSE only changes the view. A node
// for it is made when an op needs the graph's own order. One walk over the nodes; deterministic.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "ir/graph.h"
#include "ir/permute.h"

namespace dlpu {

struct LayoutOptions {
  // Pictures that come as NCHW become NHWC: a model input of four dimensions whose first spatial
  // op wants NHWC, and an output that only a transposition to NCHW separates from NHWC.
  bool nhwc_borders = true;
};

struct LayoutReport {
  int transposes_before = 0, transposes_after = 0;
  std::vector<std::string> nhwc_inputs, nhwc_outputs;  // names of those that were turned
};

// REQUIRES: shapes and types are inferred and static. Unused tensors and nodes may remain.
Result<LayoutReport> PropagateLayout(Graph& graph, const LayoutOptions& options);

// TRANSPOSE nodes that have a convolution somewhere before and somewhere after them; a
// BATCH_MATMUL ends the search, since what transposes its operands is attention's own. REQUIRES:
// nodes in the order they run. between_convolutions.cc.
int TransposesBetweenConvolutions(const Graph& graph);

// Channel shuffles of float pictures go into the weights of a convolution beside them, or become a
// 1x1 convolution. Returns how many. REQUIRES: as PropagateLayout, after it. fold_shuffle.cc.
int FoldChannelShuffles(Graph& graph);

// What the walk must know of one op; layout_rules.cc.
struct LayoutRule {
  std::vector<size_t> data;  // inputs whose axes are reordered together
  // Rewrites the node's attributes and constant inputs for inputs stored in the order `perm`
  // (graph axis d is stored axis perm[d]), and returns the order of the outputs; nullopt when the
  // op cannot take that order. Constants it needs are added to the graph.
  std::optional<Permutation> (*rewrite)(Graph& graph, Node& node, const Permutation& perm);
};
// nullopt for an op that takes only the graph's own order.
std::optional<LayoutRule> LayoutRuleOf(const Graph& graph, const Node& node);

// How a RESHAPE takes an input that is stored in the order `perm`: the order it must be stored in
// (`perm` itself unless axes that become one are apart in storage), the order of its result and the
// shape that is stored in. nullopt when the shapes have no common factors.
struct ReshapedOrder {
  Permutation before, perm;
  Shape stored;
};
std::optional<ReshapedOrder> ReshapeInOrder(const Shape& from, const Shape& to,
                                            const Permutation& perm);

}  // namespace dlpu
