// SPDX-License-Identifier: Apache-2.0
// Float convolution: every row this CPU has against the reference, around the edges of tiles and
// pictures, with 1, 2 and 4 threads.
#include "kernels/conv_f32/conv_f32.h"

#include <algorithm>
#include <cmath>

#include "base/cpu_unfused.h"
#include "kernels/conv_f32/rows.h"
#include "kernels/gemm_f32/f32_testing.h"
#include "kernels/gemm_f32/tile.h"

namespace dlpu {
namespace {

struct Layer {
  ConvF32Spec spec;
  std::vector<float> input, weights, bias;
};

int64_t OutputFloats(const ConvF32Spec& s) {
  return int64_t{s.batch} * s.out_h * s.out_w * s.out_c;
}

Layer RandomLayer(const ConvF32Spec& s, uint32_t seed) {
  return {s, RandomFloats(int64_t{s.batch} * s.in_h * s.in_w * s.in_c, seed),
          RandomFloats(int64_t{s.out_c} * s.kernel_h * s.kernel_w * (s.in_c / s.groups), seed + 1),
          RandomFloats(s.out_c, seed + 2)};
}

ConvF32Spec Pointwise(int32_t pixels, int32_t in_c, int32_t out_c) {
  ConvF32Spec s;
  s.in_w = s.out_w = pixels;
  s.in_c = in_c;
  s.out_c = out_c;
  return s;
}

// A square kernel with `pad` before, and as much after as `out` needs.
ConvF32Spec Square(int32_t in_h, int32_t in_w, int32_t in_c, int32_t out_c, int32_t kernel,
                   int32_t stride, int32_t pad, int32_t dilation = 1) {
  ConvF32Spec s;
  s.in_h = in_h;
  s.in_w = in_w;
  s.in_c = in_c;
  s.out_c = out_c;
  s.kernel_h = s.kernel_w = kernel;
  s.stride_h = s.stride_w = stride;
  s.dilation_h = s.dilation_w = dilation;
  s.pad_top = s.pad_left = pad;
  const int32_t reach = (kernel - 1) * dilation + 1;
  s.out_h = (in_h + 2 * pad - reach) / stride + 1;
  s.out_w = (in_w + 2 * pad - reach) / stride + 1;
  return s;
}

std::vector<float> RunOn(const PreparedConvF32& conv, const Layer& layer, int threads) {
  ThreadPool pool(threads);
  GuardedFloats input(layer.input), output(OutputFloats(layer.spec));
  AlignedScratch scratch(conv.ScratchBytes(threads));
  conv.Run(input.data(), output.data(), scratch.data(), pool);
  EXPECT_TRUE(output.Intact()) << conv.row() << " wrote outside its output";
  return output.values();
}

std::vector<float> Reference(const Layer& layer) {
  std::vector<float> output(static_cast<size_t>(OutputFloats(layer.spec)));
  ConvF32Reference(layer.spec, layer.input.data(), layer.weights.data(), layer.bias.data(),
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

std::string Text(const ConvF32Spec& s) {
  char text[160];
  std::snprintf(
      text, sizeof text,
      "%dx%dx%dx%d -> %dx%dx%d kernel %dx%d stride %d,%d dilation %d,%d pad %d,%d groups %d",
      s.batch, s.in_h, s.in_w, s.in_c, s.out_h, s.out_w, s.out_c, s.kernel_h, s.kernel_w,
      s.stride_h, s.stride_w, s.dilation_h, s.dilation_w, s.pad_top, s.pad_left, s.groups);
  return text;
}

void ExpectRowKeepsBound(const ConvF32Row& row, const Layer& layer) {
  const auto conv = row.prepare(row, layer.spec, layer.weights.data(), layer.bias.data());
  ASSERT_EQ(conv->row(), row.name);
  const std::vector<float> expected = Reference(layer), magnitude = Magnitudes(layer);
  const std::vector<float> one = RunOn(*conv, layer, 1);
  const int64_t terms =
      int64_t{layer.spec.kernel_h} * layer.spec.kernel_w * layer.spec.in_c / layer.spec.groups;
  for (size_t i = 0; i < expected.size(); ++i) {
    ASSERT_LE(std::fabs(double{one[i]} - double{expected[i]}), ConvF32Bound(terms, magnitude[i]))
        << row.name << " output " << i << " of " << Text(layer.spec);
  }
  if (one.size() < 1500) return;  // too small to be worth sharing, and there are many
  for (const int threads : {2, 4}) {
    EXPECT_TRUE(SameBytes(one, RunOn(*conv, layer, threads)))
        << row.name << " depends on threads: " << Text(layer.spec);
  }
}

std::vector<ConvF32Spec> Pictures() {
  std::vector<ConvF32Spec> specs = {
      Square(9, 11, 3, 24, 3, 2, 1),      // stem
      Square(15, 13, 3, 16, 7, 2, 3),     // stem with a wide border
      Square(12, 7, 1, 8, 5, 1, 2),       // one channel
      Square(7, 9, 15, 20, 3, 1, 1),      // last width of joined taps
      Square(7, 9, 16, 20, 3, 1, 1),      // first width of single taps
      Square(8, 8, 37, 70, 3, 1, 1),      //
      Square(9, 9, 8, 33, 3, 1, 2, 2),    // dilated
      Square(11, 10, 24, 9, 3, 2, 2, 2),  //
      Square(3, 2, 5, 6, 5, 1, 4),        // pieces entirely in the border on both sides
      Square(2, 2, 20, 6, 7, 1, 6),       //
      Square(9, 9, 6, 5, 1, 2, 0),        // strided 1x1
      Square(20, 20, 8, 40, 3, 1, 0),     // several blocks
      Square(12, 12, 40, 150, 3, 1, 1),  Square(4, 5, 3, 4, 2, 3, 0)};  // stride above kernel
  ConvF32Spec grouped = Square(6, 5, 12, 18, 3, 1, 1);
  grouped.groups = 3;
  specs.push_back(grouped);
  grouped.groups = 6;
  grouped.batch = 2;
  specs.push_back(grouped);
  ConvF32Spec uneven = Square(9, 10, 4, 21, 3, 1, 1);
  uneven.kernel_h = 1;
  uneven.kernel_w = 5;
  uneven.stride_h = 2;
  uneven.pad_top = 0;
  uneven.pad_left = 2;
  uneven.out_h = 5;
  uneven.out_w = 10;
  uneven.batch = 3;
  specs.push_back(uneven);
  ConvF32Spec relu6 = Square(8, 8, 32, 32, 3, 1, 1);
  relu6.low = 0;
  relu6.high = 6;
  specs.push_back(relu6);
  return specs;
}

TEST(ConvF32, EveryRowKeepsTheBoundOnPictures) {
  RowsThatRan ran("conv_f32");
  for (const ConvF32Row& row : ConvF32Rows()) {
    if ((row.cpu & ~DetectedCpuFlags()) != 0) continue;
    ran.Add(row.name);
    uint32_t seed = 1;
    for (const ConvF32Spec& spec : Pictures()) ExpectRowKeepsBound(row, RandomLayer(spec, seed++));
  }
}

TEST(ConvF32, EveryRowKeepsTheBoundAroundTileEdges) {
  for (const ConvF32Row& row : ConvF32Rows()) {
    if ((row.cpu & ~DetectedCpuFlags()) != 0 || row.lanes == 0) continue;
    const int32_t lanes = row.lanes, widest = row.vectors * lanes;
    std::vector<int32_t> columns;
    for (int32_t v = 0; v <= row.vectors + 1; ++v) {
      for (const int32_t c : {v * lanes + 1, v * lanes + lanes / 2, v * lanes + lanes / 2 + 1,
                              v * lanes + lanes - 1, v * lanes + lanes}) {
        columns.push_back(c);
      }
    }
    columns.push_back(2 * widest + 3);
    for (const int32_t c : columns) {
      for (int32_t pixels = 1; pixels <= 2 * kGemmF32MaxRows + 1; ++pixels) {
        ExpectRowKeepsBound(row, RandomLayer(Pointwise(pixels, 5, c), 7));
      }
    }
    for (const int32_t depth : {1, 2, 64, 129}) {
      ExpectRowKeepsBound(row, RandomLayer(Pointwise(200, depth, widest + 1), 8));
    }
  }
}

// What results that are the same on every CPU are computed with.
TEST(ConvF32, UnfusedRowsHaveTheBitsOfThePortableOne) {
  const CpuFlags unfused = kCpuAvx2Unfused | kCpuAvx512Unfused;
  int compared = 0;
  for (const ConvF32Row& row : ConvF32Rows()) {
    if ((row.cpu & unfused) == 0 || (row.cpu & ~DetectedCpuFlags()) != 0) continue;
    uint32_t seed = 31;
    std::vector<ConvF32Spec> specs = Pictures();
    for (const int32_t columns : {1, 8, 15, 33, 48, 65})
      specs.push_back(Pointwise(19, 130, columns));
    for (const ConvF32Spec& spec : specs) {
      const Layer layer = RandomLayer(spec, seed++);
      const auto wide = row.prepare(row, spec, layer.weights.data(), layer.bias.data());
      const auto portable = PrepareConvF32(spec, layer.weights.data(), layer.bias.data(), kCpuNone);
      EXPECT_TRUE(SameBytes(RunOn(*wide, layer, 2), RunOn(*portable, layer, 1))) << row.name;
      ++compared;
    }
  }
  if (compared == 0) GTEST_SKIP() << "this CPU has no wider vectors";
  EXPECT_EQ(UnfusedCpuFlags() & ~unfused, CpuFlags{0});
}

TEST(ConvF32, BoundFindsAWrongResult) {
  // The bound must be far below the smallest mistake: one product left out.
  const Layer layer = RandomLayer(Pointwise(4, 100, 16), 3);
  Layer wrong = layer;
  for (int32_t p = 0; p < 4; ++p) wrong.input[static_cast<size_t>(p * 100 + 50)] = 0;
  const std::vector<float> a = Reference(layer), b = Reference(wrong), m = Magnitudes(layer);
  int found = 0;
  for (size_t i = 0; i < a.size(); ++i) found += std::fabs(a[i] - b[i]) > ConvF32Bound(100, m[i]);
  EXPECT_GT(found, 60);
}

TEST(ConvF32, NotFiniteValues) {
  // A NaN reaches the outputs that see it and passes the clamp; infinity is clamped; outputs
  // that see only padding and finite values are not touched.
  Layer layer = RandomLayer(Square(12, 12, 20, 40, 3, 1, 1), 5);
  layer.spec.high = 6;
  const float kNan = std::numeric_limits<float>::quiet_NaN();
  layer.input[0] = kNan;                                                      // pixel 0,0
  layer.input[(11 * 12 + 11) * 20] = std::numeric_limits<float>::infinity();  // pixel 11,11
  const std::vector<float> expected = Reference(layer);
  for (const ConvF32Row& row : ConvF32Rows()) {
    if ((row.cpu & ~DetectedCpuFlags()) != 0) continue;
    const auto conv = row.prepare(row, layer.spec, layer.weights.data(), layer.bias.data());
    const std::vector<float> y = RunOn(*conv, layer, 2);
    for (size_t i = 0; i < y.size(); ++i) {
      const size_t py = i / 40 / 12, px = i / 40 % 12;
      if (py < 2 && px < 2) {
        EXPECT_TRUE(std::isnan(y[i])) << row.name << " " << i;
      } else {
        EXPECT_NEAR(y[i], expected[i], 1e-4f) << row.name << " " << i;
      }
    }
  }
}

TEST(ConvF32, NoBias) {
  const Layer layer = RandomLayer(Square(5, 5, 8, 20, 3, 1, 1), 6);
  Layer zero = layer;
  std::fill(zero.bias.begin(), zero.bias.end(), 0.0f);
  for (const ConvF32Row& row : ConvF32Rows()) {
    if ((row.cpu & ~DetectedCpuFlags()) != 0) continue;
    const auto without = row.prepare(row, layer.spec, layer.weights.data(), nullptr);
    const auto with = row.prepare(row, layer.spec, layer.weights.data(), zero.bias.data());
    EXPECT_TRUE(SameBytes(RunOn(*without, layer, 1), RunOn(*with, layer, 1))) << row.name;
  }
}

TEST(ConvF32, ChoosesTheFirstRowTheCpuHas) {
  const Layer layer = RandomLayer(Pointwise(3, 4, 5), 1);
  const auto choose = [&](CpuFlags cpu) {
    return std::string(
        PrepareConvF32(layer.spec, layer.weights.data(), layer.bias.data(), cpu)->row());
  };
  EXPECT_EQ(choose(kCpuNone), "conv_f32_portable");
  for (const ConvF32Row& row : ConvF32Rows()) {
    if (row.cpu == kCpuNone) continue;
    EXPECT_EQ(choose(row.cpu), row.name);
  }
  EXPECT_STREQ(ConvF32Rows().back().name, "conv_f32_reference");
}

}  // namespace
}  // namespace dlpu
