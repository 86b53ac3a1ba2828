// SPDX-License-Identifier: Apache-2.0
// What a check's findings are worth: predicted times of a model under other placements of its ops.
// Any thread.
#pragma once

#include <optional>

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
  // The same in milliseconds; with `per_tensor`, as if every weight tensor had one scale.
  std::optional<double> Ms(const Graph& graph, const Partition& partition,
                           bool per_tensor = false) const;
  // Every op on the target's CPU.
  std::optional<double> OnCpuMs() const;

 private:
  Pricer(Program program, const Target& target, PredictOptions options);
  std::optional<Prediction> Priced(const std::vector<Engine>& engines, bool per_tensor) const;
  std::vector<Engine> EnginesOf(const Graph& graph, const Partition& partition) const;

  Program program_;
  const Target* target_;
  PredictOptions options_;
};

}  // namespace dlpu
