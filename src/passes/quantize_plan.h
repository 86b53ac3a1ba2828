// SPDX-License-Identifier: Apache-2.0
// The two decisions in front of quantizing a graph: in which type each node computes, and which
// tensors share a scale. For quantize.cc alone. Plain values; any thread.
#pragma once

#include <optional>
#include <vector>

#include "passes/quantize.h"

namespace dlpu {

// The type in which a node computes: int8, uint8, int16, float32, or kOther for a node without
// float32 tensors, which is left as it is.
using NodeForms = std::vector<DataType>;
// An integer type is given only to nodes whose kernel takes it.
NodeForms ChooseForms(const Graph& graph, const QuantizeOptions& options);

// Scale and zero point that a quantization rule prescribes for the output of an op in that type.
std::optional<Quantization> FixedOutput(Op op, DataType type);
// Inputs of the node that are float32 and not weights or bias: activations and plain constants.
std::vector<size_t> FloatInputs(const Graph& graph, const Node& node);

// Which type each float32 tensor has where it is made, and its quantization there.
struct TensorPlan {
  std::vector<DataType> types;              // float32, or the integer type of the writing node
  std::vector<Quantization> quantizations;  // of those with an integer type
};
Result<TensorPlan> PlanTensors(const Graph& graph, const TensorFacts& facts, const NodeForms& forms,
                               const QuantizeOptions& options);

}  // namespace dlpu
