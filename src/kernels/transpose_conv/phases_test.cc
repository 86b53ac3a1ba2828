// SPDX-License-Identifier: Apache-2.0
// Blocks of phases against the reference: every stride, kernel, padding and cut of the picture, for
// codes bit for bit and for floats within the bound, on the best row and on the references.
#include "kernels/transpose_conv/phases.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "kernels/aligned.h"
#include "kernels/row_testing.h"

namespace dlpu {
namespace {

using testing::Random;

TransposeConvSpec RandomSpec(Random& random) {
  TransposeConvSpec s;
  s.batch = random.Int(1, 2);
  s.in_h = random.Int(1, 5);
  s.in_w = random.Int(1, 7);
  s.in_c = random.Pick({1, 3, 16, 20});
  s.out_c = random.Pick({1, 2, 5, 16});
  s.kernel_h = random.Int(1, 5);
  s.kernel_w = random.Int(1, 5);
  s.stride_h = random.Int(1, 4);
  s.stride_w = random.Int(1, 4);
  s.pad_top = random.Int(0, s.kernel_h - 1);
  s.pad_left = random.Int(0, s.kernel_w - 1);
  // Up to a few rows that no input reaches.
  s.out_h = std::max(1, (s.in_h - 1) * s.stride_h + s.kernel_h - s.pad_top - random.Int(-2, 3));
  s.out_w = std::max(1, (s.in_w - 1) * s.stride_w + s.kernel_w - s.pad_left - random.Int(-2, 3));
  return s;
}

size_t Inputs(const TransposeConvSpec& s) {
  return static_cast<size_t>(s.batch) * s.in_h * s.in_w * s.in_c;
}
size_t Weights(const TransposeConvSpec& s) {
  return static_cast<size_t>(s.out_c) * s.kernel_h * s.kernel_w * s.in_c;
}
size_t Outputs(const TransposeConvSpec& s) {
  return static_cast<size_t>(s.batch) * s.out_h * s.out_w * s.out_c;
}

template <typename T>
std::vector<T> RunPhased(const PhasedTransposeConv& phased, const std::vector<T>& input,
                         size_t outputs, ThreadPool& pool) {
  std::vector<T> padded = input;
  padded.resize(input.size() + 256, T{77});
  std::vector<T> output(outputs + 8, T{55});
  AlignedBytes scratch(phased.ScratchBytes(pool.threads()) + 64);
  phased.Run(reinterpret_cast<const uint8_t*>(padded.data()),
             reinterpret_cast<uint8_t*>(output.data()), scratch.data(), pool);
  for (size_t i = outputs; i < output.size(); ++i) EXPECT_EQ(output[i], T{55}) << "past the end";
  output.resize(outputs);
  return output;
}

TEST(PhasedTransposeConv, CodesEqualTheReference) {
  Random random(91);
  ThreadPool pool(2);
  int compared = 0;
  for (int i = 0; i < 400; ++i) {
    const TransposeConvSpec s = RandomSpec(random);
    TransposeConvOutput out;
    out.input_signed = random.Chance(0.5);
    out.low = out.input_signed ? -128 : 0;
    out.high = out.low + 255;
    out.input_zero = out.low + random.Int(0, 255);
    out.output_zero = out.low + random.Int(0, 255);
    const int32_t zero = out.input_signed ? 0 : random.Int(0, 255);
    std::vector<uint8_t> input(Inputs(s)), weights(Weights(s));
    for (uint8_t& v : input) v = random.Byte();
    for (uint8_t& v : weights) v = random.Byte();
    std::vector<int32_t> bias;
    for (int o = 0; o < s.out_c; ++o) {
      bias.push_back(random.Int(-5000, 5000));
      const double scale = 0.0005 + 0.002 * random.Real();
      out.requantization.push_back({QuantizeMultiplier(scale), scale});
    }
    std::vector<uint8_t> expected(Outputs(s));
    AlignedBytes scratch(TransposeConvScratchBytes(s, pool.threads()));
    const auto packed = PackTransposeConv(s, weights.data(), out.input_signed, zero);
    TransposeConv(s, out, input.data(), packed.data(), bias.data(), expected.data(), scratch.data(),
                  pool);
    for (const CpuFlags cpu : {DetectedCpuFlags(), CpuFlags{kCpuNone}}) {
      const auto phased = PhasedTransposeConv::Make(s, out, weights.data(), zero, bias.data(), cpu);
      if (phased == nullptr) continue;
      EXPECT_EQ(RunPhased(*phased, input, expected.size(), pool), expected)
          << phased->row() << ", case " << i;
      ++compared;
    }
  }
  std::printf("%d of 800 compared\n", compared);
  EXPECT_GE(compared, 400);
}

TEST(PhasedTransposeConv, FloatsStayWithinTheBound) {
  Random random(92);
  ThreadPool pool(2);
  int compared = 0;
  for (int i = 0; i < 400; ++i) {
    const TransposeConvSpec s = RandomSpec(random);
    const TransposeConvFloatOutput out{random.Chance(0.5), -3, 4};
    std::vector<float> input(Inputs(s)), weights(Weights(s)), bias(s.out_c);
    for (float& v : input) v = static_cast<float>(random.Real() - 0.5);
    for (float& v : weights) v = static_cast<float>(random.Real() - 0.5);
    for (float& v : bias) v = static_cast<float>(random.Real() - 0.5);
    const bool biased = random.Chance(0.7);
    const auto reference = [&](const TransposeConvFloatOutput& how) {
      std::vector<float> result(Outputs(s));
      AlignedBytes scratch(TransposeConvScratchBytes(s, pool.threads()));
      TransposeConv(s, how, input.data(), PackTransposeConv(s, weights.data()).data(),
                    biased ? bias.data() : nullptr, result.data(), scratch.data(), pool);
      return result;
    };
    const std::vector<float> expected = reference(out);
    std::vector<std::unique_ptr<PhasedTransposeConv>> made;
    for (const CpuFlags cpu : {DetectedCpuFlags(), CpuFlags{kCpuNone}}) {
      made.push_back(
          PhasedTransposeConv::Make(s, out, weights.data(), biased ? bias.data() : nullptr, cpu));
    }
    std::vector<std::vector<float>> got;
    for (const auto& phased : made) {
      if (phased != nullptr) got.push_back(RunPhased(*phased, input, expected.size(), pool));
    }
    // The sum of the products' magnitudes.
    for (std::vector<float>* values : {&input, &weights, &bias}) {
      for (float& v : *values) v = std::abs(v);
    }
    const std::vector<float> magnitude = reference({true, -1e30f, 1e30f});
    for (const std::vector<float>& output : got) {
      for (size_t k = 0; k < expected.size(); ++k) {
        ASSERT_NEAR(output[k], expected[k],
                    ConvF32Bound(int64_t{s.kernel_h} * s.kernel_w * s.in_c, magnitude[k]))
            << "case " << i << ", output " << k;
      }
      ++compared;
    }
  }
  std::printf("%d of 800 compared\n", compared);
  EXPECT_GE(compared, 400);
}

TEST(PhasedTransposeConv, LeavesMostlyEmptyBlocksToTheReference) {
  TransposeConvSpec s;
  s.in_h = s.in_w = 4;
  s.stride_h = s.stride_w = 100;  // a 1x1 kernel: one output in 10000 has a product
  s.out_h = s.out_w = 301;
  const float weight = 1;
  EXPECT_EQ(PhasedTransposeConv::Make(s, TransposeConvFloatOutput{false, -1, 1}, &weight, nullptr,
                                      DetectedCpuFlags()),
            nullptr);
}

}  // namespace
}  // namespace dlpu
