// SPDX-License-Identifier: Apache-2.0
// Predicting a time on a camera: the price of a workload with a 90 % interval, its parts, and
// everything that was assumed. Nothing here is a bare number: what is not known is absent. Pure
// functions; any thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "target/cost/price.h"
#include "target/products.h"
#include "target/target.h"

namespace dlpu {

// A product's own factor, from its user's measurements; it takes the place of its class's.
struct UserFactor {
  double value = 1;   // of the accelerator's part (a target without one: of all), class factor 1
  double factor = 1;  // one standard deviation, as a factor
  std::string says;   // what was measured
};

// "clock=1.2x,sram=2MiB,dlpu_bandwidth=0.5x".
struct WhatIf {
  std::optional<double> clock_mhz, clock_factor;
  std::optional<double> sram_bytes, sram_factor;
  std::optional<double> bandwidth_factor;
  bool empty() const;
};
Result<WhatIf> ParseWhatIf(const std::string& text);

struct PredictOptions {
  std::optional<Product> product;  // absent: every class of the target is reported
  std::string speed_class;         // overrides the product's
  std::string os;                  // AXIS OS; empty: the newest known
  std::optional<UserFactor> user;
  WhatIf what_if;
  bool formula_only = false;  // leave out what a published time of the same network adds to it
};

struct PredictedStep {
  std::string op, name;
  Engine engine = Engine::kDlpu;
  int64_t macs = 0, input_bytes = 0, weight_bytes = 0, output_bytes = 0;
  double ms = 0;
  Bound bound = Bound::kCompute;
};

// A time that belongs to no step: fixed, input, output, borders, streaming.
struct PredictedPart {
  std::string name, says;
  double ms = 0;
  Bound bound = Bound::kFixed;
};

// Something the prediction rests on.
struct Assumption {
  std::string says, source;
  Confidence confidence = Confidence::kAssumed;
};

struct UsedParameter {
  std::string name, unit, source;
  double value = 0;
  double factor = 1;    // one standard deviation, as a factor
  double informed = 0;  // how much of the prior's variance the measurements took away, 0 to 1
  Confidence confidence = Confidence::kAssumed;
};

// The whole time for one class of products.
struct ClassTime {
  std::string speed_class, says;
  double total_ms = 0, low_ms = 0, high_ms = 0;
};

struct PredictedMemory {
  int64_t weight_bytes = 0;
  std::optional<int64_t> activation_bytes;  // with lifetimes shared as dlpu's memory plan does
  std::optional<int64_t> peak_bytes;        // of both
  // Of a parameter cache: its size, the weights as the compiler lays them out, and their two
  // shares; the same plan as PlanTiles'.
  std::optional<int64_t> cache_bytes, parameter_bytes, cached_bytes, streamed_bytes;
};

// A published time of this very network on this target.
struct MeasuredHere {
  std::string model, product;
  double ms = 0;
  bool same_product = false;  // else the prediction carries it over from that product
  std::string layers;         // the hash it was recognised by
  std::string when, source;   // releases or dates of the published times, and who published them
  int measurements = 0;       // how many there are
};

struct Prediction {
  std::string target, product, speed_class, os, era;
  double total_ms = 0, low_ms = 0, high_ms = 0;  // 90 % interval
  Confidence confidence = Confidence::kDerived;  // kAssumed where measurements do not reach
  std::vector<PredictedStep> steps;
  std::vector<PredictedPart> parts;  // with the steps they sum to total_ms
  // Apart from the steady state; absent: not known.
  std::optional<double> first_load_ms, first_load_low_ms, first_load_high_ms, cached_load_ms;
  std::optional<double> first_run_ms;
  PredictedMemory memory;
  std::vector<Assumption> assumptions;
  std::vector<Assumption> warnings;
  std::vector<UsedParameter> parameters;
  std::vector<ClassTime> classes;  // when the product's class is not known: all of them
  std::optional<MeasuredHere> measured;
  double dlpu_ms = 0, cpu_ms = 0;  // shares of total_ms
};

// Features of a workload whose measured range says where extrapolation begins.
std::map<std::string, double> FeaturesOf(const Workload& workload);

// What a network is recognised by: its list of layers and counts; the names and the time are empty.
KnownTime CountsOf(const Workload& workload);

// The fit for an era: the stored one, or the priors when there is none.
CostFit FitFor(const CostModel& model, const CostEra& era);

// The class of a product; null when it is not known.
const CostClass* ClassOf(const CostModel& model, const Product& product);

// An error when the target has no cost model, or the version of AXIS OS is unknown to it.
Result<Prediction> PredictWorkload(const Workload& workload, const Target& target,
                                   const PredictOptions& options);

}  // namespace dlpu
