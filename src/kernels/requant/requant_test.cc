// SPDX-License-Identifier: Apache-2.0
// The steps on which proofs of the float requantization rest, and how often proofs succeed.
// That kernels requantize as the reference is tested with the rows that use the forms.
#include "kernels/requant/requant.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "kernels/requant/sums.h"

namespace dlpu {
namespace {

TEST(RequantSteps, AreWhereTheReferenceSteps) {
  std::mt19937 engine(5);
  int64_t steps_seen = 0, vectors_seen = 0;
  const RequantProof* proof = (DetectedCpuFlags() & kCpuAvx2) != 0 ? RequantProofAvx2() : nullptr;
  std::vector<int32_t> steps, walked;
  for (int i = 0; i < 3000; ++i) {
    const double octaves = std::uniform_real_distribution<double>(-5.0, 16.0)(engine);
    const double scale = std::exp2(i % 5 == 0 ? -std::ceil(octaves) : -octaves);
    const Requantization r{QuantizeMultiplier(scale), scale};
    for (const Rounding rounding : {Rounding::kDouble, Rounding::kDoubleUp, Rounding::kFloat64}) {
      const auto value = [&](int32_t x) {
        return Requantize(x, r, rounding, 0, INT32_MIN, INT32_MAX);
      };
      int32_t first = -200;
      RequantSteps(r, rounding, first, 255, nullptr, steps);
      if (proof != nullptr) {  // its vectors walk the same steps, from any first value
        int32_t from = -200 + i % 190, last = 255 - i % 19;
        RequantSteps(r, rounding, from, last, proof, walked);
        const int32_t skip = from - first;
        ASSERT_GE(skip, 0);
        ASSERT_LE(skip + walked.size(), steps.size());
        EXPECT_TRUE(std::equal(walked.begin(), walked.end(), steps.begin() + skip))
            << "scale " << scale;
        vectors_seen += static_cast<int64_t>(walked.size());
      }
      for (const int32_t x : steps) {
        ASSERT_GE(value(x), first) << "scale " << scale << ", x " << x;
        ASSERT_LT(value(x - 1), first) << "scale " << scale << ", x " << x;
        ++first;
        ++steps_seen;
      }
      EXPECT_EQ(first, 256);
    }
  }
  EXPECT_GT(steps_seen, 0);
  if (proof != nullptr) {
    EXPECT_GT(vectors_seen, 0);
  }
}

TEST(RequantizeSums, EqualsTheReference) {
  std::mt19937 engine(6);
  const auto random = [&](int32_t low, int32_t high) {
    return std::uniform_int_distribution<int32_t>(low, high)(engine);
  };
  std::vector<int32_t> sums;
  std::vector<uint8_t> codes;
  for (int i = 0; i < 2000; ++i) {
    const bool is_signed = i % 2 == 0;
    const int32_t least = is_signed ? -128 : 0;
    RequantLayer layer{i % 3 == 0 ? Rounding::kDoubleUp : Rounding::kDouble, least + random(0, 255),
                       least, least + 255, is_signed};
    if (i % 5 == 0) layer.low = layer.zero;
    const QuantizedMultiplier m =
        QuantizeMultiplier(std::exp2(std::uniform_real_distribution<double>(-31, 8)(engine)));
    sums.resize(static_cast<size_t>(random(0, 300)));
    const int32_t most = i % 7 == 0 ? INT32_MAX : (1 << random(8, 30));
    for (int32_t& sum : sums) sum = random(-most, most);
    if (!sums.empty()) sums[0] = INT32_MIN;
    codes.assign(sums.size() + 32, 0x5A);
    RequantizeSums(layer, m, sums, codes.data(), DetectedCpuFlags());
    for (size_t k = 0; k < sums.size(); ++k) {
      ASSERT_EQ(codes[k], static_cast<uint8_t>(Requantize(sums[k], {m, 0.0}, layer.rounding,
                                                          layer.zero, layer.low, layer.high)))
          << sums[k] << " * " << m.multiplier << " << " << m.shift;
    }
    for (size_t k = sums.size(); k < codes.size(); ++k) ASSERT_EQ(codes[k], 0x5A);
  }
}

TEST(RequantPlanner, ChoosesTheCheapestExactForm) {
  const auto form = [](Rounding rounding, int32_t low, double scale, int64_t max_abs,
                       CpuFlags cpu) {
    RequantPlanner planner({rounding, 10, low, 255, false}, cpu);
    return planner.Plan({QuantizeMultiplier(scale), scale}, 0, max_abs).form;
  };
  const CpuFlags float_cpu = DetectedCpuFlags() & (kCpuAvx2 | kCpuNeon);
  if (float_cpu != 0) {
    EXPECT_EQ(form(Rounding::kDouble, 10, 0.00371, 1 << 20, float_cpu), RequantForm::kFloat);
    EXPECT_EQ(form(Rounding::kDouble, 0, 0.00371, 1 << 20, float_cpu), RequantForm::kFloatSigned);
    EXPECT_EQ(form(Rounding::kDoubleUp, 0, 0.00371, 1 << 20, float_cpu), RequantForm::kFloat);
    EXPECT_EQ(form(Rounding::kFloat64, 0, 0.00371, 1 << 20, float_cpu), RequantForm::kFloatSigned);
    // Scales above 1 as long as no step wraps.
    EXPECT_EQ(form(Rounding::kDouble, 10, 1.0, 1 << 20, float_cpu), RequantForm::kFloat);
    EXPECT_EQ(form(Rounding::kDouble, 0, 7.31, 1 << 20, float_cpu), RequantForm::kFloatSigned);
    EXPECT_EQ(form(Rounding::kDouble, 0, 7.31, 1 << 30, float_cpu), RequantForm::kRaw);
    // Too fine for a float's 24 bits.
    EXPECT_EQ(form(Rounding::kDouble, 10, 3e-6, 1 << 20, float_cpu), RequantForm::kFixed);
  }
  EXPECT_EQ(form(Rounding::kDouble, 10, 0.00371, 1 << 20, kCpuNone), RequantForm::kFixed);
  EXPECT_EQ(form(Rounding::kDouble, 0, 0.00371, 1 << 20, kCpuNone), RequantForm::kFixedSigned);
  EXPECT_EQ(form(Rounding::kDoubleUp, 0, 0.00371, 1 << 20, kCpuNone), RequantForm::kFixed);
  EXPECT_EQ(form(Rounding::kFloat64, 0, 0.00371, 1 << 20, kCpuNone), RequantForm::kRaw);
  EXPECT_EQ(form(Rounding::kFloat32Even, 0, 0.00371, 1 << 20, kCpuNone), RequantForm::kFloatSigned);
  // Scales of 1 and more, and accumulators that may wrap.
  EXPECT_EQ(form(Rounding::kDouble, 0, 1.5, 1 << 20, kCpuNone), RequantForm::kRaw);
  EXPECT_EQ(form(Rounding::kDouble, 0, 0.5, int64_t{1} << 32, kCpuNone), RequantForm::kRaw);
}

// Channels whose sums all give one code: the code itself, whatever the scale.
TEST(RequantPlanner, ConstantChannels) {
  const CpuFlags cpu = DetectedCpuFlags() & (kCpuAvx2 | kCpuNeon);
  if (cpu == 0) GTEST_SKIP() << "no AVX2";
  for (const int32_t low : {-10, 3}) {
    RequantPlanner planner({Rounding::kDouble, 3, low, 255, false}, cpu);
    for (const int64_t middle : {int64_t{0}, int64_t{2000000000}, int64_t{-2000000000}}) {
      const double scale = 1e-8;
      const RequantChannel c = planner.Plan({QuantizeMultiplier(scale), scale}, middle, 1000000);
      EXPECT_EQ(c.scale, 0.0f);
      const int32_t code = static_cast<int32_t>(std::lround(static_cast<double>(middle) * scale));
      const bool late = low < 3;
      EXPECT_EQ(c.form, late ? RequantForm::kFloatSigned : RequantForm::kFloat);
      EXPECT_EQ(c.offset, static_cast<float>(late ? std::abs(code) : code + 3));
    }
    // Beside a channel that needs integers: every lane, this code too, is made of integers.
    const double scales[2] = {1.0, 1e-6};
    const std::vector<Requantization> r = {{QuantizeMultiplier(scales[0]), scales[0]},
                                           {QuantizeMultiplier(scales[1]), scales[1]}};
    const std::vector<RequantChannel> channels = {planner.Plan(r[0], -7, 0),
                                                  planner.Plan(r[1], 0, 1000000)};
    alignas(64) RequantBlock<8> block{};
    const RequantPanel panel = planner.MakePanel(8, 1, std::vector<int32_t>{-7, 0}, r, channels,
                                                 reinterpret_cast<uint8_t*>(&block));
    EXPECT_EQ(panel.forms[0], low < 3 ? RequantForm::kFixedSigned : RequantForm::kFixed);
    EXPECT_EQ(block.fixed.even[0], 0u);
    EXPECT_EQ(block.fixed.add_even[0] >> 32, low < 3 ? -7 : -4);
    // Both ends differ.
    const double scale = 1e-6;
    const RequantForm form = planner.Plan({QuantizeMultiplier(scale), scale}, 0, 1000000).form;
    EXPECT_TRUE(form == RequantForm::kFixed || form == RequantForm::kFixedSigned);
  }
}

}  // namespace
}  // namespace dlpu
