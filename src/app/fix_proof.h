// SPDX-License-Identifier: Apache-2.0
// Proving that two graphs compute the same: the inputs to compare on, running, comparing. Used by
// fix.cc. One thread at a time.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "ir/graph.h"
#include "passes/rewrite.h"
#include "run/runner.h"

namespace dlpu {

using TensorBytes = std::vector<std::vector<uint8_t>>;  // of all inputs, or outputs, of a graph

// One set of inputs for each run: all lowest, all zero, all highest, then `random` at random.
// Lowest and highest are codes; for float -1 and 1 (random ones lie between); other types than
// those of images stay zero.
std::vector<TensorBytes> ProofInputs(const Graph& graph, int random, uint32_t seed);

struct RunSettings {
  Profile profile = Profile::kTfliteReference;
  int threads = 0;
};
// Outputs of the graph for every set of inputs.
Result<std::vector<TensorBytes>> RunAll(const Graph& graph, const std::vector<TensorBytes>& inputs,
                                        const RunSettings& settings);

// The old outputs, made of a changed graph's inputs and outputs as `detached` says. A tail without
// nodes: the outputs are the old ones.
Result<std::vector<TensorBytes>> OldOutputs(const Detached& detached,
                                            const std::vector<TensorBytes>& inputs,
                                            const std::vector<TensorBytes>& outputs,
                                            const RunSettings& settings);

// Where two lists of outputs differ first: "output 1 differs in byte 17 of run 3"; empty: nowhere.
std::string FirstDifference(const std::vector<TensorBytes>& a, const std::vector<TensorBytes>& b);

}  // namespace dlpu
