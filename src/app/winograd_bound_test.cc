// SPDX-License-Identifier: Apache-2.0
// The bound against Winograd's method carried out with rounded weights.
#include "app/winograd_bound.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <random>

namespace dlpu {
namespace {

// 3x3, `channels` to 1, all scales 1 but the output's.
Program Convolution(const std::vector<int8_t>& weights, int channels, float output_scale) {
  Program p;
  p.tensors.push_back(
      {"in", DataType::kInt8, {1, 4, 4, channels}, {{1.0f}, {-28}, 0}, {}, false, false});
  p.tensors.push_back({"w",
                       DataType::kInt8,
                       {1, 3, 3, channels},
                       {{1.0f}, {0}, 0},
                       std::vector<uint8_t>(weights.begin(), weights.end()),
                       true,
                       false});
  p.tensors.push_back(
      {"out", DataType::kInt8, {1, 2, 2, 1}, {{output_scale}, {0}, 0}, {}, false, false});
  ConvAttrs attrs;
  attrs.padding = Padding::kValid;
  p.steps.push_back(
      {{Op::kConv2d, "conv", {0, 1, kNoTensor}, {2}, {}, attrs, 1}, Engine::kDlpu, {}});
  p.inputs = {0};
  p.outputs = {2};
  return p;
}

// The four outputs of a 4x4 tile, directly and by Winograd's method with transformed weights
// rounded (or not).
using Four = std::array<double, 4>;
Four Direct(const std::vector<int8_t>& w, const std::vector<int>& d, int channels) {
  Four y{};
  for (int p = 0; p < 4; ++p) {
    for (int k = 0; k < 9; ++k) {
      for (int c = 0; c < channels; ++c) {
        y[p] += w[k * channels + c] * d[((p / 2 + k / 3) * 4 + p % 2 + k % 3) * channels + c];
      }
    }
  }
  return y;
}

Four Winograd(const std::vector<int8_t>& w, const std::vector<int>& d, int channels, bool round) {
  const double g[4][3] = {{1, 0, 0}, {.5, .5, .5}, {.5, -.5, .5}, {0, 0, 1}};
  const double b[4][4] = {{1, 0, -1, 0}, {0, 1, 1, 0}, {0, -1, 1, 0}, {0, 1, 0, -1}};
  const double a[2][4] = {{1, 1, 1, 0}, {0, 1, -1, -1}};
  double m[4][4] = {};
  for (int c = 0; c < channels; ++c) {
    for (int i = 0; i < 4; ++i) {
      for (int j = 0; j < 4; ++j) {
        double u = 0, v = 0;
        for (int x = 0; x < 3; ++x) {
          for (int y = 0; y < 3; ++y) u += g[i][x] * w[(x * 3 + y) * channels + c] * g[j][y];
        }
        for (int x = 0; x < 4; ++x) {
          for (int y = 0; y < 4; ++y) v += b[i][x] * d[(x * 4 + y) * channels + c] * b[j][y];
        }
        m[i][j] += (round ? std::round(u) : u) * v;
      }
    }
  }
  Four out{};
  for (int p = 0; p < 4; ++p) {
    for (int i = 0; i < 4; ++i) {
      for (int j = 0; j < 4; ++j) out[p] += a[p / 2][i] * m[i][j] * a[p % 2][j];
    }
  }
  return out;
}

TEST(WinogradBound, HoldsAndIsReached) {
  std::mt19937 random(7);
  constexpr int kChannels = 2;
  int moved = 0;
  for (int trial = 0; trial < 20; ++trial) {
    std::vector<int8_t> w(9 * kChannels);
    for (int8_t& x : w) x = static_cast<int8_t>(random() % 256 - 128);
    const float scale = 16;
    const auto bound = WinogradBoundOf(Convolution(w, kChannels, scale), 0);
    ASSERT_TRUE(bound.has_value());
    double widest = 0;
    for (int i = 0; i < 2000; ++i) {
      // Extreme inputs come near the bound, random ones do not.
      std::vector<int> d(16 * kChannels);
      for (int& x : d)
        x = i % 2 ? static_cast<int>(random() % 256) - 100 : random() % 2 ? 155 : -100;
      const Four direct = Direct(w, d, kChannels), exact = Winograd(w, d, kChannels, false);
      const Four rounded = Winograd(w, d, kChannels, true);
      for (int p = 0; p < 4; ++p) {
        ASSERT_NEAR(direct[p], exact[p], 1e-6);
        widest = std::max(widest, std::abs(rounded[p] - direct[p]));
        const double codes =
            std::abs(std::round(rounded[p] / scale) - std::round(direct[p] / scale));
        ASSERT_LE(codes, bound->worst_codes);
      }
    }
    moved += widest > 0;
    // Chance comes at least a third of the way.
    EXPECT_GE(widest / scale, (bound->worst_codes - 1) / 3);
  }
  EXPECT_GT(moved, 10);
}

TEST(WinogradBound, WeightsThatNeedNoRoundingMoveNothing) {
  std::vector<int8_t> w(9, 4);
  EXPECT_EQ(WinogradBoundOf(Convolution(w, 1, 1), 0)->worst_codes, 0);
  w[0] = 5;
  EXPECT_GT(WinogradBoundOf(Convolution(w, 1, 1), 0)->worst_codes, 0);
}

TEST(WinogradBound, OtherConvolutionsHaveNone) {
  Program p = Convolution(std::vector<int8_t>(9, 1), 1, 1);
  std::get<ConvAttrs>(p.steps[0].node.attrs).stride_w = 2;
  EXPECT_FALSE(WinogradBoundOf(p, 0).has_value());
  p = Convolution(std::vector<int8_t>(9, 1), 1, 1);
  EXPECT_EQ(WinogradBounds(p).size(), 1u);
  p.steps[0].engine = Engine::kCpu;
  EXPECT_TRUE(WinogradBounds(p).empty());
}

}  // namespace
}  // namespace dlpu
