// SPDX-License-Identifier: Apache-2.0
// Small integer products, transposed and not, with zero points.
#include "kernels/matmul_int/matmul_int.h"

#include <gtest/gtest.h>

#include <array>

namespace dlpu {
namespace {

TEST(MatMulInt, ZeroPointsAndTransposedSides) {
  ThreadPool pool(2);
  alignas(64) std::array<uint8_t, 256> scratch;
  MatMulIntSpec spec;
  spec.product.rows = 2;
  spec.product.depth = 2;
  spec.product.cols = 2;
  spec.lhs_zero = 1;
  spec.rhs_zero = -1;
  spec.output_zero = 3;
  spec.scale = QuantizeMultiplier(1.0);
  // (1 2; 3 4) minus 1 times (0 1; 2 3) plus 1.
  const std::array<int8_t, 4> lhs = {1, 2, 3, 4}, rhs = {0, 1, 2, 3};
  std::array<int8_t, 4> output{};
  MatMulInt(spec, lhs.data(), rhs.data(), output.data(), scratch.data(), pool);
  EXPECT_EQ(output, (std::array<int8_t, 4>{6, 7, 14, 19}));
  const std::array<int8_t, 4> lhs_t = {1, 3, 2, 4}, rhs_t = {0, 2, 1, 3};
  spec.product.lhs_transposed = spec.product.rhs_transposed = true;
  MatMulInt(spec, lhs_t.data(), rhs_t.data(), output.data(), scratch.data(), pool);
  EXPECT_EQ(output, (std::array<int8_t, 4>{6, 7, 14, 19}));
  std::array<int32_t, 4> sums{};
  MatMulInt(spec, lhs_t.data(), rhs_t.data(), sums.data(), scratch.data(), pool);
  EXPECT_EQ(sums, (std::array<int32_t, 4>{4, 7, 8, 15}));
}

}  // namespace
}  // namespace dlpu
