// SPDX-License-Identifier: Apache-2.0
// Every binary16 number there and back, and the roundings between them.
#include "base/half.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace dlpu {
namespace {

TEST(Half, EveryNumberSurvivesTheRoundTrip) {
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    const float value = FloatFromHalf(static_cast<uint16_t>(bits));
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(FloatFromHalf(HalfFromFloat(value)))) << bits;
    } else {
      EXPECT_EQ(HalfFromFloat(value), bits);
    }
  }
}

TEST(Half, KnownValues) {
  EXPECT_EQ(FloatFromHalf(0x3c00), 1.0f);
  EXPECT_EQ(FloatFromHalf(0xc000), -2.0f);
  EXPECT_EQ(FloatFromHalf(0x7bff), 65504.0f);
  EXPECT_EQ(FloatFromHalf(0x0001), 0x1p-24f);
  EXPECT_EQ(FloatFromHalf(0x03ff), 1023 * 0x1p-24f);
  EXPECT_TRUE(std::isinf(FloatFromHalf(0x7c00)));
  EXPECT_EQ(FloatFromHalf(0xfc00), -std::numeric_limits<float>::infinity());
  EXPECT_TRUE(std::isnan(FloatFromHalf(0x7c01)));
  EXPECT_TRUE(std::signbit(FloatFromHalf(0x8000)));
}

TEST(Half, RoundsToNearestTiesToEven) {
  EXPECT_EQ(HalfFromFloat(1 + 0x1p-11f), 0x3c00);             // tie, down to even
  EXPECT_EQ(HalfFromFloat(1 + 3 * 0x1p-11f), 0x3c02);         // tie, up to even
  EXPECT_EQ(HalfFromFloat(1 + 0x1p-11f + 0x1p-20f), 0x3c01);  // above the tie
  EXPECT_EQ(HalfFromFloat(0x1p-25f), 0);                      // tie with the least subnormal
  EXPECT_EQ(HalfFromFloat(0x1.8p-25f), 1);
  EXPECT_EQ(HalfFromFloat(65519.0f), 0x7bff);
  EXPECT_EQ(HalfFromFloat(65520.0f), 0x7c00);
  EXPECT_EQ(HalfFromFloat(-std::numeric_limits<float>::infinity()), 0xfc00);
}

}  // namespace
}  // namespace dlpu
