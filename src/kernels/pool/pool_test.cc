// SPDX-License-Identifier: Apache-2.0
// Hand-computed pools: rounding of ties, borders that count fewer positions, bounds.
#include "kernels/pool/pool.h"

#include <gtest/gtest.h>

#include <array>
#include <cfloat>

namespace dlpu {
namespace {

// A 2x2 picture of one channel under a 2x2 window with SAME padding: counts 4, 2, 2, 1.
PoolSpecInt Corner(int32_t low, int32_t high) {
  PoolSpecInt spec;
  spec.in_h = spec.in_w = spec.out_h = spec.out_w = 2;
  spec.filter_h = spec.filter_w = 2;
  spec.low = low;
  spec.high = high;
  return spec;
}

TEST(Pool, SignedAverageRoundsHalvesAwayFromZero) {
  ThreadPool pool(2);
  alignas(64) std::array<uint8_t, 64> scratch;
  const std::array<int8_t, 4> input = {-1, -2, -3, 0};
  std::array<int8_t, 4> output{};
  AveragePool(Corner(-128, 127), input.data(), output.data(), scratch.data(), pool);
  EXPECT_EQ(output, (std::array<int8_t, 4>{-2, -1, -2, 0}));  // -6/4, -2/2, -3/2, 0/1
  AveragePool(Corner(-1, 127), input.data(), output.data(), scratch.data(), pool);
  EXPECT_EQ(output, (std::array<int8_t, 4>{-1, -1, -1, 0}));
}

TEST(Pool, UnsignedAverageRoundsHalvesUp) {
  ThreadPool pool(1);
  alignas(64) std::array<uint8_t, 64> scratch;
  const std::array<uint8_t, 4> input = {1, 2, 3, 0};
  std::array<uint8_t, 4> output{};
  AveragePool(Corner(0, 255), input.data(), output.data(), scratch.data(), pool);
  EXPECT_EQ(output, (std::array<uint8_t, 4>{2, 1, 2, 0}));
}

TEST(Pool, MaximumStartsBelowEveryCode) {
  ThreadPool pool(1);
  const std::array<int8_t, 4> input = {-128, -7, -128, -128};
  std::array<int8_t, 4> output{};
  MaxPool(Corner(-100, 127), input.data(), output.data(), pool);
  EXPECT_EQ(output, (std::array<int8_t, 4>{-7, -7, -100, -100}));
  PoolSpecFloat spec;
  spec.in_w = 3;
  spec.filter_w = 3;
  spec.low = -FLT_MAX;
  spec.high = 6;
  const std::array<float, 3> numbers = {1, 8, -2};
  float largest = 0;
  MaxPool(spec, numbers.data(), &largest, pool);
  EXPECT_EQ(largest, 6);
}

}  // namespace
}  // namespace dlpu
