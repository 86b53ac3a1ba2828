// SPDX-License-Identifier: Apache-2.0
// The same network at other input sizes: does it still compile, how long, how much memory. Any
// thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app/model.h"
#include "base/result.h"
#include "target/cost/predict.h"
#include "target/target.h"

namespace dlpu {

struct InputSize {
  int height = 0, width = 0;
};
// "300x300,352,480x270": heights and widths; one number is a square.
Result<std::vector<InputSize>> ParseSizes(const std::string& text);

struct SizeRow {
  InputSize size;
  std::string error;  // why the graph does not take this size; empty when it does
  std::optional<Prediction> prediction;
};

// Re-infers the graph's shapes at each size. An error when its first input is no picture.
Result<std::vector<SizeRow>> SweepSizes(const LoadedModel& model, const ModelOptions& options,
                                        const Target& target, const PredictOptions& predict,
                                        const std::vector<InputSize>& sizes);

// The model compiled for a target, and its prediction.
Result<Prediction> PredictModel(const LoadedModel& model, const ModelOptions& options,
                                const Target& target, const PredictOptions& predict);
// The workload of the model on the target.
Result<Workload> WorkloadOfModel(const LoadedModel& model, const ModelOptions& options,
                                 const Target& target);

}  // namespace dlpu
