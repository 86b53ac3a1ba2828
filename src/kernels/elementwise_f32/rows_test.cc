// SPDX-License-Identifier: Apache-2.0
// Every vector row that this CPU has against the formulas: every tail length, ties, odd values.
#include "kernels/elementwise_f32/rows.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "kernels/elementwise/affine.h"

namespace dlpu {
namespace {

std::vector<const ElementwiseF32Row*> RowsOfThisCpu() {
  std::vector<const ElementwiseF32Row*> rows;
  const ElementwiseF32RowList list = ElementwiseF32Rows();
  for (int32_t i = 0; i < list.count; ++i) {
    if ((list.rows[i].cpu & ~EnabledCpuFlags()) == 0) rows.push_back(&list.rows[i]);
  }
  return rows;
}

TEST(ElementwiseF32Rows, FloatOpsEqualScalarOnes) {
  std::mt19937 random(5);
  std::uniform_real_distribution<float> draw(-4, 4);
  for (const ElementwiseF32Row* row : RowsOfThisCpu()) {
    for (int n = 1; n < 40; ++n) {
      std::vector<float> a(n), b(n), out(n + 1, 7);
      for (float& v : a) v = draw(random);
      for (float& v : b) v = draw(random);
      a[n / 2] = std::numeric_limits<float>::quiet_NaN();
      for (const bool b_moves : {true, false}) {
        const FloatOperands in{a.data(), b.data(), true, b_moves, -3, 5};
        const auto expect = [&](auto op) {
          for (int i = 0; i < n; ++i) {
            const float want = std::min(std::max(op(a[i], b[b_moves ? i : 0]), -3.0f), 5.0f);
            if (std::isnan(want)) {
              EXPECT_TRUE(std::isnan(out[i])) << row->name;
            } else {
              EXPECT_EQ(out[i], want) << row->name;
            }
          }
          EXPECT_EQ(out[n], 7);
        };
        row->float_sum(in, out.data(), n);
        expect([](float x, float y) { return x + y; });
        row->float_difference(in, out.data(), n);
        expect([](float x, float y) { return x - y; });
        row->float_product(in, out.data(), n);
        expect([](float x, float y) { return x * y; });
        row->float_quotient(in, out.data(), n);
        expect([](float x, float y) { return x / y; });
        row->float_prelu(in, out.data(), n);
        expect([](float x, float y) { return x >= 0 ? x : x * y; });
      }
    }
  }
}

// Exponentials are as good as the C library's, so each side may round to the next float.
TEST(ElementwiseF32Rows, LogisticIsWithinTwoRoundingsOfTheFormula) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const auto formula = [](float x) {
    if (x > 16.619047164916992188f) return 1.0f;
    return x < -9 ? std::exp(x) : 1 / (1 + std::exp(-x));
  };
  std::mt19937 random(8);
  std::uniform_real_distribution<float> near(-20, 20), far(-110, 40);
  for (const ElementwiseF32Row* row : RowsOfThisCpu()) {
    for (int n = 1; n < 400; ++n) {
      std::vector<float> in(n), out(n + 1, 7);
      for (float& v : in) v = n % 2 == 0 ? near(random) : far(random);
      in[n / 2] = std::vector<float>{std::numeric_limits<float>::quiet_NaN(),
                                     kInfinity,
                                     -kInfinity,
                                     0,
                                     -9,
                                     16.619047164916992188f}[n % 6];
      row->float_logistic(in.data(), out.data(), n);
      for (int i = 0; i < n; ++i) {
        const float want = formula(in[i]);
        if (std::isnan(want)) {
          EXPECT_TRUE(std::isnan(out[i])) << row->name;
        } else {
          EXPECT_LE(std::abs(out[i] - want), 0x1p-22f * want + 0x1p-149f) << row->name << in[i];
        }
      }
      EXPECT_EQ(out[n], 7);
    }
  }
}

TEST(ElementwiseF32Rows, QuantizeAndDequantizeEqualTheFormulas) {
  std::mt19937 random(6);
  std::uniform_real_distribution<float> draw(-40, 40);
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  for (const ElementwiseF32Row* row : RowsOfThisCpu()) {
    for (const bool is_signed : {true, false}) {
      for (const float scale : {0.25f, 0.1f, 0.0371f}) {
        const int32_t zero = is_signed ? -7 : 131, low = is_signed ? -128 : 0;
        const AffineQuantize quantize{scale, zero, low, low + 255};
        const AffineDequantize dequantize{scale, zero};
        for (int n = 1; n < 80; ++n) {
          std::vector<float> in(n), reals(n + 1, 7);
          std::vector<uint8_t> codes(n + 1, 0xaa);
          for (float& v : in) v = draw(random);
          for (int i = 0; i < n; i += 3) in[i] = (static_cast<float>(i) - 20.5f) * scale;  // ties
          if (n > 4) {
            in[1] = std::numeric_limits<float>::quiet_NaN();
            in[2] = kInfinity;
            in[4] = -1e30f;
          }
          row->quantize(scale, zero, is_signed, in.data(), codes.data(), n);
          row->dequantize(scale, zero, is_signed, codes.data(), reals.data(), n);
          for (int i = 0; i < n; ++i) {
            EXPECT_EQ(codes[i], static_cast<uint8_t>(quantize(in[i]))) << row->name << in[i];
            const int32_t code = is_signed ? static_cast<int8_t>(codes[i]) : codes[i];
            EXPECT_EQ(reals[i], dequantize(code)) << row->name;
          }
          EXPECT_EQ(codes[n], 0xaa);
          EXPECT_EQ(reals[n], 7);
        }
      }
    }
  }
}

}  // namespace
}  // namespace dlpu
