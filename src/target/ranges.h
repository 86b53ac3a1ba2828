// SPDX-License-Identifier: Apache-2.0
// Ranges of a graph's tensors as far as the graph alone tells: what their quantization can stand
// for, cut down to what the op that makes them can give (LOGISTIC: 0 to 1). Pure functions.
#pragma once

#include <optional>
#include <string>

#include "ir/graph.h"

namespace dlpu {

// A closed interval of real values.
struct ValueRange {
  double low = 0, high = 0;
  double width() const { return high - low; }
};

// Nothing when neither quantization nor ops bound the tensor. A constant's range is that of its
// values.
std::optional<ValueRange> RangeOf(const Graph& graph, TensorId id);

// "0 to 1", "-1.5 to 640".
std::string RangeText(const ValueRange& range);

// How much of its output's codes the values of one input of a joining op, or of a tensor itself,
// take.
struct CodeUse {
  TensorId tensor = kNoTensor;
  ValueRange range;
  double codes = 0;  // width of the range / scale of the output: 0.4 means one code, or two
};
// The input of a CONCATENATION or PACK that is left the fewest codes; nothing when the output is
// not 8-bit with one scale, or no input's range is known.
std::optional<CodeUse> NarrowestInput(const Graph& graph, const Node& node);
// What the tensor itself uses of its codes; nothing when that is not known.
std::optional<CodeUse> OwnCodes(const Graph& graph, TensorId id);

}  // namespace dlpu
