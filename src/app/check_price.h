// SPDX-License-Identifier: Apache-2.0
// What a check's findings are worth: predicted times of a model under other placements of its ops.
// Any thread.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "app/model.h"
#include "ir/program.h"
#include "target/cost/predict.h"
#include "target/partition.h"
#include "target/target.h"

namespace dlpu {

class Pricer {
 public:
  // Nothing when the model does not compile here or the target has no cost model. Refers to the
  // target.
  static std::optional<Pricer> Make(const LoadedModel& model, const Target& target,
                                    const PredictOptions& options);

  // The model with its ops where the partition has them; those of unknown support on the DLPU.
  std::optional<Prediction> At(const Graph& graph, const Partition& partition) const;
  // The same in milliseconds.
  std::optional<double> Ms(const Graph& graph, const Partition& partition) const;
  // The time once the model that is placed as `now` is placed as `then`, of layers as `change`
  // makes them. What the published time of a known network adds to the formula is carried over.
  using Change = std::function<void(std::vector<Layer>&)>;
  std::optional<double> Ms(const Graph& graph, const Partition& now, const Partition& then,
                           const Change& change = {}) const;
  // The formula alone, for those who ask Ms(now, then) often: published * then / now.
  std::optional<double> FormulaMs(const Graph& graph, const Partition& partition,
                                  const Change& change = {}) const;
  // Every op on the target's CPU.
  std::optional<double> OnCpuMs() const;

 private:
  Pricer(Program program, const Target& target, PredictOptions options);
  std::optional<Prediction> Priced(const std::vector<Engine>& engines, const Change& change,
                                   const PredictOptions& options) const;
  std::vector<Engine> EnginesOf(const Graph& graph, const Partition& partition) const;

  Program program_;
  const Target* target_;
  PredictOptions options_;
};

}  // namespace dlpu
