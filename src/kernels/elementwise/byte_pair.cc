// SPDX-License-Identifier: Apache-2.0
// Search for a float formula that equals a function of two codes everywhere.
#include "kernels/elementwise/byte_pair.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace dlpu {
namespace {

constexpr BytePairRow kRows[] = {
    {"byte_pair_avx512", kCpuAvx2 | kCpuAvx512, BytePairRunAvx512},
    {"byte_pair_avx2", kCpuAvx2, BytePairRunAvx2},
    {"byte_pair_neon", kCpuNeon, BytePairRunNeon},
};

struct Interval {
  double low = -1e300, high = 1e300;
};

// What a formula gives for a pair before its offset, in exact arithmetic.
struct Point {
  bool applies = true;
  bool mirrored = false;  // the offset is taken off
  double real = 0;
};

// The offsets for which a formula gives every code of the table that it applies to; point(x, y)
// of the codes' values. `late` is what is added after the conversion.
template <typename F>
Interval FeasibleOffsets(const BytePairGuess& g, int32_t late, const uint8_t* table,
                         const F& point) {
  Interval offset;
  const auto value = [&](int byte) { return g.is_signed ? static_cast<int8_t>(byte) : byte; };
  for (int x = 0; x < 256; ++x) {
    for (int y = 0; y < 256; ++y) {
      const Point p = point(value(x), value(y));
      if (!p.applies) continue;
      const int32_t code = value(table[256 * x + y]);
      // code - 1/2 <= real + offset + late <= code + 1/2; bounds of the code are one-sided.
      const double least = code > g.low ? code - late - 0.5 - p.real : -1e300;
      const double most = code < g.high ? code - late + 0.5 - p.real : 1e300;
      offset.low = std::max(offset.low, p.mirrored ? -most : least);
      offset.high = std::min(offset.high, p.mirrored ? -least : most);
    }
  }
  return offset;
}

// The offsets of the formula that `args` names: of kProduct, of kPrelu from zero_x up.
Interval FirstOffsets(const BytePairGuess& g, const BytePairArgs& args, const uint8_t* table) {
  const double scale_x = args.scale_x;
  switch (g.form) {
    case BytePairForm::kSum:
      break;
    case BytePairForm::kProduct:
      return FeasibleOffsets(g, g.zero_out, table, [&](int x, int y) {
        const double p = static_cast<double>(x - g.zero_x) * (y - g.zero_y);
        return Point{true, p < 0, scale_x * p};
      });
    case BytePairForm::kPrelu:
      return FeasibleOffsets(g, g.zero_out, table, [&](int x, int) {
        return Point{x >= g.zero_x, false, scale_x * (x - g.zero_x)};
      });
  }
  return {};
}

// The offsets of kPrelu below zero_x.
Interval SecondOffsets(const BytePairGuess& g, const BytePairArgs& args, const uint8_t* table) {
  const double scale = args.scale_y;
  return FeasibleOffsets(g, g.zero_out, table, [&](int x, int y) {
    const double p = static_cast<double>(x - g.zero_x) * (y - g.zero_y);
    return Point{x < g.zero_x, p < 0, scale * p};
  });
}

// Pairs of a sum whose exact value lies so near the border between two codes that a float formula
// may miss it.
struct NearPair {
  int x, y;
  double least, most;  // of scale_x x + scale_y y + offset
};

std::vector<NearPair> NearPairs(const BytePairGuess& g, const uint8_t* table) {
  constexpr double kNear = 1.0 / 256;
  constexpr double kUnit = 4294967296.0;  // fractions as 32-bit integers, which wrap
  const double offset = g.zero_out - g.scale_x * g.zero_x - g.scale_y * g.zero_y;
  const auto fraction = [](double v) {
    return static_cast<uint32_t>(static_cast<int64_t>((v - std::floor(v)) * kUnit));
  };
  const auto near = static_cast<uint32_t>(2 * kNear * kUnit);
  const uint32_t step = fraction(g.scale_y);
  const int32_t least = g.is_signed ? -128 : 0;
  std::vector<NearPair> pairs;
  for (int x = least; x < least + 256; ++x) {
    const uint8_t* codes = table + 256 * (x & 255);
    const double row = g.scale_x * x + offset;
    // How far the value is above the lower end of what is near a border.
    uint32_t above_border = fraction(row + g.scale_y * least + 0.5 + kNear);
    for (int y = least; y < least + 256; ++y, above_border += step) {
      if (above_border > near) continue;
      const int byte = codes[y & 255];
      const int code = g.is_signed ? static_cast<int8_t>(byte) : byte;
      const double over = row + g.scale_y * y - code;
      const bool above = code < g.high && over >= 0.5 - 2 * kNear;
      const bool below = code > g.low && over <= 2 * kNear - 0.5;
      if (!above && !below) continue;
      pairs.push_back(
          {x, y, code > g.low ? code - 0.5 : -1e300, code < g.high ? code + 0.5 : 1e300});
    }
  }
  return pairs;
}

// The offsets for which those pairs get their codes; some empty interval if there are none.
Interval NearOffsets(const std::vector<NearPair>& pairs, double scale_x, double scale_y) {
  Interval offset;
  for (const NearPair& pair : pairs) {
    const double real = scale_x * pair.x + scale_y * pair.y;
    offset.low = std::max(offset.low, pair.least - real);
    offset.high = std::min(offset.high, pair.most - real);
    if (offset.low > offset.high) break;
  }
  return offset;
}

float Within(const Interval& interval, double part) {
  return static_cast<float>(interval.low + (interval.high - interval.low) * part);
}

float Nudge(float v, int ulps) {
  for (; ulps > 0; --ulps) v = std::nextafter(v, INFINITY);
  for (; ulps < 0; ++ulps) v = std::nextafter(v, -INFINITY);
  return v;
}

}  // namespace

