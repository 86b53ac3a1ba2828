// SPDX-License-Identifier: Apache-2.0
// Why an application's input tensor differs from the reference: a model that works on the PC and
// not in the application is most often fed something else. Pure functions; any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "vision/input.h"

namespace dlpu {

// Distance of two tensors in codes, or for float inputs in pixel steps (differences times std).
struct InputDistance {
  double mean = 0;
  double largest = 0;
  double equal = 0;  // share of values that are the same, 0..1
};

struct InputExplanation {
  std::string cause;       // "red and blue are exchanged"
  InputDistance distance;  // what remains if the cause is undone
};

struct InputReport {
  InputDistance distance;
  // Causes that leave at most half of the mean distance, the best first; empty if the tensors are
  // equal or nothing known explains the difference.
  std::vector<InputExplanation> causes;
};

// theirs: the application's tensor for `picture`, of the size `spec` asks for. Tried, alone and
// in pairs: exchanged channels, other filter and fit, other layout, other or doubled
// normalisation, uint8 codes in an int8 tensor, pictures upside down or mirrored, YUV read with
// another colour matrix or range (of pictures above a million pixels alone), ignored row padding.
// Errors: those of MakeModelInput, a tensor of another size (with a guess which type or size it
// fits).
Result<InputReport> ExplainInput(const Image& picture, const InputSpec& spec,
                                 std::span<const uint8_t> theirs);

}  // namespace dlpu
