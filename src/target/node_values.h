// SPDX-License-Identifier: Apache-2.0
// The values of a graph's node that conditions may ask for (see ValueNames in condition.h).
#pragma once

#include "ir/graph.h"
#include "target/condition.h"

namespace dlpu {

// A lookup for one node. Refers to both; use it only while they live unchanged. Extents are those
// of the node's main input and first output; a tensor of fewer than four extents is read as
// 1 x ... x channels (batch, height, width, channel). What is not known yields nothing.
ValueLookup NodeValues(const Graph& graph, const Node& node);

}  // namespace dlpu
