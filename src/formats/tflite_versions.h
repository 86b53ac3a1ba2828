// SPDX-License-Identifier: Apache-2.0
// The op versions of TensorFlow Lite: the lowest that means the same for a node's types, shapes and
// attributes. An older runtime refuses a version it does not know even when the node uses nothing
// new. Source: tensorflow/lite/tools/versioning/op_version.cc, by which converters choose versions.
// Pure; any thread.
#pragma once

#include <optional>
#include <string>

#include "ir/graph.h"

namespace dlpu {

struct LowestVersion {
  int version = 1;
  std::string needs;  // what a lower one lacks: "int8 tensors"; empty at the op's first version
};

// Nothing for custom and unknown ops, and where TensorFlow's own rules are not settled (integer
// convolutions of 16-bit inputs, LSTM).
std::optional<LowestVersion> LowestVersionOf(const Graph& graph, const Node& node);

}  // namespace dlpu
