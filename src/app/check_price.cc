// SPDX-License-Identifier: Apache-2.0
// Pricing placements.
#include "app/check_price.h"

#include <map>
#include <string>

#include "app/predict.h"
#include "passes/compile.h"

namespace dlpu {

Pricer::Pricer(Program program, const Target& target, PredictOptions options)
    : program_(std::move(program)), target_(&target), options_(std::move(options)) {}

std::optional<Pricer> Pricer::Make(const LoadedModel& model, const Target& target,
                                   const PredictOptions& options) {
  if (!target.cost.has_value() || model.graph.nodes.empty()) return std::nullopt;
  Result<Program> program = Compile(model.graph, {});
  Result<PredictOptions> own = WithUserFactor(target, options);
  if (!program.ok() || !own.ok()) return std::nullopt;
  return Pricer(*std::move(program), target, *std::move(own));
}

std::vector<Engine> Pricer::EnginesOf(const Graph& graph, const Partition& partition) const {
  // Steps are nodes that were not folded away; they keep the names of the user's layers.
  std::map<std::string, Support::Where> places;
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    places[graph.nodes[i].name] = partition.nodes[i].where;
  }
  std::vector<Engine> engines;
  for (const Step& step : program_.steps) {
    const auto at = places.find(step.node.name);
    const bool dlpu = at != places.end() && (at->second == Support::Where::kDlpu ||
                                             at->second == Support::Where::kUnknown);
    engines.push_back(dlpu ? Engine::kDlpu : Engine::kCpu);
  }
  return engines;
}

std::optional<Prediction> Pricer::Priced(const std::vector<Engine>& engines, const Change& change,
                                         const PredictOptions& options) const {
  Workload workload = WorkloadOf(program_, engines, PricingOf(*target_));
  if (change) change(workload.layers);
  Result<Prediction> prediction = PredictWorkload(workload, *target_, options);
  if (!prediction.ok()) return std::nullopt;
  return *std::move(prediction);
}

std::optional<Prediction> Pricer::At(const Graph& graph, const Partition& partition) const {
  return Priced(EnginesOf(graph, partition), {}, options_);
}

std::optional<double> Pricer::Ms(const Graph& graph, const Partition& partition) const {
  const std::optional<Prediction> p = At(graph, partition);
  return p ? std::optional(p->total_ms) : std::nullopt;
}

std::optional<double> Pricer::FormulaMs(const Graph& graph, const Partition& partition,
                                        const Change& change) const {
  PredictOptions formula = options_;
  formula.formula_only = true;
  const std::optional<Prediction> p = Priced(EnginesOf(graph, partition), change, formula);
  return p && p->total_ms > 0 ? std::optional(p->total_ms) : std::nullopt;
}

std::optional<double> Pricer::Ms(const Graph& graph, const Partition& now, const Partition& then,
                                 const Change& change) const {
  const std::optional<double> published = Ms(graph, now);
  const std::optional<double> before = FormulaMs(graph, now),
                              after = FormulaMs(graph, then, change);
  if (!published || !before || !after) return std::nullopt;
  return *published * *after / *before;
}

std::optional<double> Pricer::OnCpuMs() const {
  const std::vector<Engine> engines(program_.steps.size(), Engine::kCpu);
  const std::optional<Prediction> p = Priced(engines, {}, options_);
  return p ? std::optional(p->total_ms) : std::nullopt;
}

}  // namespace dlpu