std::span<const BytePairRow> BytePairRows() { return kRows; }

BytePairFunction::BytePairFunction(const BytePairGuess& guess, const Row& row, CpuFlags cpu)
    : table_(256 * 256) {
  for (int x = 0; x < 256; ++x) row(static_cast<uint8_t>(x), table_.data() + 256 * x);
  for (const BytePairRow& candidate : kRows) {
    if ((candidate.needs & ~cpu) != 0 || candidate.run() == nullptr) continue;
    run_ = candidate.run();
    if (!FindFormula(guess)) break;  // rows compute the same: none will do
    row_ = candidate.name;
    table_ = {};
    return;
  }
  run_ = nullptr;
}

bool BytePairFunction::FindFormula(const BytePairGuess& g) {
  const bool sum = g.form == BytePairForm::kSum, prelu = g.form == BytePairForm::kPrelu;
  const int32_t least = g.is_signed ? -128 : 0;
  args_.form = g.form;
  args_.input_signed = g.is_signed;
  args_.zero_x = static_cast<float>(g.zero_x);
  args_.zero_y = static_cast<float>(g.zero_y);
  args_.store.late_zero = sum ? 0 : g.zero_out;
  args_.store.output_signed = g.is_signed;
  args_.store.low = g.low;
  args_.store.high = g.high;
  args_.store.bounded = g.low > least || g.high < least + 255;
  const auto nearest_x = static_cast<float>(g.scale_x), nearest_y = static_cast<float>(g.scale_y);
  if (sum) return FindSum(g, nearest_x, nearest_y);
  for (const int nudge_x : {0, 1, -1, 2, -2}) {
    for (const int nudge_y : {0, 1, -1}) {
      if (!prelu && nudge_y != 0) continue;
      args_.scale_x = Nudge(nearest_x, nudge_x);
      args_.scale_y = Nudge(nearest_y, nudge_y);
      Interval first = FirstOffsets(g, args_, table_.data()), second{0, 0};
      if (prelu) second = SecondOffsets(g, args_, table_.data());
      // The offset carries the sign.
      first = {std::max(first.low, 0.0), std::min(first.high, 1.0)};
      second = {std::max(second.low, 0.0), std::min(second.high, 1.0)};
      if (first.low > first.high || second.low > second.high) continue;
      for (const double part : {0.5, 0.25, 0.75}) {
        args_.offset = Within(first, part);
        args_.offset_y = Within(second, part);
        if (Holds(args_)) return true;
      }
    }
  }
  return false;
}

