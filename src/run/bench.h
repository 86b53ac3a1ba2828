// SPDX-License-Identifier: Apache-2.0
// Times a loaded model: warm-up, repeats, percentiles, time per step. One thread, one Runner.
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "run/runner.h"

namespace dlpu {

struct BenchOptions {
  int warm_up = 3;  // runs before timing
  int min_repeats = 10;
  int max_repeats = 1000;
  double max_seconds = 2.0;  // of timed runs; min_repeats are done all the same
  bool steps = false;        // time every step as well (adds some 30 ns a step)
};

struct BenchResult {
  std::vector<double> milliseconds;       // one a run, in order
  std::vector<double> step_milliseconds;  // median of each step; empty unless asked for

  // Quantile in [0, 1] of the runs, by linear interpolation. REQUIRES: milliseconds is not empty.
  double Quantile(double q) const;
};

Result<BenchResult> Bench(Runner& runner, const BenchOptions& options);

}  // namespace dlpu
