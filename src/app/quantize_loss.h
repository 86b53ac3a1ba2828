// SPDX-License-Identifier: Apache-2.0
// How far the outputs of two graphs with the same float inputs and outputs are apart. Any thread.
#pragma once

#include <vector>

#include "app/calibration_set.h"
#include "app/quantize.h"
#include "base/result.h"

namespace dlpu {

struct LossRequest {
  const LoadedModel& model;  // whose pictures' preparation counts
  const InputOptions& input;
  const CalibrationSet& set;
  const std::vector<size_t>& samples;  // of the set
  int threads = 0;
};

// One entry for each float32 output of `reference`, in order; an output of `other` that is not
// float32 is left out.
Result<std::vector<OutputLoss>> MeasureLosses(const Graph& reference, const Graph& other,
                                              const LossRequest& request);

}  // namespace dlpu
