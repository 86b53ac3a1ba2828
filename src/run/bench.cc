// SPDX-License-Identifier: Apache-2.0
// Timing loops.
#include "run/bench.h"

#include <algorithm>
#include <chrono>
#include <cmath>

namespace dlpu {
namespace {

double QuantileOf(std::vector<double> values, double q) {
  DLPU_CHECK(!values.empty());
  std::sort(values.begin(), values.end());
  const double position = q * static_cast<double>(values.size() - 1);
  const auto below = static_cast<size_t>(std::floor(position));
  const size_t above = std::min(below + 1, values.size() - 1);
  const double share = position - static_cast<double>(below);
  return values[below] * (1 - share) + values[above] * share;
}

}  // namespace

double BenchResult::Quantile(double q) const { return QuantileOf(milliseconds, q); }

Result<BenchResult> Bench(Runner& runner, const BenchOptions& options) {
  using Clock = std::chrono::steady_clock;
  for (int i = 0; i < options.warm_up; ++i) DLPU_RETURN_IF_ERROR(runner.Run());
  BenchResult result;
  std::vector<std::vector<double>> steps(options.steps ? runner.program().steps.size() : 0);
  std::vector<int64_t> nanoseconds(steps.size());
  const Clock::time_point begin = Clock::now();
  for (int i = 0; i < options.max_repeats; ++i) {
    const Clock::time_point before = Clock::now();
    if (i >= options.min_repeats &&
        std::chrono::duration<double>(before - begin).count() > options.max_seconds) {
      break;
    }
    DLPU_RETURN_IF_ERROR(options.steps ? runner.RunProfiled(nanoseconds) : runner.Run());
    const Clock::time_point after = Clock::now();
    result.milliseconds.push_back(
        std::chrono::duration<double, std::milli>(after - before).count());
    for (size_t k = 0; k < steps.size(); ++k) {
      steps[k].push_back(static_cast<double>(nanoseconds[k]) * 1e-6);
    }
  }
  for (const auto& step : steps) result.step_milliseconds.push_back(QuantileOf(step, 0.5));
  return result;
}

}  // namespace dlpu
