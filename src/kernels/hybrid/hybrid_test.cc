// SPDX-License-Identifier: Apache-2.0
// Hybrid layers: the quantizer's rounding, results recorded from LiteRT (ai-edge-litert 2.3.0,
// x86-64 Linux, reference resolver), and the prepared layers against the reference on 1, 2 and 4
// threads.
#include "kernels/hybrid/hybrid.h"

#include <cmath>

#include "kernels/gemm_f32/f32_testing.h"

namespace dlpu {
namespace {

using Codes = std::vector<int>;

Codes Symmetric(const std::vector<float>& values, HybridScale* scale = nullptr) {
  std::vector<int8_t> codes(values.size());
  const HybridScale found = QuantizeHybridSymmetric(values, codes.data());
  if (scale != nullptr) *scale = found;
  return {codes.begin(), codes.end()};
}

Codes Asymmetric(const std::vector<float>& values, HybridScale* scale = nullptr) {
  std::vector<int8_t> codes(values.size());
  const HybridScale found = QuantizeHybridAsymmetric(values, codes.data());
  if (scale != nullptr) *scale = found;
  return {codes.begin(), codes.end()};
}

TEST(HybridQuantize, WorkedExample) {
  HybridScale scale;
  EXPECT_EQ(Asymmetric({.4f, -1.1f, .73f, 2.0f}, &scale), (Codes{-5, -128, 22, 127}));
  EXPECT_FLOAT_EQ(scale.scale, 0.012156863f);
  EXPECT_EQ(scale.zero_point, -38);
  EXPECT_EQ(Symmetric({.4f, -1.1f, .73f, 2.0f}, &scale), (Codes{25, -70, 46, 127}));
  EXPECT_FLOAT_EQ(scale.scale, 0.01574803f);
  EXPECT_EQ(scale.zero_point, 0);
}

TEST(HybridQuantize, TiesAndTheirNeighbours) {
  const float below = std::nextafter(.5f, 0.0f);
  // Eight values of body, three of the rest; scale 1.
  const std::vector<float> values = {127,  -127,  below, -below, .5f, -.5f,
                                     1.5f, -2.5f, below, -.5f,   1.5f};
  EXPECT_EQ(Symmetric(values), (Codes{127, -127, 1, -1, 1, -1, 2, -3, 0, -1, 2}));
  std::vector<float> wide = values;
  wide[1] = -128;
  EXPECT_EQ(Asymmetric(wide), (Codes{127, -128, 1, -1, 1, -1, 2, -3, 0, -1, 2}));
  // A zero point is added after rounding, in the body and in the rest.
  EXPECT_EQ(Asymmetric({255, 0, .5f, 1.5f, 127.5f, 200.5f, 3, 4, .5f, 1.5f, 127.5f}),
            (Codes{127, -128, -127, -126, 0, 73, -125, -124, -127, -126, 0}));
}

TEST(HybridQuantize, ZerosAndOneSidedRanges) {
  HybridScale scale;
  EXPECT_EQ(Asymmetric({0, 0, 0}, &scale), (Codes{0, 0, 0}));
  EXPECT_EQ(scale.scale, 1.0f);
  EXPECT_EQ(Symmetric({0, 0, 0}, &scale), (Codes{0, 0, 0}));
  EXPECT_EQ(scale.scale, 1.0f);
  EXPECT_EQ(Asymmetric({1, 2, 255}, &scale), (Codes{-127, -126, 127}));
  EXPECT_EQ(scale.zero_point, -128);
  EXPECT_EQ(Asymmetric({-1, -2, -255}, &scale), (Codes{126, 125, -128}));
  EXPECT_EQ(scale.zero_point, 127);
}

// What the recorded layers were made of.
std::vector<float> Input(int count) {
  std::vector<float> x;
  for (int i = 0; i < count; ++i) x.push_back(static_cast<float>(i * 37 % 101 - 50) / 16.0f);
  return x;
}
std::vector<int8_t> Weights(int count) {
  std::vector<int8_t> w;
  for (int i = 0; i < count; ++i) w.push_back(static_cast<int8_t>(i * 53 % 255 - 127));
  return w;
}
std::vector<float> Scales(int count) {
  std::vector<float> s;
  for (int i = 1; i <= count; ++i) s.push_back(0.001f * static_cast<float>(i));
  return s;
}
std::vector<float> Bias(int count) {
  std::vector<float> b;
  for (int i = 0; i < count; ++i) b.push_back(0.25f * static_cast<float>(i));
  return b;
}

ConvF32Spec Picture(int32_t in_c, int32_t out_c) {
  ConvF32Spec s;
  s.in_h = s.out_h = 2;
  s.in_w = s.out_w = 3;
  s.in_c = in_c;
  s.out_c = out_c;
  s.kernel_h = s.kernel_w = 3;
  s.pad_top = s.pad_left = 1;
  return s;
}

std::vector<float> Conv(const HybridConvSpec& spec) {
  const ConvF32Spec& s = spec.shape;
  std::vector<float> output(static_cast<size_t>(s.batch * s.out_h * s.out_w * s.out_c));
  HybridConvReference(spec, Input(s.batch * s.in_h * s.in_w * s.in_c).data(),
                      Weights(s.out_c * s.kernel_h * s.kernel_w * s.in_c).data(),
                      Bias(s.out_c).data(), output.data());
  return output;
}

TEST(Hybrid, ConvWithAScaleForEachChannelIsLiteRts) {
  const std::vector<float> expected = {0x1.65d88ap-4f,  0x1.79a0eep-1f,  0x1.4a0de6p-3f,
                                       0x1.432d8cp-1f,  0x1.0755eep-2f,  0x1.1b66ccp-1f,
                                       -0x1.850eecp-2f, 0x1.f4b57cp-1f,  -0x1.f84e56p-6f,
                                       -0x1.987f2cp-2f, -0x1.d03306p-3f, -0x1.0a2d82p-1f};
  EXPECT_EQ(Conv(HybridConv2d(Picture(3, 2), Scales(2), true)), expected);
}

TEST(Hybrid, ConvWithOneScaleIsLiteRts) {
  const std::vector<float> expected = {0x1.12ec3ep-2f,  0x1.f54dcep-1f,  0x1.e584a2p-2f,
                                       0x1.aaa884p-1f,  0x1.9376eep-1f,  0x1.668d1ap-1f,
                                       -0x1.23d612p+0f, 0x1.5be15cp+0f,  -0x1.a14284p-4f,
                                       -0x1.716c72p-1f, -0x1.5faf5ep-1f, -0x1.d01020p-1f};
  EXPECT_EQ(Conv(HybridConv2d(Picture(3, 2), {0.003f}, false)), expected);
}

TEST(Hybrid, DepthwiseIsLiteRts) {
  const std::vector<float> expected = {
      -0x1.3b9198p-5f, 0x1.0b4b2cp+0f, 0x1.0f134cp-1f,  -0x1.5c4c00p-4f, -0x1.c5b972p-7f,
      -0x1.b223d4p-3f, 0x1.176898p+0f, 0x1.4f9b00p+0f,  0x1.beb1a6p-2f,  -0x1.18b8bcp-2f,
      0x1.923054p-1f,  0x1.5c303ap+1f, -0x1.707c66p-2f, 0x1.0c36b8p+0f,  0x1.78b0dap+0f,
      0x1.2bc4dcp+0f,  0x1.39debep-2f, 0x1.c8a7e0p-4f,  0x1.749450p-4f,  -0x1.4ac14cp+0f,
      -0x1.055a9cp-2f, 0x1.80b804p-2f, -0x1.60dac4p-1f, -0x1.13bb2cp-1f};
  HybridDepthwiseSpec spec;
  spec.shape.in_h = spec.shape.out_h = 2;
  spec.shape.in_w = spec.shape.out_w = 3;
  spec.shape.in_c = spec.shape.multiplier = 2;
  spec.shape.kernel_h = spec.shape.kernel_w = 3;
  spec.shape.pad_top = spec.shape.pad_left = 1;
  spec.weight_scales = Scales(4);
  std::vector<float> output(expected.size());
  HybridDepthwiseReference(spec, Input(12).data(), Weights(36).data(), Bias(4).data(),
                           output.data());
  EXPECT_EQ(output, expected);
}

TEST(Hybrid, FullyConnectedIsLiteRts) {
  const std::vector<float> symmetric = {0x1.e4fd2ep-3f, 0x1.2eb708p+0f, 0x1.f63fb2p-2f,
                                        0x1.64b25cp-4f, 0x1.310968p+0f, 0x1.0d9b68p-1f};
  EXPECT_EQ(Conv(HybridFullyConnected(2, 11, 3, {0.003f}, false, -FLT_MAX, FLT_MAX)), symmetric);
  const std::vector<float> asymmetric = {0x1.48f814p-4f, 0x1.ba02fap-1f, 0x1.faf992p-2f,
                                         0x1.04d5bcp-5f, 0x1.c16560p-1f, 0x1.0ce19ep-1f};
  EXPECT_EQ(Conv(HybridFullyConnected(2, 11, 3, Scales(3), true, -FLT_MAX, FLT_MAX)), asymmetric);
}

std::vector<float> RunOn(const PreparedHybrid& layer, const std::vector<float>& values,
                         size_t outputs, int threads) {
  ThreadPool pool(threads);
  GuardedFloats input(values), output(static_cast<int64_t>(outputs));
  AlignedScratch scratch(layer.ScratchBytes(threads));
  layer.Run(input.data(), output.data(), scratch.data(), pool);
  EXPECT_TRUE(output.Intact()) << layer.row() << " wrote outside its output";
  return output.values();
}

TEST(Hybrid, PreparedLayersEqualTheReferenceOnAnyThreads) {
  ConvF32Spec shape = Picture(6, 8);
  shape.batch = 3;
  shape.groups = 2;
  shape.stride_h = 1;
  shape.dilation_w = 2;
  shape.low = 0;
  shape.high = 6;
  const HybridConvSpec conv = HybridConv2d(shape, Scales(8), true);
  const std::vector<float> x = RandomFloats(3 * 2 * 3 * 6, 1), bias = RandomFloats(8, 2);
  const std::vector<int8_t> w = Weights(8 * 9 * 3);
  std::vector<float> expected(3 * 2 * 3 * 8);
  HybridConvReference(conv, x.data(), w.data(), bias.data(), expected.data());
  HybridDepthwiseSpec depthwise;
  depthwise.shape.batch = 3;
  depthwise.shape.in_h = depthwise.shape.out_h = 2;
  depthwise.shape.in_w = depthwise.shape.out_w = 3;
  depthwise.shape.in_c = 6;
  depthwise.shape.kernel_h = depthwise.shape.kernel_w = 3;
  depthwise.shape.pad_top = depthwise.shape.pad_left = 1;
  depthwise.weight_scales = Scales(6);
  std::vector<float> expected_depthwise(x.size());
  HybridDepthwiseReference(depthwise, x.data(), w.data(), nullptr, expected_depthwise.data());
  for (const int threads : {1, 2, 4}) {
    EXPECT_TRUE(SameBytes(expected, RunOn(*PrepareHybridConv(conv, w.data(), bias.data()), x,
                                          expected.size(), threads)));
    EXPECT_TRUE(
        SameBytes(expected_depthwise, RunOn(*PrepareHybridDepthwise(depthwise, w.data(), nullptr),
                                            x, expected_depthwise.size(), threads)));
  }
}

}  // namespace
}  // namespace dlpu
