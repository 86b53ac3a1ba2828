// SPDX-License-Identifier: Apache-2.0
// How far the outputs of two graphs with the same float inputs and outputs are apart. Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "app/calibration_set.h"
#include "app/output_reading.h"
#include "app/quantize.h"
#include "base/result.h"

namespace dlpu {

struct LossRequest {
  const LoadedModel& model;  // whose pictures' preparation counts
  const InputOptions& input;
  const CalibrationSet& set;
  const std::vector<size_t>& samples;  // of the set
  int threads = 0;
  std::vector<OutputReading> readings = {};  // parallel to outputs; empty: plain values
};

// Measures graphs against one reference, whose outputs and inputs are computed once.
class LossMeter {
 public:
  // Errors: an input that cannot be read, a graph that does not run.
  static Result<LossMeter> Make(const Graph& reference, const LossRequest& request);

  // One entry for each float32 output of the reference, in order; an output of `other` that is not
  // float32 is left out. On the first `most` samples.
  Result<std::vector<OutputLoss>> Measure(const Graph& other, size_t most = SIZE_MAX) const;

 private:
  struct Output {
    std::string name;
    bool is_float = false;
    OutputReading reading;
  };
  std::vector<Output> outputs_;
  // [sample][input]: bytes; [sample][output]: values of the reference.
  std::vector<std::vector<std::vector<uint8_t>>> inputs_;
  std::vector<std::vector<std::vector<float>>> expected_;
  // The same for weights of an output's rows; empty where all count alike.
  std::vector<std::vector<std::vector<float>>> weights_;
  int threads_ = 0;
};

}  // namespace dlpu
