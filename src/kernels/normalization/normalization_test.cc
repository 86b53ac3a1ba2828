// SPDX-License-Identifier: Apache-2.0
// Worked normalizations.
#include "kernels/normalization/normalization.h"

#include <gtest/gtest.h>

#include <array>

namespace dlpu {
namespace {

TEST(Normalization, L2WorkedExamples) {
  ThreadPool pool(1);
  const std::array<int8_t, 4> input = {3, -4, 0, 12};
  std::array<int8_t, 4> output{};
  L2Normalize({1, 4}, 0, input.data(), output.data(), pool);
  EXPECT_EQ(output, (std::array<int8_t, 4>{30, -39, 0, 118}));
  const std::array<uint8_t, 4> codes = {13, 6, 10, 22};
  std::array<uint8_t, 4> unsigned_output{};
  L2Normalize({1, 4}, 10, codes.data(), unsigned_output.data(), pool);
  // -39.4 becomes -79 halves and then -40: uint8 rounds twice.
  EXPECT_EQ(unsigned_output, (std::array<uint8_t, 4>{158, 88, 128, 246}));
}

TEST(Normalization, ZeroVectorStaysZero) {
  ThreadPool pool(1);
  const std::array<int8_t, 3> input = {5, 5, 5};
  std::array<int8_t, 3> output = {1, 1, 1};
  L2Normalize({1, 3}, 5, input.data(), output.data(), pool);
  EXPECT_EQ(output, (std::array<int8_t, 3>{0, 0, 0}));
}

// The window is half open: channel c + radius does not count.
TEST(Normalization, LocalResponseWindow) {
  ThreadPool pool(1);
  const std::array<float, 3> input = {1, 2, 3};
  std::array<float, 3> output{};
  LocalResponseNormalize({1, 3}, {1, 1, 1, 1}, input.data(), output.data(), pool);
  EXPECT_FLOAT_EQ(output[0], 1.0f / 2);
  EXPECT_FLOAT_EQ(output[1], 2.0f / 6);
  EXPECT_FLOAT_EQ(output[2], 3.0f / 14);
}

}  // namespace
}  // namespace dlpu
