// SPDX-License-Identifier: Apache-2.0
// What `dlpu inspect` shows of a model, as text and as JSON. Pure functions; any thread.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "ir/graph.h"
#include "ir/program.h"
#include "run/runner.h"

namespace dlpu {

// Version of every JSON document that dlpu writes; docs/json.md describes the fields.
inline constexpr int kJsonSchemaVersion = 1;

// What is known of the file itself.
struct SourceInfo {
  std::string path, sha256;
  int64_t bytes = 0;
};

// Inputs, outputs, counts of ops, sizes; `program` is null when the model does not compile.
std::string InspectText(const SourceInfo& source, const Graph& graph, const Program* program);
nlohmann::ordered_json InspectJson(const SourceInfo& source, const Graph& graph,
                                   const Program* program);

// One line for each node: op, name, output, attributes that matter, MACs.
std::string LayersText(const Program& program);
// The memory plan: when each tensor lives and where it lies.
std::string MemoryText(const Program& program);
// The kernel row of each step, and which CPU features are there.
std::string KernelsText(const Runner& runner);

// "uint8, scale 0.0078125, zero point 128"; "float32".
std::string TypeText(const Tensor& tensor);
// {"name", "type", "shape", "scale", "zero_point"}.
nlohmann::ordered_json TensorJson(const Tensor& tensor);
struct ModelTotals {
  int64_t macs = 0, parameter_bytes = 0, arena_bytes = 0;
};
ModelTotals TotalsOf(const Program& program);

}  // namespace dlpu
