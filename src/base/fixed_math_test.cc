// SPDX-License-Identifier: Apache-2.0
// Worked examples of the fixed-point functions, and their distance from the real functions.
#include "base/fixed_math.h"

#include <gtest/gtest.h>

#include <cmath>

namespace dlpu {
namespace {

TEST(FixedMath, WorkedExamples) {
  EXPECT_EQ(FixedLogistic<int16_t>(4096, 3), 23952);
  EXPECT_EQ(FixedLogistic<int16_t>(-2048, 3), 12367);
  EXPECT_EQ(FixedTanh<int16_t>(1024, 3), 8032);
  EXPECT_EQ(FixedTanh<int16_t>(-1520, 4), -20660);
  EXPECT_EQ(InverseSqrt(169), (QuantizedMultiplier{330382101, -1}));
  const FixedReciprocal r = GetReciprocal(97, 31);
  EXPECT_EQ(r.reciprocal, 1416896426);
  EXPECT_EQ(r.bits_over_unit, 6);
  EXPECT_EQ(GetReciprocal(791651, 12).reciprocal, 1422217498);
  EXPECT_EQ(GetReciprocal(791651, 12).bits_over_unit, 0);
}

TEST(FixedMath, EndsOfTheRange) {
  EXPECT_EQ(FixedExpOfNegative<int32_t>(0, 5), INT32_MAX);
  EXPECT_EQ(FixedExpOfNegative<int16_t>(INT16_MIN, 8), 0);  // exp(-256)
  EXPECT_EQ(FixedLogistic<int16_t>(0, 3), 16384);
  EXPECT_EQ(FixedTanh<int16_t>(0, 3), 0);
  EXPECT_EQ(InverseSqrt(0), (QuantizedMultiplier{INT32_MAX, 0}));
  EXPECT_EQ(FixedScale<int16_t>(20000, 1), INT16_MAX);
  EXPECT_EQ(FixedScale<int16_t>(-20000, 1), INT16_MIN);
}

TEST(FixedMath, CloseToTheRealFunctions) {
  for (int raw = -32768; raw < 32768; raw += 37) {
    const double x = raw / 4096.0;
    const auto a = static_cast<int16_t>(raw);
    EXPECT_NEAR(FixedLogistic<int16_t>(a, 3), 32768 / (1 + std::exp(-x)), 8) << raw;
    EXPECT_NEAR(FixedTanh<int16_t>(a, 3), 32768 * std::tanh(x), 16) << raw;
  }
  for (int64_t x = 1 << 19; x <= INT32_MAX; x = x * 17 / 16) {  // Q12.19
    const double real = std::log(static_cast<double>(x) / (1 << 19));
    EXPECT_NEAR(FixedLogOfAtLeastOne(static_cast<int32_t>(x), 12), std::ldexp(real, 26), 64) << x;
  }
  for (int64_t x = 2; x < (1 << 30); x = x * 3 + 1) {
    const QuantizedMultiplier m = InverseSqrt(static_cast<int32_t>(x));
    EXPECT_NEAR(std::ldexp(m.multiplier, m.shift - 31) * std::sqrt(static_cast<double>(x)), 1.0,
                1e-5)
        << x;
  }
}

}  // namespace
}  // namespace dlpu
