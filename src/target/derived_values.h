// SPDX-License-Identifier: Apache-2.0
// Values of a node that follow from several of its parts or from its neighbours: ranges, bias
// scales, sizes (see ValueNames in condition.h). Pure functions.
#pragma once

#include <optional>
#include <string_view>

#include "ir/graph.h"
#include "target/condition.h"

namespace dlpu {

// Whether a node reads constants only, as what unpacks float16 or sparse weights: its result is
// made once, when the model is loaded, and is no activation.
bool OfConstants(const Graph& graph, const Node& node);

// Nothing for a name it does not answer, and where the value makes no sense or is not known.
std::optional<Value> DerivedValue(const Graph& graph, const Node& node, std::string_view name);

}  // namespace dlpu
