// SPDX-License-Identifier: Apache-2.0
// Watch: a graph loaded so that the values of chosen tensors can be read after each run. One thread
// at a time.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "base/result.h"
#include "ir/graph.h"
#include "run/runner.h"

namespace dlpu {

class Watch {
 public:
  // `tensors`: inputs of the graph, or written by nodes; each once. Errors: those of Compile and
  // Runner::Load.
  static Result<Watch> Load(const Graph& graph, const std::vector<TensorId>& tensors,
                            const RunnerOptions& options);

  Runner& runner() { return *runner_; }
  // Of tensor i of those that are watched. REQUIRES: a run before. Valid until the next run.
  std::span<const uint8_t> bytes(size_t i) const;
  std::span<const float> floats(size_t i) const;

 private:
  struct Place {
    bool is_input;
    size_t index;  // among the runner's inputs or outputs
  };
  std::unique_ptr<Runner> runner_;
  std::vector<Place> places_;
};

}  // namespace dlpu
