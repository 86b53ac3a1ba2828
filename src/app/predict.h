// SPDX-License-Identifier: Apache-2.0
// Predicting how long a compiled model takes on a camera: what check, port and predict share. The
// numbers come from target/cost; this adds what the user measured on a product. Any thread.
#pragma once

#include <string>
#include <vector>

#include "app/model.h"
#include "base/result.h"
#include "ir/program.h"
#include "target/cost/predict.h"
#include "target/products.h"
#include "target/target.h"

namespace dlpu {

// The program whose time is predicted: compiled for the target, with its engines; of a model that
// must be quantized first, or that the target refuses, one that says nothing of engines.
Result<Program> ProgramToPrice(const LoadedModel& model, const ModelOptions& options,
                               const Target& target);

// The time of `program` on `target`: total, 90 % interval, parts, assumptions. A program compiled
// for this target runs each step where it says; of any other program every step is taken to run on
// the accelerator, but the detection post-process and what has a float side. With a product in
// `options`, its user's own measurements (see SaveUserFactor) are used. An error when the program
// holds a vendor's compiled binary, whose layers nobody can see.
Result<Prediction> Predict(const Program& program, const Target& target,
                           const PredictOptions& options = {});

// The total time in milliseconds by the formula alone, so that variants of a known network can be
// compared with each other. `model` says what the graph was made of.
Result<double> FormulaMs(const Graph& graph, const LoadedModel& model, const Target& target,
                         const PredictOptions& options);

// The options with what the user measured on their product, if anything.
Result<PredictOptions> WithUserFactor(const Target& target, PredictOptions options);

// How the target's cost model prices fallbacks.
FallbackPricing PricingOf(const Target& target);

// The workload that Predict prices.
Result<Workload> WorkloadFor(const Program& program, const Target& target);

// A way to run a model on the product whose time nobody has measured: shown as not available.
struct UnknownTime {
  std::string device, says;
};
// Devices of the target (and, for a product without a DLPU, of its SoC) that no data covers.
std::vector<UnknownTime> UnknownTimes(const Target& target, const std::vector<Target>& targets,
                                      const Product* product);

}  // namespace dlpu
