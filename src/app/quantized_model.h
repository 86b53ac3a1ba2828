// SPDX-License-Identifier: Apache-2.0
// A model as `dlpu quantize` would write it, kept in memory. Plain values; any thread.
#pragma once

#include <string>

#include "app/quantize.h"
#include "base/result.h"

namespace dlpu {

struct QuantizedModel {
  LoadedModel model;  // its path is a file name, to be written by whoever wants the file
  QuantizeReport report;
  std::string recipe;  // TOML
};

// As Quantize.
Result<QuantizedModel> MakeQuantizedModel(const LoadedModel& model,
                                          const QuantizeSettings& settings,
                                          const CalibrationSet& set, int threads,
                                          const QuantizeProgress& progress = nullptr,
                                          Observations* shared = nullptr);

}  // namespace dlpu
