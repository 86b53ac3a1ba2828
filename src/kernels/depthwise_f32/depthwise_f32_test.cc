// SPDX-License-Identifier: Apache-2.0
// Float depthwise convolution: every row this CPU has against the reference, around the edges of
// tiles and pictures, with 1, 2 and 4 threads.
#include "kernels/depthwise_f32/depthwise_f32.h"

#include <algorithm>
#include <cmath>

#include "kernels/conv_f32/conv_f32.h"
#include "kernels/depthwise_f32/rows.h"
#include "kernels/gemm_f32/f32_testing.h"

namespace dlpu {
namespace {

struct Layer {
  DepthwiseF32Spec spec;
  std::vector<float> input, weights, bias;
};

Layer RandomLayer(const DepthwiseF32Spec& s, uint32_t seed) {
  const int64_t channels = int64_t{s.in_c} * s.multiplier;
  return {s, RandomFloats(int64_t{s.batch} * s.in_h * s.in_w * s.in_c, seed),
          RandomFloats(channels * s.kernel_h * s.kernel_w, seed + 1),
          RandomFloats(channels, seed + 2)};
}

DepthwiseF32Spec Square(int32_t in_h, int32_t in_w, int32_t channels, int32_t kernel,
                        int32_t stride, int32_t pad, int32_t dilation = 1, int32_t multiplier = 1) {
  DepthwiseF32Spec s;
  s.in_h = in_h;
  s.in_w = in_w;
  s.in_c = channels;
  s.multiplier = multiplier;
  s.kernel_h = s.kernel_w = kernel;
  s.stride_h = s.stride_w = stride;
  s.dilation_h = s.dilation_w = dilation;
  s.pad_top = s.pad_left = pad;
  const int32_t reach = (kernel - 1) * dilation + 1;
  s.out_h = (in_h + 2 * pad - reach) / stride + 1;
  s.out_w = (in_w + 2 * pad - reach) / stride + 1;
  return s;
}

std::vector<float> RunOn(const PreparedDepthwiseF32& depthwise, const Layer& layer, int threads) {
  const DepthwiseF32Spec& s = layer.spec;
  ThreadPool pool(threads);
  GuardedFloats input(layer.input);
  GuardedFloats output(int64_t{s.batch} * s.out_h * s.out_w * s.in_c * s.multiplier);
  AlignedScratch scratch(depthwise.ScratchBytes(threads));
  depthwise.Run(input.data(), output.data(), scratch.data(), pool);
  EXPECT_TRUE(output.Intact()) << depthwise.row() << " wrote outside its output";
  return output.values();
}

std::vector<float> Reference(const Layer& layer) {
  const DepthwiseF32Spec& s = layer.spec;
  std::vector<float> output(
      static_cast<size_t>(int64_t{s.batch} * s.out_h * s.out_w * s.in_c * s.multiplier));
  DepthwiseF32Reference(s, layer.input.data(), layer.weights.data(), layer.bias.data(),
                        output.data());
  return output;
}

// Sums of absolute values, slightly too large rather than too small.
std::vector<float> Magnitudes(Layer layer) {
  for (auto* values : {&layer.input, &layer.weights, &layer.bias}) {
    for (float& v : *values) v = std::fabs(v) * 1.001f;
  }
  layer.spec.low = 0;
  layer.spec.high = FLT_MAX;
  return Reference(layer);
}

std::string Text(const DepthwiseF32Spec& s) {
  char text[160];
  std::snprintf(text, sizeof text,
                "%dx%dx%dx%d x%d -> %dx%d kernel %dx%d stride %d,%d dilation %d,%d pad %d,%d",
                s.batch, s.in_h, s.in_w, s.in_c, s.multiplier, s.out_h, s.out_w, s.kernel_h,
                s.kernel_w, s.stride_h, s.stride_w, s.dilation_h, s.dilation_w, s.pad_top,
                s.pad_left);
  return text;
}

void ExpectRowKeepsBound(const DepthwiseF32Row& row, const Layer& layer) {
  const auto depthwise = row.prepare(row, layer.spec, layer.weights.data(), layer.bias.data());
  ASSERT_EQ(depthwise->row(), row.name);
  const std::vector<float> expected = Reference(layer), magnitude = Magnitudes(layer);
  const std::vector<float> one = RunOn(*depthwise, layer, 1);
  const int64_t terms = int64_t{layer.spec.kernel_h} * layer.spec.kernel_w;
  for (size_t i = 0; i < expected.size(); ++i) {
    ASSERT_LE(std::fabs(double{one[i]} - double{expected[i]}), ConvF32Bound(terms, magnitude[i]))
        << row.name << " output " << i << " of " << Text(layer.spec);
  }
  // Most layers are too small to be worth sharing.
  if (one.size() < 2300 && layer.spec.multiplier == 1) return;
  for (const int threads : {2, 4}) {
    EXPECT_TRUE(SameBytes(one, RunOn(*depthwise, layer, threads)))
        << row.name << " depends on threads: " << Text(layer.spec);
  }
}

std::vector<DepthwiseF32Spec> Layers() {
  std::vector<DepthwiseF32Spec> specs;
  for (const int32_t kernel : {1, 2, 3, 5, 7}) {
    for (const int32_t stride : {1, 2, 3}) {
      for (const int32_t width : {1, 2, 3, 4, 5, 7, 8, 9, 11, 12, 18, 25}) {
        const int32_t pad = kernel / 2;
        if (width + 2 * pad < kernel) continue;
        specs.push_back(Square(5, width, 19, kernel, stride, pad));
      }
    }
  }
  for (int32_t channels = 1; channels <= 34; ++channels) {
    specs.push_back(Square(4, 13, channels, 3, 1, 1));
    specs.push_back(Square(6, 13, channels, 5, 2, 2));
  }
  specs.push_back(Square(9, 17, 600, 3, 1, 1));      // several chunks of channels
  specs.push_back(Square(9, 17, 10, 3, 1, 2, 2));    // dilated
  specs.push_back(Square(9, 17, 10, 3, 2, 4, 4));    //
  specs.push_back(Square(3, 3, 10, 3, 1, 9, 5));     // rows and pixels that see only padding
  specs.push_back(Square(7, 9, 5, 3, 1, 1, 1, 4));   // multiplier
  specs.push_back(Square(7, 9, 1, 3, 2, 1, 1, 24));  //
  specs.push_back(Square(6, 4, 3, 70, 1, 35));       // a kernel larger than most pictures
  DepthwiseF32Spec s = Square(9, 10, 33, 3, 1, 1);
  s.kernel_h = 1;
  s.pad_top = 0;
  s.stride_h = 2;
  s.out_h = 5;
  s.batch = 3;
  s.low = 0;
  s.high = 6;
  specs.push_back(s);
  return specs;
}

TEST(DepthwiseF32, EveryRowKeepsTheBound) {
  RowsThatRan ran("depthwise_f32");
  for (const DepthwiseF32Row& row : DepthwiseF32Rows()) {
    if ((row.cpu & ~DetectedCpuFlags()) != 0) continue;
    ran.Add(row.name);
    uint32_t seed = 1;
    for (const DepthwiseF32Spec& s : Layers()) ExpectRowKeepsBound(row, RandomLayer(s, seed++));
  }
}

TEST(DepthwiseF32, NotFiniteValues) {
  // A NaN reaches the outputs that see it and passes the clamp; infinity is clamped.
  Layer layer = RandomLayer(Square(12, 12, 20, 3, 1, 1), 5);
  layer.spec.high = 6;
  layer.input[0] = std::numeric_limits<float>::quiet_NaN();                   // pixel 0,0
  layer.input[(11 * 12 + 11) * 20] = std::numeric_limits<float>::infinity();  // pixel 11,11
  const std::vector<float> expected = Reference(layer);
  for (const DepthwiseF32Row& row : DepthwiseF32Rows()) {
    if ((row.cpu & ~DetectedCpuFlags()) != 0) continue;
    const auto depthwise = row.prepare(row, layer.spec, layer.weights.data(), layer.bias.data());
    const std::vector<float> y = RunOn(*depthwise, layer, 2);
    for (size_t i = 0; i < y.size(); ++i) {
      if (std::isnan(expected[i])) {
        EXPECT_TRUE(std::isnan(y[i])) << row.name << " " << i;
      } else {
        EXPECT_NEAR(y[i], expected[i], 1e-5f) << row.name << " " << i;
      }
    }
    EXPECT_TRUE(std::isnan(y[0])) << row.name;
  }
}

TEST(DepthwiseF32, NoBias) {
  const Layer layer = RandomLayer(Square(5, 5, 20, 3, 1, 1), 6);
  const std::vector<float> zero(20, 0.0f);
  for (const DepthwiseF32Row& row : DepthwiseF32Rows()) {
    if ((row.cpu & ~DetectedCpuFlags()) != 0) continue;
    const auto without = row.prepare(row, layer.spec, layer.weights.data(), nullptr);
    const auto with = row.prepare(row, layer.spec, layer.weights.data(), zero.data());
    EXPECT_TRUE(SameBytes(RunOn(*without, layer, 1), RunOn(*with, layer, 1))) << row.name;
  }
}

TEST(DepthwiseF32, ChoosesTheFirstRowTheCpuHas) {
  const Layer layer = RandomLayer(Square(3, 3, 4, 3, 1, 1), 1);
  const auto choose = [&](CpuFlags cpu) {
    return std::string(
        PrepareDepthwiseF32(layer.spec, layer.weights.data(), layer.bias.data(), cpu)->row());
  };
  EXPECT_EQ(choose(kCpuNone), "depthwise_f32_portable");
  for (const DepthwiseF32Row& row : DepthwiseF32Rows()) {
    if (row.cpu == kCpuNone) continue;
    EXPECT_EQ(choose(row.cpu), row.name);
  }
  EXPECT_STREQ(DepthwiseF32Rows().back().name, "depthwise_f32_reference");
}

}  // namespace
}  // namespace dlpu
