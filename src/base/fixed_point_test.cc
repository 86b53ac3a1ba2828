// SPDX-License-Identifier: Apache-2.0
// The worked examples of docs/arithmetic.md, and the ties that tell the rounding rules apart.
#include "base/fixed_point.h"

#include <gtest/gtest.h>

#include <vector>

namespace dlpu {
namespace {

TEST(QuantizeMultiplier, MatchesWorkedExamples) {
  EXPECT_EQ(QuantizeMultiplier(0.0), (QuantizedMultiplier{0, 0}));
  EXPECT_EQ(QuantizeMultiplier(1.0), (QuantizedMultiplier{1 << 30, 1}));
  EXPECT_EQ(QuantizeMultiplier(0.5), (QuantizedMultiplier{1 << 30, 0}));
  EXPECT_EQ(QuantizeMultiplier(1 - 1e-11), (QuantizedMultiplier{1 << 30, 1}));
  EXPECT_EQ(QuantizeMultiplier(4.6e-10), (QuantizedMultiplier{2121375568, -31}));
  EXPECT_EQ(QuantizeMultiplier(1e-12), (QuantizedMultiplier{0, 0}));
}

TEST(SaturatingRoundingDoublingHighMul, SaturatesAndRoundsTiesUp) {
  const int32_t lowest = std::numeric_limits<int32_t>::min();
  EXPECT_EQ(SaturatingRoundingDoublingHighMul(lowest, lowest), 2147483647);
  EXPECT_EQ(SaturatingRoundingDoublingHighMul(1, 1 << 30), 1);   // +1/2 -> 1
  EXPECT_EQ(SaturatingRoundingDoublingHighMul(-1, 1 << 30), 0);  // -1/2 -> 0
  EXPECT_EQ(SaturatingRoundingDoublingHighMul16(-32768, -32768), 32767);
}

TEST(RoundingDivideByPOT, RoundsTiesAwayFromZero) {
  EXPECT_EQ(RoundingDivideByPOT(-3, 1), -2);
  EXPECT_EQ(RoundingDivideByPOT(3, 1), 2);
  EXPECT_EQ(RoundingDivideByPOT(-2, 2), -1);
  EXPECT_EQ(RoundingDivideByPOT(7, 0), 7);
  EXPECT_EQ(RoundingDivideByPOT(std::numeric_limits<int32_t>::min(), 31), -1);
}

TEST(Requantize, RulesDifferOnTiesExactlyAsDocumented) {
  // scale 1/4 has shift -1: x and the result under each rule.
  struct Row {
    int x, twice, up, even;
  };
  Requantization r;
  r.scale = 0.25;
  r.multiplier = QuantizeMultiplier(r.scale);
  for (const Row& row : std::vector<Row>{
           {-6, -2, -1, -2}, {-2, -1, 0, 0}, {2, 1, 1, 0}, {6, 2, 2, 2}, {10, 3, 3, 2}}) {
    EXPECT_EQ(Requantize(row.x, r, Rounding::kDouble, 0, -128, 127), row.twice) << row.x;
    EXPECT_EQ(Requantize(row.x, r, Rounding::kDoubleUp, 0, -128, 127), row.up) << row.x;
    EXPECT_EQ(Requantize(row.x, r, Rounding::kFloat32Even, 0, -128, 127), row.even) << row.x;
  }
  // A double rounding that is no tie: 255.4995 becomes 256.
  EXPECT_EQ(MultiplyByQuantizedMultiplier(21477, {1635021417, -6}), 256);
  EXPECT_EQ(MultiplyByQuantizedMultiplier(-1957, {1518500250, -4}), -87);
  EXPECT_EQ(MultiplyByQuantizedMultiplierUp(-1957, {1518500250, -4}), -86);
}

TEST(MultiplyByQuantizedMultiplier64, MatchesWorkedExamples) {
  const QuantizedMultiplier m = QuantizeMultiplier(0.0003);
  EXPECT_EQ(m, (QuantizedMultiplier{1319413953, -11}));
  EXPECT_EQ(MultiplyByQuantizedMultiplier64(100000, m), 30);
  EXPECT_EQ(MultiplyByQuantizedMultiplier64(-8333333, m), -2500);
}

TEST(RoundHalfAway, TiesAndBothSigns) {
  EXPECT_EQ(RoundHalfAway(0.5f), 1);
  EXPECT_EQ(RoundHalfAway(-0.5f), -1);
  EXPECT_EQ(RoundHalfAway(2.5f), 3);
  EXPECT_EQ(RoundHalfAway(-2.5f), -3);
  EXPECT_EQ(RoundHalfAway(0.49999997f), 0);
  EXPECT_EQ(RoundHalfAway(8388609.0f), 8388609);
  EXPECT_EQ(RoundHalfAway(-0.0f), 0);
}

TEST(ShiftLeftSaturate16, SaturatesBothEnds) {
  EXPECT_EQ(ShiftLeftSaturate16(100, 3), 800);
  EXPECT_EQ(ShiftLeftSaturate16(20000, 1), 32767);
  EXPECT_EQ(ShiftLeftSaturate16(-20000, 31), -32768);
}

TEST(ReduceMultiplierTo16, RoundsAndSaturates) {
  EXPECT_EQ(ReduceMultiplierTo16(1 << 30), 16384);
  EXPECT_EQ(ReduceMultiplierTo16(2147483647), 32767);
  EXPECT_EQ(ReduceMultiplierTo16(1319413953), 20133);
}

}  // namespace
}  // namespace dlpu
