// SPDX-License-Identifier: Apache-2.0
// Collecting statistics.
#include "app/observe.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/cpu_unfused.h"

namespace dlpu {
namespace {

// Per-channel statistics of wider tensors would be those of single values.
constexpr int32_t kMostChannels = 8192;

struct Extremes {
  float low = 0, high = 0;
  bool finite = true;
};

// In lanes, so that the compiler can use vectors.
Extremes ExtremesOf(std::span<const float> values) {
  constexpr size_t kLanes = 16;
  if (values.empty()) return {};
  float low[kLanes], high[kLanes];
  int32_t top[kLanes] = {};  // of the magnitudes' bits, which order as the magnitudes do
  std::fill(low, low + kLanes, values[0]);
  std::fill(high, high + kLanes, values[0]);
  const auto add = [&](size_t lane, float v) {
    low[lane] = v < low[lane] ? v : low[lane];
    high[lane] = v > high[lane] ? v : high[lane];
    int32_t bits = 0;
    std::memcpy(&bits, &v, sizeof(bits));
    bits &= 0x7fffffff;
    top[lane] = bits > top[lane] ? bits : top[lane];
  };
  size_t i = 0;
  for (; i + kLanes <= values.size(); i += kLanes) {
    for (size_t lane = 0; lane < kLanes; ++lane) add(lane, values[i + lane]);
  }
  for (; i < values.size(); ++i) add(0, values[i]);
  return {*std::min_element(low, low + kLanes), *std::max_element(high, high + kLanes),
          *std::max_element(top, top + kLanes) < 0x7f800000};
}

}  // namespace

void Histogram::Grow(float magnitude) {
  if (counts_.empty()) {
    counts_.assign(2 * kBins, 0);
    // The smallest power of two under which the value has a bin; the least one for zeros.
    width_ = std::ldexp(1.0, -120);
    if (magnitude > 0) {
      int exponent = 0;
      std::frexp(static_cast<double>(magnitude) / kBins, &exponent);
      width_ = std::max(width_, std::ldexp(1.0, exponent));
    }
  }
  while (static_cast<double>(magnitude) >= width_ * kBins) {
    // Two neighbours become one; both sides keep their bin next to zero.
    std::vector<int64_t> wider(counts_.size(), 0);
    for (int i = 0; i < kBins; ++i) {
      wider[kBins + i / 2] += counts_[kBins + i];
      wider[kBins - 1 - i / 2] += counts_[kBins - 1 - i];
    }
    counts_ = std::move(wider);
    width_ *= 2;
  }
}

void Histogram::Add(std::span<const float> values) {
  const Extremes extremes = ExtremesOf(values);
  Grow(std::max(std::fabs(extremes.low), std::fabs(extremes.high)));
  const auto inverse = static_cast<float>(1.0 / width_);  // a power of two: exact
  const auto bin = [inverse](float v) {
    const float place = v * inverse;
    int i = static_cast<int>(place);
    i -= static_cast<float>(i) > place;  // floor
    return std::max(i, -kBins) + kBins;
  };
  // Neighbours often have the same bin: two tables, so that one need not wait for the other.
  std::vector<uint32_t> tables(4 * kBins, 0);
  uint32_t* const odd = tables.data() + 2 * kBins;
  for (size_t begin = 0; begin < values.size();) {
    const size_t end = std::min(values.size(), begin + (size_t{1} << 30));
    size_t i = begin;
    for (; i + 2 <= end; i += 2) {
      ++tables[static_cast<size_t>(bin(values[i]))];
      ++odd[bin(values[i + 1])];
    }
    if (i < end) ++odd[bin(values[i])];
    begin = end;
    for (size_t b = 0; b < 2 * kBins; ++b) counts_[b] += int64_t{tables[b]} + odd[b];
    std::fill(tables.begin(), tables.end(), 0);
  }
  total_ += static_cast<int64_t>(values.size());
}

Result<std::unique_ptr<Observer>> Observer::Make(const Graph& graph, int threads, bool portable) {
  std::unique_ptr<Observer> observer(new Observer());
  const auto add = [&](TensorId id) {
    if (graph.tensors[id].type == DataType::kFloat32) observer->watched_.push_back(id);
  };
  for (const TensorId id : graph.inputs) add(id);
  for (const Node& node : graph.nodes) {
    for (const TensorId id : node.outputs) add(id);
  }
  observer->statistics_.resize(graph.tensors.size());
  for (const TensorId id : observer->watched_) {
    observer->statistics_[id].emplace();
    observer->shapes_.push_back(graph.tensors[id].shape);
  }
  DLPU_TRY(
      observer->watch_,
      Watch::Load(graph, observer->watched_,
                  {.threads = threads, .cpu = portable ? UnfusedCpuFlags() : EnabledCpuFlags()}));
  observer->pool_ = std::make_unique<ThreadPool>(observer->runner().threads());
  return observer;
}

namespace {

void AddChannels(std::span<const float> values, int32_t channels, TensorStatistics& statistics) {
  const auto count = static_cast<size_t>(channels);
  if (statistics.sums.empty()) {
    statistics.sums.assign(count, 0);
    statistics.squares.assign(count, 0);
    statistics.lows.assign(count, std::numeric_limits<float>::infinity());
    statistics.highs.assign(count, -std::numeric_limits<float>::infinity());
  }
  double* const sums = statistics.sums.data();
  double* const squares = statistics.squares.data();
  float* const lows = statistics.lows.data();
  float* const highs = statistics.highs.data();
  for (size_t at = 0; at + count <= values.size(); at += count) {
    const float* const row = values.data() + at;
    for (size_t c = 0; c < count; ++c) {
      const double value = row[c];
      sums[c] += value;
      squares[c] += value * value;
      lows[c] = std::min(lows[c], row[c]);
      highs[c] = std::max(highs[c], row[c]);
    }
  }
}

void AddValues(std::span<const float> values, const Shape& shape, TensorStatistics& statistics) {
  const bool first = statistics.values == 0;
  statistics.values += static_cast<int64_t>(values.size());
  const auto [low, high, finite] = ExtremesOf(values);
  if (!finite) {
    for (const float v : values) statistics.not_finite += !std::isfinite(v);
    return;  // the graph is refused anyway
  }
  statistics.low = first ? low : std::min(statistics.low, low);
  statistics.high = first ? high : std::max(statistics.high, high);
  statistics.low_sum += low;
  statistics.high_sum += high;
  ++statistics.inputs;
  statistics.histogram.Add(values);
  const int32_t channels = shape.empty() ? 1 : shape.back();
  if (channels >= 1 && channels <= kMostChannels) AddChannels(values, channels, statistics);
}

}  // namespace

Status Observer::Collect() {
  runner().ResetVariables();
  DLPU_RETURN_IF_ERROR(runner().Run());
  ++inputs_;
  pool_->ParallelFor(
      static_cast<int64_t>(watched_.size()), 1, [&](int64_t begin, int64_t end, int) {
        for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i) {
          AddValues(watch_.floats(i), shapes_[i], *statistics_[watched_[i]]);
        }
      });
  return OkStatus();
}

void Observer::Finish() {
  watch_ = {};
  pool_.reset();
}

TensorFacts FactsOf(const Observer& observer, const RangeOptions& options) {
  TensorFacts facts;
  const size_t count = observer.statistics().size();
  facts.ranges.resize(count);
  facts.means.resize(count);
  facts.lows.resize(count);
  facts.highs.resize(count);
  for (size_t t = 0; t < count; ++t) {
    const auto& statistics = observer.statistics()[t];
    if (!statistics || statistics->values == 0) continue;
    if (statistics->not_finite > 0) {
      const float infinity = std::numeric_limits<float>::infinity();
      facts.ranges[t] = RealRange{-infinity, infinity};
      continue;
    }
    facts.ranges[t] = ChooseRange(*statistics, options);
    const double rows = static_cast<double>(statistics->values) /
                        static_cast<double>(std::max<size_t>(1, statistics->sums.size()));
    for (const double sum : statistics->sums) {
      facts.means[t].push_back(static_cast<float>(sum / rows));
    }
    facts.lows[t] = statistics->lows;
    facts.highs[t] = statistics->highs;
  }
  return facts;
}

}  // namespace dlpu
