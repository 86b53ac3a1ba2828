// SPDX-License-Identifier: Apache-2.0
// A worked softmax, its ends, and its distance from the real function.
#include "kernels/softmax/softmax.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <vector>

namespace dlpu {
namespace {

TEST(Softmax, WorkedExample) {
  ThreadPool pool(1);
  const auto table = MakeSoftmaxTable(static_cast<double>(0.1f));
  ASSERT_TRUE(table.has_value());
  EXPECT_EQ(table->exp[10], 790014891);
  EXPECT_EQ(table->exp[50], 14469627);
  EXPECT_NE(table->exp[200], 0);  // e^-20 is 4 units of 2^-31
  EXPECT_EQ(table->exp[249], 0);
  const std::array<int8_t, 4> input = {10, 0, -10, -40};
  std::array<int8_t, 4> output{};
  Softmax(*table, {1, 4}, input.data(), output.data(), pool);
  EXPECT_EQ(output, (std::array<int8_t, 4>{42, -66, -105, -127}));
}

TEST(Softmax, NeedsAPositiveScale) {
  EXPECT_FALSE(MakeSoftmaxTable(0).has_value());
  EXPECT_FALSE(MakeSoftmaxTable(-1).has_value());
  EXPECT_FALSE(MakeSoftmaxTable(std::ldexp(1.0, -26)).has_value());
  EXPECT_TRUE(MakeSoftmaxTable(std::ldexp(1.0, -25)).has_value());
}

// 1/600 of the unit rounds to nothing, and so does the sum that LiteRT cannot divide by.
TEST(Softmax, ManyEqualCodes) {
  ThreadPool pool(2);
  const auto table = MakeSoftmaxTable(0.5);
  const std::vector<uint8_t> input(600, 7);
  std::vector<uint8_t> output(600, 1);
  Softmax(*table, {1, 600}, input.data(), output.data(), pool);
  EXPECT_EQ(output, std::vector<uint8_t>(600, 0));
}

TEST(Softmax, FloatRowsSumToOne) {
  ThreadPool pool(2);
  const std::array<float, 6> input = {0, 1, 2, -5, 0, 5};
  std::array<float, 6> output{};
  Softmax(0.5f, {2, 3}, input.data(), output.data(), pool);
  EXPECT_NEAR(output[1] / output[0], std::exp(0.5), 1e-6);
  EXPECT_NEAR(output[3] + output[4] + output[5], 1, 1e-6);
}

}  // namespace
}  // namespace dlpu
