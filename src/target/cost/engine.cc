// SPDX-License-Identifier: Apache-2.0
// The engine forms.
#include "target/cost/engine.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <string>

namespace dlpu {
namespace {

int64_t Ceil(int64_t value, int64_t unit) { return (value + unit - 1) / unit; }
int64_t Up(int64_t value, int64_t unit) { return Ceil(value, unit) * unit; }

// By kind: dense, pointwise, depthwise, other.
double Pick(LayerKind kind, double dense, double pointwise, double depthwise, double other) {
  switch (kind) {
    case LayerKind::kDense:
      return dense;
    case LayerKind::kPointwise:
      return pointwise;
    case LayerKind::kDepthwise:
      return depthwise;
    case LayerKind::kOther:
      break;
  }
  return other;
}

Bound Moved(double weights, double activations) {
  return weights > activations ? Bound::kWeights : Bound::kActivations;
}

// max(multiply-accumulates / rate, bytes / bandwidth), with output channels rounded up.
LayerTime Roofline(const Layer& l, const EngineConstants& engine, const EngineRates& rates) {
  double macs = 0, weights = 0;
  double activations = static_cast<double>(l.input_elements + l.output_elements);
  if (l.kind != LayerKind::kOther) {
    const double unit = l.whole_channels ? 1 : engine.channel_multiple;
    const double padded = std::ceil(static_cast<double>(l.out_c) / unit) * unit;
    macs = static_cast<double>(l.macs) / static_cast<double>(l.out_c) * padded;
    if (l.kind != LayerKind::kDepthwise) weights = static_cast<double>(l.weights);
  } else if (l.op == "CONCATENATION" || l.op == "STRIDED_SLICE") {
    activations = 2.0 * static_cast<double>(l.output_elements);
  }
  activations *= l.element_bytes;
  const double rate = Pick(l.kind, rates.dense, rates.pointwise, rates.depthwise, 1);
  const double compute = macs / (rate * 1e9);
  const double move = (activations + weights) / (rates.bandwidth * 1e6);
  if (compute >= move) return {compute, Bound::kCompute};
  return {move, Moved(weights, activations)};
}

// Copies elements and computes nothing.
bool Moves(const Layer& layer) {
  static const std::set<std::string, std::less<>> ops = {
      "CONCATENATION", "PAD",       "PADV2",          "MIRROR_PAD",     "SLICE",
      "STRIDED_SLICE", "SPLIT",     "SPLIT_V",        "PACK",           "UNPACK",
      "TRANSPOSE",     "TILE",      "SPACE_TO_DEPTH", "DEPTH_TO_SPACE", "RESIZE_NEAREST_NEIGHBOR",
      "GATHER",        "GATHER_ND", "BROADCAST_TO"};
  return ops.contains(layer.op);
}

LayerTime Rates(const Layer& l, const EngineRates& rates) {
  if (l.kind == LayerKind::kOther) {
    return {rates.other * 1e-6 * static_cast<double>(l.output_elements), Bound::kActivations};
  }
  const double rate = Pick(l.kind, rates.dense, rates.pointwise, rates.depthwise, 0);
  return {rate * 1e-9 * static_cast<double>(l.macs), Bound::kCompute};
}

}  // namespace

std::string_view BoundName(Bound bound) {
  constexpr std::string_view kNames[] = {"compute", "weights",  "activations",
                                         "cpu",     "transfer", "fixed"};
  return kNames[static_cast<size_t>(bound)];
}

bool IsFree(const Layer& layer) {
  return layer.op == "RESHAPE" || layer.op == "SQUEEZE" || layer.op == "EXPAND_DIMS" ||
         (layer.silu && layer.op == "LOGISTIC");
}

double TileCycles(const Layer& l, const EngineConstants& engine) {
  const auto tiles = static_cast<double>(Ceil(l.out_h, 4) * Ceil(l.out_w, 4));
  const auto kernel = static_cast<double>(l.kernel_h * l.kernel_w);
  const auto depth = static_cast<double>(l.in_c / l.groups);
  if (l.kind == LayerKind::kDepthwise) {
    return engine.depthwise_weight * tiles * kernel * static_cast<double>(Up(l.out_c, 4)) / 64;
  }
  if (l.kind == LayerKind::kOther) return 0;
  if (l.op == "FULLY_CONNECTED" || (l.out_h == 1 && l.out_w == 1)) {
    const auto reads =
        l.op == "FULLY_CONNECTED" ? static_cast<double>(l.weights / l.out_c) : kernel * depth;
    return engine.pointwise_weight * reads * static_cast<double>(Ceil(l.out_c, 1024));
  }
  const double weight =
      l.kind == LayerKind::kPointwise ? engine.pointwise_weight : engine.dense_weight;
  return weight * tiles * kernel * depth * static_cast<double>(Ceil(l.out_c, 32)) / 2;
}

double LayerCycles(const Layer& l, const EngineConstants& e, Bound* bound) {
  const auto brick = static_cast<int64_t>(e.brick), group = static_cast<int64_t>(e.group);
  const auto out_pixels = static_cast<double>(Up(l.out_h, brick) * Up(l.out_w, brick));
  const auto in_pixels = static_cast<double>(Up(l.in_h, brick) * Up(l.in_w, brick));
  const auto out_c = static_cast<double>(l.whole_channels ? l.out_c : Up(l.out_c, group));
  const auto kernel = static_cast<double>(l.kernel_h * l.kernel_w);
  double compute = 0;
  if (l.kind == LayerKind::kDepthwise) {
    compute = out_pixels * kernel * out_c / (e.macs_per_cycle / e.group);
  } else if (l.kind != LayerKind::kOther) {
    const auto in_c = static_cast<double>(Up(l.in_c / l.groups, group));
    compute = out_pixels * kernel * in_c * out_c / e.macs_per_cycle;
    if (l.kernel_h == 3 && l.kernel_w == 3 && l.stride == 1) compute /= e.winograd;
  }
  const auto patch = e.patches.find(l.op);
  const double post = out_pixels / 16 * (out_c / e.group) *
                      (patch == e.patches.end() ? e.patch_cycles : patch->second);
  const double weights = e.weight_compression * static_cast<double>(l.weights);
  const double input =
      in_pixels * static_cast<double>(Up(l.in_c, group)) * static_cast<double>(l.inputs);
  double activations = input + out_pixels * out_c;
  const bool fits = activations + static_cast<double>(l.weights) < e.sram_bytes;
  if (fits || e.placed.contains(l.op)) activations = 0;
  activations *= l.element_bytes;
  const double move = (weights + activations) / e.bytes_per_cycle;
  const double cycles = std::max({compute, post, move, e.stripe_cycles});
  if (bound != nullptr) {
    *bound = cycles == e.stripe_cycles           ? Bound::kFixed
             : cycles == std::max(compute, post) ? Bound::kCompute
                                                 : Moved(weights, activations);
  }
  return cycles;
}

LayerTime EngineTime(const Layer& layer, const EngineConstants& engine, const EngineRates& rates) {
  if (IsFree(layer)) return {};
  LayerTime time;
  switch (engine.form) {
    case EngineForm::kNone:
      break;
    case EngineForm::kTiles:
      time = {rates.scale * TileCycles(layer, engine) / (engine.clock_mhz * 1e3), Bound::kCompute};
      break;
    case EngineForm::kRoofline:
      time = Roofline(layer, engine, rates);
      break;
    case EngineForm::kCycles:
      // What only moves borders or changes scales is done on the way; see the data for the tail.
      if (layer.tail || layer.op == "PAD" || layer.op == "QUANTIZE") break;
      time.ms = rates.scale * LayerCycles(layer, engine, &time.bound) / (engine.clock_mhz * 1e3);
      break;
    case EngineForm::kRates:
      time = Rates(layer, rates);
      break;
  }
  if (layer.per_channel) time.ms *= rates.per_channel;
  return time;
}

LayerTime CpuTime(const Layer& l, const CpuRates& rates) {
  if (l.scores > 0) {
    return {1e-6 * (rates.score_ns * static_cast<double>(l.scores) +
                    rates.pair_ns * static_cast<double>(l.pairs)),
            Bound::kCpu};
  }
  if (l.op == "RESHAPE" || l.op == "SQUEEZE" || l.op == "EXPAND_DIMS") return {0, Bound::kCpu};
  if (l.kind == LayerKind::kOther) {
    const double rate = rates.move > 0 && Moves(l) ? rates.move : rates.other;
    return {rate * 1e-6 * static_cast<double>(l.output_elements), Bound::kCpu};
  }
  const double rate = Pick(l.kind, rates.dense, rates.pointwise, rates.depthwise, 0);
  return {rate * 1e-9 * static_cast<double>(l.macs), Bound::kCpu};
}

}  // namespace dlpu
