// SPDX-License-Identifier: Apache-2.0
// Observe: what values the tensors of a float32 graph take over a set of inputs. Statistics do not
// depend on the order of the inputs' values, the number of threads or how inputs are grouped.
// Plain values; one thread at a time for each Observer.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "app/watch.h"
#include "base/result.h"
#include "passes/quantize.h"
#include "run/runner.h"

namespace dlpu {

// Counts of values in bins of one width, a power of two: bin i of `counts` holds values in
// [(i - kBins) * width, (i - kBins + 1) * width). The width doubles when a value does not fit, so
// the final histogram follows from the values alone.
class Histogram {
 public:
  static constexpr int kBins = 2048;  // on each side of zero

  void Add(std::span<const float> values);
  double width() const { return width_; }
  const std::vector<int64_t>& counts() const { return counts_; }  // 2 * kBins, or none
  int64_t total() const { return total_; }

 private:
  void Grow(float magnitude);

  double width_ = 0;
  std::vector<int64_t> counts_;
  int64_t total_ = 0;
};

struct TensorStatistics {
  float low = 0, high = 0;
  int64_t values = 0, not_finite = 0;
  // Sums of each input's lowest and highest value, and how many inputs there were.
  double low_sum = 0, high_sum = 0;
  int64_t inputs = 0;
  Histogram histogram;
  std::vector<double> sums, squares;  // of values and their squares, per index of the last axis
  std::vector<float> lows, highs;     // the same
};

// How a range follows from what was seen.
enum class RangeMethod : uint8_t { kMinMax, kPercentile, kMse, kEntropy, kAverage };
// "min-max", "percentile", "mse", "entropy", "average".
std::string_view RangeMethodName(RangeMethod method);
std::optional<RangeMethod> RangeMethodFromName(std::string_view name);

struct RangeOptions {
  RangeMethod method = RangeMethod::kMinMax;
  double percentile = 99.99;  // of the values that stay inside, for kPercentile
  int levels = 256;           // codes there will be, for kMse and kEntropy
  // 8-bit codes with a power of two as their scale: kMse chooses among those.
  bool power_of_two = false;
};
// kMse: the clipped range with the least expected squared error of rounding and clipping; kEntropy:
// the one whose codes differ least from the histogram by Kullback-Leibler divergence (the method
// that TensorRT made known); kAverage: the mean of the inputs' own extremes, so that one input out
// of the ordinary counts as one. Never wider than what was seen.
RealRange ChooseRange(const TensorStatistics& statistics, const RangeOptions& options);

// Expected signal to noise ratio in dB of the tensor as 8-bit codes: squared values over squared
// errors of clipping and uniform rounding. Infinite when nothing but zeros was seen.
double ExpectedSqnr(const TensorStatistics& statistics, const Quantization& quantization);

// Runs a graph and collects statistics of every float32 tensor that a node writes or the model
// takes.
class Observer {
 public:
  // `portable`: with kernels that give the same bits on every CPU, which are slower.
  static Result<std::unique_ptr<Observer>> Make(const Graph& graph, int threads, bool portable);

  // To be filled before Collect.
  Runner& runner() { return watch_.runner(); }
  Status Collect();

  // Frees all but what was seen; nothing can be collected afterwards.
  void Finish();

  // Parallel to the graph's tensors; absent where nothing is collected.
  const std::vector<std::optional<TensorStatistics>>& statistics() const { return statistics_; }
  int inputs() const { return inputs_; }

 private:
  Observer() = default;

  Watch watch_;
  std::vector<TensorId> watched_;
  std::vector<Shape> shapes_;  // parallel to watched_
  std::vector<std::optional<TensorStatistics>> statistics_;
  std::unique_ptr<ThreadPool> pool_;
  int inputs_ = 0;
};

// What quantizing needs of it.
TensorFacts FactsOf(const Observer& observer, const RangeOptions& options);

}  // namespace dlpu
