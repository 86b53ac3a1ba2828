// SPDX-License-Identifier: Apache-2.0
// The text form of a Graph: a line for each tensor and node, for people to read, for golden files
// and for tests of passes. Pure functions; any thread.
//
//   dlpu-graph 1
//   name "tiny"
//   tensor %0 "input" int8 1x4x4x3 scale=[0.5] zero=[-128]
//   tensor %1 "weights" int8 2x1x1x3 scale=[0.25,0.125] zero=[0,0] const=hex:0102030405ff
//   tensor %2 "relu" int8 1x4x4x2 scale=[1] zero=[-128]
//   node CONV_2D "relu" (%0 %1 -) -> (%2) version=3 {padding=valid activation=relu}
//   inputs (%0)
//   outputs (%2)
//
// Tensors are numbered in order and come before the nodes that use them; "-" is an optional input
// that is left out. Attributes with their default value are not printed. Lines that are empty or
// begin with "#" are skipped. Everything in a Graph has a place: what is printed parses to the
// same Graph, bit for bit (but for the payload of a NaN).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "ir/graph.h"

namespace dlpu {

struct PrintOptions {
  // Constants with more bytes are printed as their SHA-256, which is for reading only: such a
  // text does not parse back. Negative: every constant is printed whole.
  int64_t max_constant_bytes = -1;
};

std::string PrintGraph(const Graph& graph, const PrintOptions& options = {});

// An error names the line and what was expected there. The graph is not checked further: Verify
// does that.
Result<Graph> ParseGraph(std::string_view text);

}  // namespace dlpu
