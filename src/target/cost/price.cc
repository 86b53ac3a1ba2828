// SPDX-License-Identifier: Apache-2.0
// The one formula; see docs/cost-model.md.
#include "target/cost/price.h"

#include <algorithm>
#include <cmath>

namespace dlpu {
namespace {

EngineRates RatesOf(const CostModel& model, const CostValues& v, const PriceFactors& factors) {
  EngineRates r;
  r.bandwidth = v("bandwidth_gbs") * factors.bandwidth;
  r.per_channel = model.per_channel_is_slow ? v("per_channel_factor") : 1;
  switch (model.engine.form) {
    case EngineForm::kNone:
      break;
    case EngineForm::kTiles:
    case EngineForm::kCycles:
      r.scale = v("engine_scale") / factors.clock;
      break;
    case EngineForm::kRoofline:
      r.dense = v("dense_tmacs") * factors.clock;
      r.pointwise = v("pointwise_tmacs") * factors.clock;
      r.depthwise = v("depthwise_tmacs") * factors.clock;
      break;
    case EngineForm::kRates:
      r.dense = v("dense_ms_per_gmac") / factors.clock;
      r.pointwise = v("pointwise_ms_per_gmac") / factors.clock;
      r.depthwise = v("depthwise_ms_per_gmac") / factors.clock;
      r.other = v("other_ms_per_melement") / factors.clock;
      break;
  }
  return r;
}

CpuRates CpuRatesOf(const CostValues& v) {
  return {v("cpu_dense_ms_per_gmac"),
          v("cpu_pointwise_ms_per_gmac"),
          v("cpu_depthwise_ms_per_gmac"),
          v("cpu_other_ms_per_melement"),
          v("cpu_move_ms_per_melement"),
          v("score_ns"),
          v("pair_ns")};
}

// Bytes of the accelerator's weights as its compiler lays them out, as PlanTiles counts them.
double ParameterBytes(const Workload& workload, const TargetTiles& tiles) {
  int64_t bytes = 0;
  for (const Layer& l : workload.layers) {
    if (l.engine == Engine::kCpu) continue;
    if (l.weights == 0) {
      bytes += tiles.bytes_per_op;
      continue;
    }
    const bool depthwise = l.kind == LayerKind::kDepthwise;
    const int64_t kernel = l.kernel_h * l.kernel_w;
    const int64_t depth = depthwise ? 1 : std::max<int64_t>(1, l.weights / (kernel * l.out_c));
    bytes += LaidOutBytes(l.kernel_h, l.kernel_w, depth, l.out_c, depthwise, tiles);
  }
  return static_cast<double>(bytes);
}

// Starting the accelerator again behind layers on the CPU, and what crosses the border there.
double BorderMs(const Workload& workload, const CostValues& values) {
  if (workload.dlpu_parts <= 1) return 0;
  const double own = values("border_ms");
  return (own > 0 ? own : values("fixed_ms")) * (workload.dlpu_parts - 1) +
         values("border_ms_per_mb") * 1e-6 * static_cast<double>(workload.border_bytes);
}

}  // namespace

Priced Price(const Workload& workload, const CostModel& model, const CostValues& values,
             const PriceFactors& factors) {
  double dlpu = factors.dlpu, cpu = factors.cpu;
  if (const CostClass* c = factors.speed_class) {
    if (!c->dlpu_parameter.empty()) dlpu *= values(c->dlpu_parameter);
    if (!c->cpu_parameter.empty()) cpu *= values(c->cpu_parameter);
  }
  const EngineRates rates = RatesOf(model, values, factors);
  const CpuRates cpu_rates = CpuRatesOf(values);
  const double silu_ns = model.silu_falls_back ? values("silu_ns") : 0;
  const bool detects =
      std::ranges::any_of(workload.layers, [](const Layer& l) { return l.scores > 0; });
  Priced priced;
  priced.layers.reserve(workload.layers.size());
  for (const Layer& layer : workload.layers) {
    LayerTime time;
    if (silu_ns > 0 && layer.silu && layer.op == "MUL") {
      // A round trip to the CPU: one more start, and so much for each element.
      const double elements = silu_ns * 1e-6 * static_cast<double>(layer.output_elements);
      time = {cpu * (elements + values("border_ms")), Bound::kCpu};
    } else if (layer.engine == Engine::kCpu || model.cpu_only) {
      // The score term of the detection post-process includes reading its inputs.
      const bool counted = detects && layer.op == "DEQUANTIZE";
      time = counted ? LayerTime{0, Bound::kCpu} : CpuTime(layer, cpu_rates);
      time.ms *= cpu;
    } else {
      time = EngineTime(layer, model.engine, rates);
      time.ms *= dlpu;
    }
    priced.layers.push_back(time);
    priced.total_ms += time.ms;
  }
  if (!model.cpu_only) {
    const auto input = static_cast<double>(workload.input_bytes);
    const auto output = static_cast<double>(workload.output_bytes);
    priced.fixed_ms = dlpu * values("fixed_ms") * std::min(1, workload.dlpu_parts);
    priced.input_ms = dlpu * values("input_ms_per_mb") * 1e-6 * input;
    priced.output_ms = dlpu * values("output_ms_per_mb") * 1e-6 * output;
    priced.border_ms = dlpu * BorderMs(workload, values);
    if (model.engine.tiles.has_value()) {
      const auto cache = static_cast<double>(model.engine.tiles->cache_bytes);
      priced.parameter_bytes = ParameterBytes(workload, *model.engine.tiles);
      priced.streamed_bytes = std::max(0.0, priced.parameter_bytes - cache);
    }
    if (priced.streamed_bytes > 0) {
      priced.stream_ms =
          dlpu * priced.streamed_bytes / (values("stream_mb_s") * 1e3 * factors.bandwidth);
    }
    if (factors.end_to_end) {
      priced.around_ms = values("around_ms_per_mb") * 1e-6 * output;
    }
  }
  priced.total_ms += priced.fixed_ms;
  priced.total_ms += priced.input_ms;
  priced.total_ms += priced.output_ms;
  priced.total_ms += priced.border_ms;
  priced.total_ms += priced.stream_ms;
  priced.total_ms += priced.around_ms;
  return priced;
}

std::vector<double> Sensitivity(const Workload& workload, const CostModel& model,
                                const std::vector<double>& log_values,
                                const PriceFactors& factors) {
  constexpr double kStep = 1e-4;
  std::vector<double> slopes(log_values.size());
  std::vector<double> moved = log_values;
  for (size_t i = 0; i < log_values.size(); ++i) {
    moved[i] = log_values[i] + kStep;
    const double up = Price(workload, model, CostValues(model, moved), factors).total_ms;
    moved[i] = log_values[i] - kStep;
    const double down = Price(workload, model, CostValues(model, moved), factors).total_ms;
    moved[i] = log_values[i];
    slopes[i] = up > 0 && down > 0 ? (std::log(up) - std::log(down)) / (2 * kStep) : 0;
  }
  return slopes;
}

}  // namespace dlpu
