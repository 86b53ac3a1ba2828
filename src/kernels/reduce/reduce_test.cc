// SPDX-License-Identifier: Apache-2.0
// Long runs in parts and rows of extremes in vectors against the plain loops, for every length
// around the parts, with NaNs, infinities and equal elements.
#include "kernels/reduce/reduce.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "kernels/reduce/arg.h"

namespace dlpu {
namespace {

constexpr uint32_t kSeed = 41;
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

// How far a float sum in parts may be from one in row-major order: both are within gamma(n) of the
// exact sum of `n` numbers whose magnitudes add up to `magnitude`.
double SumBound(int64_t n, double magnitude) {
  return 2 * static_cast<double>(n) * 0x1p-24 * magnitude;
}

template <typename In, typename Acc, typename Fold>
std::vector<Acc> FoldRows(const Fold& fold, int64_t rows, int64_t length,
                          const std::vector<In>& in) {
  ThreadPool pool(1);
  std::vector<Acc> acc(static_cast<size_t>(rows));
  Reduce(PlanReduction({rows, length}, {false, true}), fold, in.data(), acc.data(), pool);
  return acc;
}

TEST(Reduce, SumsOfLongRuns) {
  std::mt19937 random(kSeed);
  std::uniform_real_distribution<float> draw(-1, 1);
  for (int64_t length = 1; length < 300; length += length < 100 ? 1 : 7) {
    std::vector<float> reals(static_cast<size_t>(3 * length));
    std::vector<int8_t> codes(reals.size());
    for (float& v : reals) v = draw(random);
    for (int8_t& v : codes) v = static_cast<int8_t>(random());
    const auto sums = FoldRows<float, float>(SumFold<float>{}, 3, length, reals);
    const auto code_sums = FoldRows<int8_t, int32_t>(SumFold<int32_t>{}, 3, length, codes);
    for (int64_t row = 0; row < 3; ++row) {
      float sum = 0, magnitude = 0;
      int32_t code_sum = 0;
      for (int64_t i = row * length; i < (row + 1) * length; ++i) {
        sum += reals[i];
        magnitude += std::abs(reals[i]);
        code_sum += codes[i];
      }
      EXPECT_NEAR(sums[row], sum, SumBound(length, magnitude));
      EXPECT_EQ(code_sums[row], code_sum);
    }
  }
}

TEST(Reduce, ExtremesOfLongRunsSkipNan) {
  std::mt19937 random(kSeed);
  std::uniform_real_distribution<float> draw(-1, 1);
  for (int64_t length = 1; length < 200; ++length) {
    std::vector<float> in(static_cast<size_t>(length));
    for (float& v : in) {
      const uint32_t kind = random() % 8;
      v = kind == 0 ? kNan : kind == 1 ? -kInfinity : draw(random);
    }
    if (length % 5 == 0) in[0] = kNan;
    for (const bool whole : {false, true}) {
      MaximumFold<float> maximum;
      MinimumFold<float> minimum;
      float high = maximum.First(in[0], whole), low = minimum.First(in[0], whole);
      for (int64_t i = 1; i < length; ++i) {
        high = maximum.Next(high, in[i]);
        low = minimum.Next(low, in[i]);
      }
      ThreadPool pool(1);
      const ReducePlan plan =
          whole ? PlanReduction({length}, {true}) : PlanReduction({1, length}, {false, true});
      float got_high = 0, got_low = 0;
      Reduce(plan, maximum, in.data(), &got_high, pool);
      Reduce(plan, minimum, in.data(), &got_low, pool);
      EXPECT_TRUE(got_high == high || (std::isnan(high) && std::isnan(got_high))) << length;
      EXPECT_TRUE(got_low == low || (std::isnan(low) && std::isnan(got_low))) << length;
    }
  }
}

// The definition.
template <typename T>
int64_t FirstBest(const T* in, int64_t axis, int64_t stride, bool maximum) {
  int64_t best = -1;
  for (int64_t a = 0; a < axis; ++a) {
    const T v = in[a * stride];
    if (v != v) continue;
    if (best < 0 || (maximum ? v > in[best * stride] : v < in[best * stride])) best = a;
  }
  return best < 0 ? 0 : best;
}

template <typename T, typename Draw>
void CheckArg(const Draw& draw) {
  ThreadPool one(1), three(3);
  int64_t compared = 0;
  for (const int64_t inner : {0, 1, 2, 127, 128, 129, 300}) {
    for (int64_t axis = 1; axis < 280; axis += axis < 40 ? 1 : 39) {
      for (const int64_t outer : {1, 5, 600}) {
        if (outer * axis * inner > 200000) continue;
        std::vector<T> in(static_cast<size_t>(outer * axis * inner));
        for (T& v : in) v = draw();
        for (const bool maximum : {true, false}) {
          std::vector<int32_t> got(static_cast<size_t>(outer * inner));
          std::vector<int64_t> shared(got.size());
          ArgExtreme(in.data(), outer, axis, inner, maximum, got.data(), one);
          ArgExtreme(in.data(), outer, axis, inner, maximum, shared.data(), three);
          for (int64_t k = 0; k < outer * inner; ++k) {
            const T* first = in.data() + k / inner * axis * inner + k % inner;
            const int64_t want = FirstBest(first, axis, inner, maximum);
            ASSERT_EQ(got[k], want) << outer << " x " << axis << " x " << inner;
            ASSERT_EQ(shared[k], want);
            ++compared;
          }
        }
      }
    }
  }
  EXPECT_GT(compared, 10000);
}

TEST(ArgExtreme, EqualsTheDefinition) {
  std::mt19937 random(kSeed);
  CheckArg<int8_t>([&] { return static_cast<int8_t>(random() % 40); });
  CheckArg<uint8_t>([&] { return static_cast<uint8_t>(random()); });
  CheckArg<int32_t>([&] { return static_cast<int32_t>(random()); });
  CheckArg<float>([&] {
    const uint32_t kind = random() % 10;
    if (kind < 5) return kNan;
    if (kind == 5) return -kInfinity;
    return kind == 6 ? 0.0f : kind == 7 ? -0.0f : static_cast<float>(random() % 9) - 4.0f;
  });
}

}  // namespace
}  // namespace dlpu
