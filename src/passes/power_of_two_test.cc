// SPDX-License-Identifier: Apache-2.0
// Fixed point: scales that are powers of two, with their least exponents and zero points.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "passes/quantize_numbers.h"

namespace dlpu {
namespace {

Quantization Fixed(float low, float high, DataType type = DataType::kInt8) {
  return ActivationQuantization({low, high}, type, true);
}

void ExpectStep(const Quantization& q, double scale, int64_t zero) {
  EXPECT_EQ(q.scale0(), static_cast<float>(scale));
  EXPECT_EQ(q.zero_point[0], zero);
}

TEST(PowerOfTwo, ActivationsTakeTheLeastStepThatReachesTheirRange) {
  ExpectStep(Fixed(0, 6), 1.0 / 32, -128);  // RELU6: codes up to 255 mean 7.97
  ExpectStep(Fixed(0, 255), 1, -128);
  ExpectStep(Fixed(0, 1), 1.0 / 256, -128);  // 1 becomes 255 / 256
  ExpectStep(Fixed(0, 1.01f), 1.0 / 128, -128);
  ExpectStep(Fixed(-1, 1), 1.0 / 128, 0);
  ExpectStep(Fixed(-1.01f, 0.5f), 1.0 / 64, 0);
  ExpectStep(Fixed(-1, 1, DataType::kInt16), 1.0 / 32768, 0);
  ExpectStep(Fixed(0, 6, DataType::kInt16), 1.0 / 4096, 0);
  ExpectStep(Fixed(-300, 0), 4, 0);
}

TEST(PowerOfTwo, ExtremesStillHaveAStep) {
  EXPECT_GT(Fixed(0, 0).scale0(), 0);
  const float largest = 3.4e38f;
  EXPECT_TRUE(std::isfinite(Fixed(-largest, largest).scale0()));
  EXPECT_GT(Fixed(-1e-36f, 1e-36f).scale0(), 0);
}

TEST(PowerOfTwo, EveryRangeIsCoveredButForAStepAtItsTop) {
  int checked = 0;
  for (float top = 1e-6f; top < 1e6f; top *= 1.37f) {
    for (const float low : {0.0f, -0.3f * top, -top}) {
      const Quantization q = Fixed(low, top);
      int exponent = 0;
      EXPECT_EQ(std::frexp(q.scale0(), &exponent), 0.5f);
      const double zero = static_cast<double>(q.zero_point[0]);
      EXPECT_LE(top, (128 - zero) * q.scale0() * (1 + 1e-6));
      EXPECT_GE(low, (-128 - zero) * q.scale0() * (1 + 1e-6));
      // Half the step would not do.
      const bool less_would_do =
          top <= (128 - zero) * q.scale0() / 2 && low >= (-128 - zero) * q.scale0() / 2;
      EXPECT_FALSE(less_would_do) << top << " " << low;
      ++checked;
    }
  }
  EXPECT_GT(checked, 200);
}

Tensor Weights(const std::vector<float>& values) {
  Tensor weights;
  weights.shape = {1, 1, 1, static_cast<int32_t>(values.size())};
  SetFloatValues(weights, values);
  return weights;
}

TEST(PowerOfTwo, WeightsHaveOneStepAndAnOutlierMayBeClipped) {
  std::vector<float> values(400);
  for (size_t i = 0; i < values.size(); ++i) values[i] = 0.01f * static_cast<float>(i % 20) - 0.1f;
  values[7] = 0.26f;
  const auto made = [&](WeightRange how) {
    return QuantizeWeights(Weights(values), 0, false, false, how, {}, true);
  };
  const QuantizedWeights full = made(WeightRange::kMinMax), least = made(WeightRange::kMse);
  ASSERT_EQ(full.quantization.scale.size(), 1u);
  EXPECT_EQ(full.quantization.scale[0], 1.0f / 256);
  EXPECT_EQ(static_cast<int8_t>(full.codes[7]), 67);
  EXPECT_EQ(least.quantization.scale[0], 1.0f / 512);
  EXPECT_EQ(static_cast<int8_t>(least.codes[7]), 127);  // clipped, and the others are nearer
  // A bias that would not fit asks for a larger step, which is a power of two as well.
  const double floor = 0.011;
  const QuantizedWeights wide =
      QuantizeWeights(Weights(values), 0, false, false, WeightRange::kMinMax, {&floor, 1}, true);
  EXPECT_EQ(wide.quantization.scale[0], 1.0f / 64);
}

}  // namespace
}  // namespace dlpu
