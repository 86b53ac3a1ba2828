// SPDX-License-Identifier: Apache-2.0
// Which layers of a fixed-point model compute with 16-bit activations: those that touch a tensor
// which 8 bits represent too coarsely, by what calibration saw of it. Plain values; any thread.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "app/observe.h"
#include "base/result.h"
#include "ir/graph.h"
#include "passes/quantize.h"

namespace dlpu {

// A tensor and its expected signal to noise ratio in 8 bits.
struct TensorSqnr {
  std::string name;
  double sqnr_db = 0;
};

struct BitChoice {
  int tensors = 0;                        // activations that would be 8-bit codes
  std::vector<TensorSqnr> wide;           // those that need 16 bits, the worst first
  std::map<std::string, DataType> nodes;  // int16, by name: what touches them and can
};

// `options` say how the graph is quantized in 8 bits; a tensor with less than `least_db` is wide.
Result<BitChoice> ChooseBits(const Graph& graph, const Observer& observer, const TensorFacts& facts,
                             const QuantizeOptions& options, double least_db);

}  // namespace dlpu
