// SPDX-License-Identifier: Apache-2.0
// Pricing: the time of a workload under given values of the parameters, split into parts that sum
// to the total; and how far that time moves with the parameters. Pure functions.
#pragma once

#include <vector>

#include "target/cost/engine.h"
#include "target/cost/layer.h"
#include "target/cost/model.h"

namespace dlpu {

// What scales a prediction besides the parameters.
struct PriceFactors {
  const CostClass* speed_class = nullptr;  // null: all factors 1
  double dlpu = 1, cpu = 1;                // era, product, what-if
  double clock = 1, bandwidth = 1;         // what-if: of the engine alone
  bool end_to_end = false;                 // adds what an application spends around the inference
};

struct Priced {
  std::vector<LayerTime> layers;  // one for each of the workload
  double fixed_ms = 0;            // of starting the accelerator
  double input_ms = 0, output_ms = 0;
  double border_ms = 0;  // of what crosses between its parts, and of starting all but the first
  // Weights as the compiler lays them out, and those that do not fit the parameter cache.
  double parameter_bytes = 0, streamed_bytes = 0, stream_ms = 0;
  double around_ms = 0;  // only with end_to_end
  double total_ms = 0;   // of all of the above, in this order after the layers
};

Priced Price(const Workload& workload, const CostModel& model, const CostValues& values,
             const PriceFactors& factors);

// d ln(total) / d ln(parameter), for each of model.FreeNames().
std::vector<double> Sensitivity(const Workload& workload, const CostModel& model,
                                const std::vector<double>& log_values, const PriceFactors& factors);

}  // namespace dlpu
