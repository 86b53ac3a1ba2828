// SPDX-License-Identifier: Apache-2.0
// Engines: how long an accelerator or a CPU takes for one layer. Each form is one function of the
// layer, the target's constants and its parameters; which form a target has is data. Sources:
// tiles: estimated cycles in public compiled Edge TPU models; roofline: fitted; cycles: the
// performance estimator in ARM-software/ethos-n-driver-stack; rates: fitted. Pure functions.
#pragma once

#include <string_view>

#include "target/cost/layer.h"
#include "target/cost/model.h"

namespace dlpu {

// What a time is spent on.
enum class Bound : uint8_t { kCompute, kWeights, kActivations, kCpu, kTransfer, kFixed };
std::string_view BoundName(Bound bound);  // "compute", "weights", ...

struct LayerTime {
  double ms = 0;
  Bound bound = Bound::kCompute;
};

// Parameters of an engine, looked up once.
struct EngineRates {
  double scale = 1;                                           // engine_scale
  double dense = 0, pointwise = 0, depthwise = 0, other = 0;  // TMAC/s, or ms per GMAC (Melement)
  double bandwidth = 0;                                       // GB/s
  double per_channel = 1;                                     // factor for such weights
};

// A layer that costs nothing anywhere: moved by name only, or fused into its neighbour.
bool IsFree(const Layer& layer);

// REQUIRES: layer.engine is the accelerator, which the target has.
LayerTime EngineTime(const Layer& layer, const EngineConstants& engine, const EngineRates& rates);

// Cycles of one layer (tiles and cycles forms), before the scale; for tests and explanations.
double TileCycles(const Layer& layer, const EngineConstants& engine);
double LayerCycles(const Layer& layer, const EngineConstants& engine, Bound* bound);

// A layer on the CPU: class rates, and the detection post-process by its scores and pairs.
struct CpuRates {
  double dense = 0, pointwise = 0, depthwise = 0;  // ms per GMAC
  double other = 0;                                // ms per million output elements
  double move = 0;                                 // of what only moves them; 0: as `other`
  double score_ns = 0, pair_ns = 0;
};
LayerTime CpuTime(const Layer& layer, const CpuRates& rates);

}  // namespace dlpu
