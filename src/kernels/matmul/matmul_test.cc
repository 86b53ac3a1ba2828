// SPDX-License-Identifier: Apache-2.0
// Float batch matrix multiplication: every row this CPU has against the reference, all four
// storage orders, broadcasts, around the edges of tiles, with 1, 2 and 4 threads.
#include "kernels/matmul/matmul.h"

#include <algorithm>
#include <cmath>

#include "kernels/conv_f32/conv_f32.h"
#include "kernels/gemm_f32/f32_testing.h"
#include "kernels/matmul/rows.h"

namespace dlpu {
namespace {

struct Product {
  MatMulSpec spec;
  std::vector<float> lhs, rhs;
};

Product RandomProduct(const MatMulSpec& s, uint32_t seed) {
  const int64_t lhs = *std::max_element(s.lhs_index.begin(), s.lhs_index.end()) + 1;
  const int64_t rhs = *std::max_element(s.rhs_index.begin(), s.rhs_index.end()) + 1;
  return {s, RandomFloats(lhs * s.rows * s.depth, seed),
          RandomFloats(rhs * s.depth * s.cols, seed + 1)};
}

MatMulSpec One(int32_t rows, int32_t depth, int32_t cols) {
  MatMulSpec s;
  s.rows = rows;
  s.depth = depth;
  s.cols = cols;
  return s;
}

std::vector<float> Reference(const Product& p) {
  std::vector<float> output(p.spec.lhs_index.size() * static_cast<size_t>(p.spec.rows) *
                            static_cast<size_t>(p.spec.cols));
  MatMulReference(p.spec, p.lhs.data(), p.rhs.data(), output.data());
  return output;
}

// Sums of absolute values, slightly too large rather than too small.
std::vector<float> Magnitudes(Product p) {
  for (auto* values : {&p.lhs, &p.rhs}) {
    for (float& v : *values) v = std::fabs(v) * 1.001f;
  }
  return Reference(p);
}

std::vector<float> RunOn(const PreparedMatMul& matmul, const Product& p, int threads) {
  ThreadPool pool(threads);
  GuardedFloats lhs(p.lhs), rhs(p.rhs);
  GuardedFloats output(static_cast<int64_t>(p.spec.lhs_index.size()) * p.spec.rows * p.spec.cols);
  AlignedScratch scratch(matmul.ScratchBytes(threads));
  matmul.Run(lhs.data(), rhs.data(), output.data(), scratch.data(), pool);
  EXPECT_TRUE(output.Intact()) << matmul.row() << " wrote outside its output";
  return output.values();
}

void ExpectRowKeepsBound(const MatMulRow& row, const Product& p) {
  const auto matmul = row.prepare(row, p.spec);
  ASSERT_EQ(matmul->row(), row.name);
  const std::vector<float> expected = Reference(p), magnitude = Magnitudes(p);
  const std::vector<float> one = RunOn(*matmul, p, 1);
  for (size_t i = 0; i < expected.size(); ++i) {
    ASSERT_LE(std::fabs(double{one[i]} - double{expected[i]}),
              ConvF32Bound(p.spec.depth, magnitude[i]))
        << row.name << " output " << i << " of " << p.spec.rows << "x" << p.spec.depth << "x"
        << p.spec.cols;
  }
  if (one.size() < 7000) return;  // too small to be worth sharing, and there are many
  for (const int threads : {2, 4}) {
    EXPECT_TRUE(SameBytes(one, RunOn(*matmul, p, threads))) << row.name << " depends on threads";
  }
}

TEST(MatMul, EveryRowKeepsTheBound) {
  RowsThatRan ran("matmul");
  for (const MatMulRow& row : MatMulRows()) {
    if ((row.cpu & ~DetectedCpuFlags()) != 0) continue;
    ran.Add(row.name);
    const int32_t widest = std::max(row.lanes * row.vectors, 1);
    uint32_t seed = 1;
    for (const int32_t rows : {1, 5, 6, 7, 8, 9, 13, 200}) {
      for (const int32_t cols : {1, 7, 8, 9, 16, 17, widest, widest + 1, 2 * widest + 5}) {
        for (int order = 0; order < 4; ++order) {
          MatMulSpec s = One(rows, 19, cols);
          s.lhs_transposed = (order & 1) != 0;
          s.rhs_transposed = (order & 2) != 0;
          ExpectRowKeepsBound(row, RandomProduct(s, seed++));
        }
      }
    }
    MatMulSpec batches = One(11, 33, 20);
    batches.lhs_index = {0, 1, 2, 3, 4, 5};
    batches.rhs_index = {1, 0, 1, 0, 1, 0};
    ExpectRowKeepsBound(row, RandomProduct(batches, 3));
    batches.lhs_transposed = batches.rhs_transposed = true;
    batches.lhs_index = {0, 0, 0, 0, 0, 0};
    batches.rhs_index = {0, 1, 2, 3, 4, 5};
    ExpectRowKeepsBound(row, RandomProduct(batches, 4));
  }
}

TEST(MatMul, NotFiniteValues) {
  // Nothing is clamped: NaN and infinity reach exactly the outputs that see them.
  Product p = RandomProduct(One(9, 20, 40), 5);
  p.lhs[2 * 20 + 3] = std::numeric_limits<float>::quiet_NaN();
  p.lhs[5 * 20 + 3] = std::numeric_limits<float>::infinity();
  const std::vector<float> expected = Reference(p);
  for (const MatMulRow& row : MatMulRows()) {
    if ((row.cpu & ~DetectedCpuFlags()) != 0) continue;
    const std::vector<float> y = RunOn(*row.prepare(row, p.spec), p, 1);
    for (size_t i = 0; i < y.size(); ++i) {
      if (i / 40 == 2) {
        EXPECT_TRUE(std::isnan(y[i])) << row.name;
      } else if (i / 40 == 5) {
        EXPECT_EQ(y[i], expected[i]) << row.name;
      } else {
        EXPECT_NEAR(y[i], expected[i], 1e-4f) << row.name;
      }
    }
  }
}

TEST(MatMul, ChoosesTheFirstRowTheCpuHas) {
  EXPECT_EQ(PrepareMatMul(One(2, 3, 4), kCpuNone)->row(), "matmul_portable");
  for (const MatMulRow& row : MatMulRows()) {
    if (row.cpu == kCpuNone) continue;
    EXPECT_EQ(PrepareMatMul(One(2, 3, 4), row.cpu)->row(), row.name);
  }
}

}  // namespace
}  // namespace dlpu
