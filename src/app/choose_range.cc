// SPDX-License-Identifier: Apache-2.0
// From a histogram to the range that codes shall represent.
#include <algorithm>
#include <cmath>
#include <limits>

#include "app/observe.h"
#include "passes/quantize_numbers.h"

namespace dlpu {
namespace {

constexpr std::string_view kMethods[] = {"min-max", "percentile", "mse", "entropy", "average"};
// Fractions of the full range that are tried for each end.
constexpr int kSteps = 50;
// Of codes that a histogram can tell apart.
constexpr int kMostLevels = 1024;

// A bin's lower end.
double BinStart(const Histogram& histogram, int bin) {
  return (bin - Histogram::kBins) * histogram.width();
}

RealRange Percentile(const TensorStatistics& statistics, double percentile) {
  const Histogram& histogram = statistics.histogram;
  const auto outside = static_cast<int64_t>(
      std::floor(static_cast<double>(histogram.total()) * (100 - percentile) / 100 / 2));
  RealRange range{statistics.low, statistics.high};
  int64_t seen = 0;
  for (int i = 0; i < 2 * Histogram::kBins; ++i) {
    seen += histogram.counts()[i];
    if (seen <= outside) continue;
    range.low = std::max(range.low, static_cast<float>(BinStart(histogram, i)));
    break;
  }
  seen = 0;
  for (int i = 2 * Histogram::kBins - 1; i >= 0; --i) {
    seen += histogram.counts()[i];
    if (seen <= outside) continue;
    range.high = std::min(range.high, static_cast<float>(BinStart(histogram, i + 1)));
    break;
  }
  return range;
}

// Expected squared error of codes over [low, high]: what is clipped, and uniform rounding.
double ExpectedError(const Histogram& histogram, double low, double high, int levels) {
  const double step = (high - low) / (levels - 1);
  const double rounding = step * step / 12;
  double error = 0;
  for (int i = 0; i < 2 * Histogram::kBins; ++i) {
    const int64_t count = histogram.counts()[i];
    if (count == 0) continue;
    const double center = BinStart(histogram, i) + histogram.width() / 2;
    double each = rounding;
    if (center < low) each = (low - center) * (low - center);
    if (center > high) each = (center - high) * (center - high);
    // Zero is always a code, and what ReLU leaves is often zero.
    if (i == Histogram::kBins && low >= 0) each = 0;
    error += static_cast<double>(count) * each;
  }
  return error;
}

// Kullback-Leibler divergence of the clipped histogram from what `levels` codes keep of it.
double Divergence(const Histogram& histogram, double low, double high, int levels) {
  std::vector<double> clipped;
  double below = 0, above = 0;
  for (int i = 0; i < 2 * Histogram::kBins; ++i) {
    const auto count = static_cast<double>(histogram.counts()[i]);
    const double center = BinStart(histogram, i) + histogram.width() / 2;
    if (center < low) {
      below += count;
    } else if (center > high) {
      above += count;
    } else {
      clipped.push_back(count);
    }
  }
  if (clipped.empty()) return std::numeric_limits<double>::infinity();
  std::vector<double> target = clipped;  // with what is clipped at its ends
  target.front() += below;
  target.back() += above;
  const double total = static_cast<double>(histogram.total());
  const auto bins = static_cast<double>(clipped.size());
  double divergence = 0;
  for (int level = 0; level < levels; ++level) {
    const auto begin = static_cast<size_t>(level * bins / levels);
    const auto end = static_cast<size_t>((level + 1) * bins / levels);
    double sum = 0, filled = 0;
    for (size_t i = begin; i < end; ++i) {
      sum += clipped[i];
      filled += clipped[i] > 0;
    }
    for (size_t i = begin; i < end; ++i) {
      if (target[i] <= 0) continue;
      // What has no code left counts as one value of it.
      const double kept = clipped[i] > 0 ? sum / filled : 1e-3;
      divergence += target[i] / total * std::log(target[i] / kept);
    }
  }
  return divergence;
}

template <typename Loss>
RealRange Search(const TensorStatistics& statistics, const Loss& loss) {
  const RealRange full{std::min(0.0f, statistics.low), std::max(0.0f, statistics.high)};
  RealRange best = full;
  double least = loss(full.low, full.high);
  // Each end in turn: the two hardly influence each other.
  for (const bool is_high : {true, false, true}) {
    const float end = is_high ? full.high : full.low;
    if (end == 0) continue;
    for (int step = kSteps - 1; step >= 5; --step) {
      RealRange trial = best;
      (is_high ? trial.high : trial.low) = end * static_cast<float>(step) / kSteps;
      const double value = loss(trial.low, trial.high);
      if (value < least) {
        least = value;
        best = trial;
      }
    }
  }
  return best;
}

// What the codes of an int8 tensor stand for.
RealRange CodeRange(const Quantization& quantization) {
  const double scale = quantization.scale0();
  const auto zero = static_cast<double>(quantization.zero0());
  return {static_cast<float>((-128 - zero) * scale), static_cast<float>((127 - zero) * scale)};
}

// The power of two with the least expected squared error, as the range it represents.
RealRange SearchPowersOfTwo(const TensorStatistics& statistics) {
  const RealRange full{std::min(0.0f, statistics.low), std::max(0.0f, statistics.high)};
  Quantization trial = ActivationQuantization(full, DataType::kInt8, true);
  RealRange best = full;
  double least = std::numeric_limits<double>::infinity();
  constexpr int kMostHalvings = 4;
  for (int i = 0; i <= kMostHalvings; ++i, trial.scale[0] /= 2) {
    const RealRange codes = CodeRange(trial);
    const double error = ExpectedError(statistics.histogram, codes.low, codes.high, 256);
    if (error >= least) continue;
    least = error;
    best = {std::max(full.low, codes.low), std::min(full.high, codes.high)};
  }
  return best;
}

}  // namespace

double ExpectedSqnr(const TensorStatistics& statistics, const Quantization& quantization) {
  const Histogram& histogram = statistics.histogram;
  double signal = 0;
  for (size_t i = 0; i < histogram.counts().size(); ++i) {
    const double center = BinStart(histogram, static_cast<int>(i)) + histogram.width() / 2;
    signal += static_cast<double>(histogram.counts()[i]) * center * center;
  }
  const bool zeros = statistics.low == 0 && statistics.high == 0;
  if (histogram.counts().empty() || zeros) return std::numeric_limits<double>::infinity();
  const RealRange codes = CodeRange(quantization);
  return 10 * std::log10(signal / ExpectedError(histogram, codes.low, codes.high, 256));
}

std::string_view RangeMethodName(RangeMethod method) { return kMethods[static_cast<int>(method)]; }

std::optional<RangeMethod> RangeMethodFromName(std::string_view name) {
  for (size_t i = 0; i < std::size(kMethods); ++i) {
    if (kMethods[i] == name) return static_cast<RangeMethod>(i);
  }
  return std::nullopt;
}

RealRange ChooseRange(const TensorStatistics& statistics, const RangeOptions& options) {
  const RealRange seen{statistics.low, statistics.high};
  const Histogram& histogram = statistics.histogram;
  if (histogram.counts().empty() || !(seen.high > seen.low)) return seen;
  switch (options.method) {
    case RangeMethod::kPercentile:
      return Percentile(statistics, options.percentile);
    case RangeMethod::kMse:
      if (options.power_of_two) return SearchPowersOfTwo(statistics);
      return Search(statistics, [&](double low, double high) {
        return ExpectedError(histogram, low, high, options.levels);
      });
    case RangeMethod::kEntropy:
      if (options.levels > kMostLevels) return seen;  // more codes than bins: nothing to weigh
      return Search(statistics, [&](double low, double high) {
        return Divergence(histogram, low, high, options.levels);
      });
    case RangeMethod::kAverage: {
      const auto inputs = static_cast<double>(statistics.inputs);
      return {static_cast<float>(statistics.low_sum / inputs),
              static_cast<float>(statistics.high_sum / inputs)};
    }
    case RangeMethod::kMinMax:
      break;
  }
  return seen;
}

}  // namespace dlpu
