// SPDX-License-Identifier: Apache-2.0
// Asks the cost model.
#include "larod/camera_times.h"

#include <fmt/format.h>

#include "larod/log.h"
#include "target/cost/layer.h"
#include "target/cost/predict.h"

namespace dlpu::larod {

CameraTimes PredictTimes(const Catalogue& catalogue, const VirtualDevice& device,
                         const Program& program) {
  const Target& target = catalogue.target;
  PredictOptions options;
  options.product = catalogue.known_product;
  const bool cpu = device.facts.engine == "cpu";
  std::vector<Engine> engines;  // empty: as the program says
  if (cpu) engines.assign(program.steps.size(), Engine::kCpu);
  FallbackPricing pricing;
  if (target.cost.has_value()) {
    pricing = {target.cost->silu_falls_back, target.cost->tail_in_output};
  }
  const Result<Prediction> prediction =
      PredictWorkload(WorkloadOf(program, engines, pricing), target, options);
  if (!prediction.ok()) {
    Log(fmt::format("{} on {} runs at this PC's speed: {}", program.name, device.info.name,
                    prediction.error().message));
    return {};
  }
  CameraTimes times{prediction->total_ms, prediction->first_load_ms, prediction->cached_load_ms};
  if (cpu) times.first_load = times.cached_load;  // nothing is compiled
  Log(fmt::format("{} on {} of {}: {:.2f} ms a job are predicted, {:.2f} to {:.2f}", program.name,
                  device.info.name, catalogue.product, prediction->total_ms, prediction->low_ms,
                  prediction->high_ms));
  return times;
}

}  // namespace dlpu::larod
