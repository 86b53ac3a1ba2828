// SPDX-License-Identifier: Apache-2.0
// Hand-computed 16x8 sums under each rounding rule.
#include "kernels/conv16/conv16.h"

#include <gtest/gtest.h>

#include <array>

namespace dlpu {
namespace {

Requantization Scale(double scale) { return {QuantizeMultiplier(scale), scale}; }

TEST(Conv16, EachRuleRoundsItsOwnWay) {
  // 0.0003 keeps 15 bits of the multiplier under R64.
  EXPECT_EQ(Scale16(100000, Scale(0.0003), Rounding16::kInt64), 30);
  EXPECT_EQ(Scale16(-8333333, Scale(0.0003), Rounding16::kInt64), -2500);
  EXPECT_EQ(Scale16(-6, Scale(0.25), Rounding16::kInt32), -2);  // half away from zero
  EXPECT_EQ(Scale16(-6, Scale(0.25), Rounding16::kInt32Up), -1);
  EXPECT_EQ(Scale16(-6, Scale(0.25), Rounding16::kInt64), -1);  // half up
  EXPECT_EQ(Scale16(-6, Scale(0.25), Rounding16::kFloat64), -2);
  // 2^32 + 8 wraps to 8 in 32 bits.
  const int64_t wide = (int64_t{1} << 32) + 8;
  EXPECT_EQ(Scale16(wide, Scale(0.5), Rounding16::kInt32), 4);
  EXPECT_EQ(Scale16(wide, Scale(0.5), Rounding16::kFloat32), 4);
  EXPECT_EQ(Scale16(wide, Scale(1.0 / (1 << 20)), Rounding16::kFloat64), 4096);
}

TEST(Conv16, DepthwiseIsAGroupOfOneChannel) {
  Conv16Spec spec;
  spec.in_c = spec.out_c = spec.groups = 2;
  spec.in_w = 3;
  spec.out_w = 2;
  spec.kernel_w = 2;
  spec.high = 1000;
  spec.requantization = {Scale(1), Scale(1)};
  const std::array<int16_t, 6> input = {1, 10, 2, 20, 3, 30};
  const std::array<int16_t, 4> weights = {1, 2, 100, -1};
  const std::array<int64_t, 2> bias = {5, 0};
  std::array<int16_t, 4> output{};
  ThreadPool pool(2);
  Conv16(spec, input.data(), weights.data(), bias.data(), output.data(), pool);
  EXPECT_EQ(output, (std::array<int16_t, 4>{10, 980, 13, 1000}));
}

}  // namespace
}  // namespace dlpu
