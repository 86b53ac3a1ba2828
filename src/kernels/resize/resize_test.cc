// SPDX-License-Identifier: Apache-2.0
// Worked one-dimensional enlargements from 3 to 5 in the three coordinate modes.
#include "kernels/resize/resize.h"

#include <gtest/gtest.h>

#include <array>

namespace dlpu {
namespace {

std::array<int8_t, 5> Enlarge(bool align, bool half) {
  ThreadPool pool(1);
  const std::array<int8_t, 3> input = {10, -21, 40};
  std::array<int8_t, 5> output{};
  ResizeBilinear({.in_w = 3, .out_w = 5}, IntegerTaps({1, 1, align, half}),
                 IntegerTaps({3, 5, align, half}), input.data(), output.data(), pool);
  return output;
}

TEST(Resize, BilinearWorkedExamples) {
  EXPECT_EQ(Enlarge(false, true), (std::array<int8_t, 5>{10, -2, -21, 16, 40}));
  EXPECT_EQ(Enlarge(true, false), (std::array<int8_t, 5>{10, -6, -21, 10, 40}));
  EXPECT_EQ(Enlarge(false, false), (std::array<int8_t, 5>{10, -9, -9, 28, 40}));
}

TEST(Resize, HugeEnlargementStaysInside) {
  for (const BilinearTap<int32_t>& tap : IntegerTaps({1, 5000, false, false})) {
    EXPECT_EQ(tap.low, 0);
    EXPECT_EQ(tap.high, 0);
  }
}

TEST(Resize, NearestPositions) {
  EXPECT_EQ(NearestPositions({3, 5, false, false}), (std::vector<int32_t>{0, 0, 1, 1, 2}));
  EXPECT_EQ(NearestPositions({3, 5, true, false}), (std::vector<int32_t>{0, 1, 1, 2, 2}));
  EXPECT_EQ(NearestPositions({4, 2, false, true}), (std::vector<int32_t>{1, 3}));
}

}  // namespace
}  // namespace dlpu
