// SPDX-License-Identifier: Apache-2.0
// Broadcast plans against index arithmetic; quantized formulas against worked examples.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "kernels/elementwise/affine.h"
#include "kernels/elementwise/broadcast.h"
#include "kernels/elementwise/convert.h"
#include "kernels/elementwise/quantized.h"

namespace dlpu {
namespace {

using Shape = std::vector<int32_t>;

// Element of a tensor of `shape` that broadcasts to output element `index` of shape `out`.
int64_t ElementOf(const Shape& shape, const Shape& out, int64_t index) {
  int64_t offset = 0, stride = 1;
  for (size_t i = 0; i < out.size(); ++i) {  // from the innermost extent
    const int64_t position = index % out[out.size() - 1 - i];
    index /= out[out.size() - 1 - i];
    const int64_t extent = i < shape.size() ? shape[shape.size() - 1 - i] : 1;
    if (extent != 1) offset += position * stride;
    stride *= extent;
  }
  return offset;
}

struct PlanCase {
  Shape a, b, out;
  int axes;  // loops around the run
};

TEST(BroadcastPlan, VisitsTheRightElements) {
  const PlanCase cases[] = {
      {{2, 3, 4}, {2, 3, 4}, {2, 3, 4}, 0},  // one run
      {{2, 3, 4}, {}, {2, 3, 4}, 0},         // a scalar
      {{2, 3, 4}, {4}, {2, 3, 4}, 1},        // a vector along the last axis
      {{2, 3, 4}, {2, 3, 1}, {2, 3, 4}, 1},  // one value for each row
      {{2, 1, 4}, {1, 3, 1}, {2, 3, 4}, 2},  // both broadcast
      {{1, 5, 1, 2}, {3, 1, 4, 1}, {3, 5, 4, 2}, 3},
      {{1, 1}, {1}, {1, 1}, 0},     // a single element
      {{6, 1}, {1, 1}, {6, 1}, 0},  // extents of 1 cost no loop
  };
  for (const PlanCase& c : cases) {
    const BroadcastPlan plan = PlanBroadcast({&c.a, &c.b}, c.out);
    EXPECT_EQ(plan.axes, c.axes);
    for (int64_t begin = 0; begin <= plan.count; begin += 5) {  // any split gives the same
      std::vector<int> seen(static_cast<size_t>(plan.count), 0);
      const auto visit = [&](const int64_t* offsets, int64_t first, int64_t n) {
        for (int64_t i = 0; i < n; ++i) {
          EXPECT_EQ(offsets[0] + (plan.advances[0] ? i : 0), ElementOf(c.a, c.out, first + i));
          EXPECT_EQ(offsets[1] + (plan.advances[1] ? i : 0), ElementOf(c.b, c.out, first + i));
          ++seen[first + i];
        }
      };
      ForEachRun(plan, 0, begin, visit);
      ForEachRun(plan, begin, plan.count, visit);
      EXPECT_EQ(seen, std::vector<int>(static_cast<size_t>(plan.count), 1));
    }
  }
}

TEST(BroadcastPlan, LongerRunsVisitTheSameElements) {
  const Shape a = {7, 9, 5}, b = {5}, c = {9, 1}, all = {7, 9, 5};
  BroadcastPlan plan = PlanBroadcast({&a, &b}, all);
  const int64_t copies = LengthenRuns(plan, 1);
  EXPECT_EQ(copies, 63);
  const Shape large = {700, 5};
  plan = PlanBroadcast({&large, &b}, large);
  const int64_t many = LengthenRuns(plan, 1);
  EXPECT_EQ(many, 204);
  for (const int64_t begin : {0, 1, 1019, 1020, 3499}) {
    int64_t next = begin;
    ForEachRun(plan, begin, plan.count, [&](const int64_t* offsets, int64_t first, int64_t n) {
      EXPECT_EQ(first, next);
      EXPECT_EQ(offsets[0], first);
      EXPECT_EQ(offsets[1] % 5, first % 5);
      EXPECT_LE(offsets[1] + n, 5 * many);
      next += n;
    });
    EXPECT_EQ(next, plan.count);
  }
  plan = PlanBroadcast({&a, &c}, all);  // one value for each row: not a run of values
  EXPECT_EQ(LengthenRuns(plan, 1), 1);
}

TEST(BroadcastPlan, AnEmptyOutputHasNoRuns) {
  const Shape a = {2, 0}, b = {1};
  const BroadcastPlan plan = PlanBroadcast({&a, &b}, a);
  EXPECT_EQ(plan.count, 0);
  ForEachRun(plan, 0, plan.count, [](const int64_t*, int64_t, int64_t) { FAIL(); });
}

TEST(BroadcastBinary, ThreadsDoNotChangeTheResult) {
  const Shape a = {300, 1, 70}, b = {5, 70}, out = {300, 5, 70};
  std::vector<int32_t> x(300 * 70), y(5 * 70), one(300 * 5 * 70), three(one.size());
  for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<int32_t>(i);
  for (size_t i = 0; i < y.size(); ++i) y[i] = static_cast<int32_t>(1000000 * i);
  const BroadcastPlan plan = PlanBroadcast({&a, &b}, out);
  const auto add = [](int32_t u, int32_t v) { return u + v; };
  ThreadPool single(1), triple(3);
  BroadcastBinary(plan, x.data(), y.data(), one.data(), single, add);
  BroadcastBinary(plan, x.data(), y.data(), three.data(), triple, add);
  EXPECT_EQ(one, three);
  EXPECT_EQ(one[(299 * 5 + 4) * 70 + 69], x[299 * 70 + 69] + y[4 * 70 + 69]);
}

// Worked examples of docs/arithmetic.md.
TEST(QuantizedSum, WorkedExample) {
  QuantizedSum sum;
  sum.zero_a = -3, sum.zero_b = 9, sum.zero_out = -5;
  const float a = 0.047f, b = 0.031f, out = 0.0625f;
  const double twice = 2 * a;
  sum.a = QuantizeMultiplier(a / twice);
  sum.b = QuantizeMultiplier(b / twice);
  sum.out = QuantizeMultiplier(twice / (1048576.0f * out));
  sum.low = -128, sum.high = 127;
  EXPECT_EQ(sum.b, (QuantizedMultiplier{1416425410, -1}));
  EXPECT_EQ(sum.ScaleA(37), 20971520);
  EXPECT_EQ(sum.ScaleB(-88), -33543278);
  EXPECT_EQ(sum(37, -88), -23);
  sum.subtract = true;
  EXPECT_EQ(sum(37, -88), 73);  // (1.88 + 3.007) / 0.0625 - 5 = 73.2
}

TEST(XnnpackSum, WorkedExampleAndTies) {
  // 0.047 / 0.0625 and 0.031 / 0.0625 with 21 fraction bits.
  const XnnpackSum sum{1577058, 1040187, 21, -3, 9, -5, -128, 127};
  EXPECT_EQ(sum(37, -88), -23);
  const XnnpackSum half{1 << 19, 1 << 19, 20, 0, 0, 0, -128, 127};
  EXPECT_EQ(half(1, 2), 2);  // 1.5: ties up
  EXPECT_EQ(half(-1, -2), -1);
}

TEST(XnnpackProduct, TiesToEven) {
  const XnnpackProduct half{0, 0, 10, 0.5f, -128, 127};
  EXPECT_EQ(half(5, 1), 12);  // 2.5
  EXPECT_EQ(half(-7, 1), 6);  // -3.5
  EXPECT_EQ(half(127, 127), 127);
}

TEST(PowerOfTwoSum, RoundsTheFinerInputAndSaturates) {
  PowerOfTwoSum sum{0, 1, false, -32768, 32767};
  EXPECT_EQ(sum(10, 3), 12);  // 3/2 rounds away from zero
  EXPECT_EQ(sum(10, -3), 8);
  EXPECT_EQ(sum(32767, 32767), 32767);
  sum.subtract = true;
  EXPECT_EQ(sum(10, 3), 8);
}

TEST(QuantizedProduct, WorkedExample) {
  QuantizedProduct product{-3, 9, -5, {1601988352, -5}, -128, 127};
  EXPECT_EQ(product(37, -88), -95);
}

TEST(QuantizedProduct16To8, RoundsTwice) {
  const QuantizedProduct16To8 product{3, -128, 127};
  EXPECT_EQ(product(32767, 32767), 127);
  EXPECT_EQ(product(16384, 16384), 35);  // 1/4 is 32 of 128, plus zero point 3
}

TEST(QuantizedPrelu, WorkedExample) {
  QuantizedPrelu prelu;
  prelu.zero_in = 0, prelu.zero_slope = 0, prelu.zero_out = 6;
  prelu.positive = QuantizeMultiplier(1.0);
  prelu.negative = QuantizeMultiplier(1.0 / 16);
  prelu.low = -128, prelu.high = 127;
  EXPECT_EQ(prelu(-20, 30), -32);
  EXPECT_EQ(prelu(20, 30), 26);
}

TEST(QuantizedHardSwish, WorkedExample) {
  // Scales 0.05 and 0.03, zero points -10 and -100.
  const float fine = 0.05f / 128;
  const QuantizedMultiplier output = QuantizeMultiplier(fine / 0.03f);
  const QuantizedMultiplier reluish = QuantizeMultiplier(fine / (3.0f / 32768.0f));
  EXPECT_EQ(output.shift, -6);
  EXPECT_EQ(reluish.shift, 3);
  QuantizedHardSwish swish{-10,
                           -100,
                           ReduceMultiplierTo16(output.multiplier),
                           ReduceMultiplierTo16(reluish.multiplier),
                           -6,
                           3,
                           -128,
                           127};
  EXPECT_EQ(swish.output, 27307);
  EXPECT_EQ(swish.reluish, 17476);
  EXPECT_EQ(swish(30), -44);
}

TEST(QuantizedQuotient, WorkedExample) {
  const QuantizedQuotient quotient{0, 0, -5, {1627931136, 5}, -128, 127};
  EXPECT_EQ(quotient(-40, 97), -15);
  EXPECT_EQ(quotient(40, -97), -15);
  EXPECT_EQ(QuantizedQuotient::ShiftRight(-6, 2), RoundingDivideByPOT(-6, 2));
  EXPECT_EQ(QuantizedQuotient::ShiftRight(0, 36), 1);  // as x86-64 shifts
}

TEST(QuantizedSquaredDifference, WorkedExample) {
  // Scales 0.05 and 0.03 to 0.1, zero points 0.
  const float a = 0.05f, b = 0.03f, out = 0.1f;
  const double twice = 2 * a;
  QuantizedSquaredDifference squared;
  squared.difference.left_shift = 7;
  squared.difference.subtract = true;
  squared.difference.a = QuantizeMultiplier(a / twice);
  squared.difference.b = QuantizeMultiplier(b / twice);
  squared.difference.out = QuantizeMultiplier(twice * twice / (16384.0f * out));
  squared.difference.low = -128, squared.difference.high = 127;
  EXPECT_EQ(squared(40, -25), 76);
}

TEST(RescaleBySign, WorkedExample) {
  const float in = 0.05f, out = 0.043f;
  RescaleBySign leaky{-4,   6,  QuantizeMultiplier(in / out), QuantizeMultiplier(in * 0.1f / out),
                      -128, 127};
  EXPECT_EQ(leaky(-128), -8);
  EXPECT_EQ(leaky(10), 22);
  leaky.negative = QuantizeMultiplier(in * -0.1f / out);
  EXPECT_EQ(leaky(-128), 20);
}

TEST(QuantizedRoots, WorkedExamples) {
  const QuantizedSqrt root{0.1f, 0.02f, 0, 0, -128, 127};
  EXPECT_EQ(root(57), 119);  // 119.37 toward zero
  QuantizedRsqrt inverse{0, 0, QuantizeMultiplier(1.0 / (std::sqrt(0.1f) * 0.02f)), -128, 127};
  EXPECT_EQ(inverse(57), 21);
  EXPECT_EQ(inverse(0), 127);
}

TEST(QuantizedAbs, DistanceToTheZeroPoint) {
  const QuantizedAbs abs{10, -128, true, {}, -128, 127};
  EXPECT_EQ(abs(10), -128);
  EXPECT_EQ(abs(-128), 10);
}

TEST(ConvertNumber, SaturatesTowardZero) {
  EXPECT_EQ((ConvertNumber<int8_t>(300.0f)), 127);
  EXPECT_EQ((ConvertNumber<int8_t>(-300.0f)), -128);
  EXPECT_EQ((ConvertNumber<int32_t>(-1.9f)), -1);
  EXPECT_EQ((ConvertNumber<int32_t>(3e9f)), 2147483647);
  EXPECT_EQ((ConvertNumber<uint8_t>(-0.5f)), 0);
  EXPECT_EQ((ConvertNumber<int64_t>(std::numeric_limits<float>::quiet_NaN())), INT64_MAX);
  EXPECT_EQ((ConvertNumber<int8_t>(int32_t{200})), -56);
  EXPECT_TRUE((ConvertNumber<bool>(-0.25f)));
}

TEST(Rescale, TiesAndBounds) {
  const Rescale half{0, 0, QuantizeMultiplier(0.5), -128, 127};
  EXPECT_EQ(half(-3), -1);  // shift 0: only the first rounding, ties up
  EXPECT_EQ(half(-1), 0);
  EXPECT_EQ(half(1), 1);
  EXPECT_EQ(half(3), 2);
  const Rescale relu6{-3, -128, {1342177280, 1}, -128, 22};
  EXPECT_EQ(relu6(0), -124);
  EXPECT_EQ(relu6(60), -49);
  EXPECT_EQ(relu6(127), 22);
}

TEST(AffineQuantize, TiesAwayFromZeroAndOddValues) {
  const AffineQuantize q{0.1f, 0, -128, 127};
  EXPECT_EQ(q(0.05f), 1);
  EXPECT_EQ(q(0.25f), 3);
  EXPECT_EQ(q(-0.25f), -3);
  EXPECT_EQ(q(0.35f), 4);
  EXPECT_EQ(q(1e30f), 127);
  EXPECT_EQ(q(-std::numeric_limits<float>::infinity()), -128);
  EXPECT_EQ(q(std::numeric_limits<float>::quiet_NaN()), 0);
}

TEST(AffineDequantize, ZeroPointIsExactlyZero) {
  const AffineDequantize d{0.3f, 77};
  EXPECT_EQ(d(77), 0.0f);
  EXPECT_EQ(d(-128), static_cast<float>(-205 * static_cast<double>(0.3f)));
}

}  // namespace
}  // namespace dlpu