bool BytePairFunction::FindSum(const BytePairGuess& g, float nearest_x, float nearest_y) {
  // The exact offset will mostly do, and takes no search.
  args_.scale_x = nearest_x;
  args_.scale_y = nearest_y;
  args_.offset = static_cast<float>(g.zero_out - g.scale_x * g.zero_x - g.scale_y * g.zero_y);
  if (Holds(args_)) return true;
  const std::vector<NearPair> pairs = NearPairs(g, table_.data());
  if (pairs.size() > 16384) return false;  // not the sum that was guessed
  constexpr int kMost = 24;
  for (int reach = 0; reach <= kMost; ++reach) {
    for (int nudge_x = -reach; nudge_x <= reach; ++nudge_x) {
      for (const int nudge_y : {std::abs(nudge_x) - reach, reach - std::abs(nudge_x)}) {
        args_.scale_x = Nudge(nearest_x, nudge_x);
        args_.scale_y = Nudge(nearest_y, nudge_y);
        const Interval offset = NearOffsets(pairs, args_.scale_x, args_.scale_y);
        if (offset.low > offset.high) continue;
        for (const double part : {0.5, 0.25, 0.75}) {
          args_.offset = Within(offset, part);
          if (Holds(args_)) return true;
        }
      }
    }
  }
  return false;
}

bool BytePairFunction::Holds(const BytePairArgs& args) const {
  uint8_t ys[256], codes[256];
  for (int y = 0; y < 256; ++y) ys[y] = static_cast<uint8_t>(y);
  for (int x = 0; x < 256; ++x) {
    const auto byte = static_cast<uint8_t>(x);
    run_(args, &byte, false, ys, true, codes, 256);
    if (std::memcmp(codes, table_.data() + 256 * x, 256) != 0) return false;
  }
  return true;
}

void BytePairFunction::Run(const uint8_t* x, bool x_advances, const uint8_t* y, bool y_advances,
                           uint8_t* out, int64_t n) const {
  if (run_ != nullptr) {
    if (n > 0) run_(args_, x, x_advances, y, y_advances, out, n);
    return;
  }
  const int64_t step_x = x_advances ? 1 : 0, step_y = y_advances ? 1 : 0;
  for (int64_t i = 0; i < n; ++i) {
    out[i] = table_[static_cast<size_t>(256 * x[i * step_x] + y[i * step_y])];
  }
}

namespace {

// Whether an operand's elements lie as the output's do.
bool LiesAsOutput(const BroadcastPlan& plan, int operand) {
  int64_t stride = plan.run;
  for (int axis = plan.axes - 1; axis >= 0; --axis) {
    if (plan.stride[axis][operand] != stride) return false;
    stride *= plan.extent[axis];
  }
  return plan.advances[operand];
}

// What one operand holds for output elements [begin, end).
void Spread(const BroadcastPlan& plan, int operand, const uint8_t* from, int64_t begin, int64_t end,
            uint8_t* to) {
  const int64_t step = plan.advances[operand] ? 1 : 0;
  ForEachRun(plan, begin, end, [&](const int64_t* offsets, int64_t, int64_t n) {
    const uint8_t* x = from + offsets[operand];
    for (int64_t i = 0; i < n; ++i) *to++ = x[i * step];
  });
}

// Runs shorter than this cost more to call for than to compute.
constexpr int64_t kShortRun = 64;

}  // namespace

void BroadcastBytePairs(const BroadcastPlan& plan, const BytePairFunction& function,
                        const uint8_t* a, const uint8_t* b, uint8_t* out, ThreadPool& pool) {
  if (plan.axes == 0 || plan.run >= kShortRun) {
    // Few tiles, but also for small tensors one for each thread: what a thread wrote in the step
    // before is in its own cache.
    const int64_t grain = std::clamp<int64_t>(plan.count / (4 * pool.threads()),
                                              kElementwiseGrain / 2, 4 * kElementwiseGrain);
    pool.ParallelFor(plan.count, grain, [&](int64_t begin, int64_t end, int) {
      ForEachRun(plan, begin, end, [&](const int64_t* offsets, int64_t first, int64_t n) {
        function.Run(a + offsets[0], plan.advances[0], b + offsets[1], plan.advances[1],
                     out + first, n);
      });
    });
    return;
  }
  const bool direct_a = LiesAsOutput(plan, 0), direct_b = LiesAsOutput(plan, 1);
  pool.ParallelFor(plan.count, kElementwiseGrain, [&](int64_t begin, int64_t end, int) {
    uint8_t spread_a[1024], spread_b[1024];
    for (int64_t at = begin; at < end;) {
      const int64_t stop = std::min<int64_t>(end, at + 1024);
      if (!direct_a) Spread(plan, 0, a, at, stop, spread_a);
      if (!direct_b) Spread(plan, 1, b, at, stop, spread_b);
      function.Run(direct_a ? a + at : spread_a, true, direct_b ? b + at : spread_b, true, out + at,
                   stop - at);
      at = stop;
    }
  });
}

}  // namespace dlpu
