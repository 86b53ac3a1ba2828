// SPDX-License-Identifier: Apache-2.0
// Every depthwise row this CPU has, against the reference, bit for bit.
#include "kernels/depthwise/depthwise.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <string>
#include <vector>

#include "kernels/depthwise/rows.h"
#include "kernels/row_testing.h"

namespace dlpu {
namespace {

using testing::kSeed;
using testing::Random;
using testing::SetGeometry;
using Layer = testing::TestLayer<DepthwiseSpec>;

struct DepthwiseFamily {
  using Row = DepthwiseRow;
  using Layer = testing::TestLayer<DepthwiseSpec>;
  static std::span<const DepthwiseRow> Rows() { return DepthwiseRows(); }
  static std::unique_ptr<PreparedDepthwise> Prepare(const DepthwiseRow& row, const Layer& layer) {
    return PrepareDepthwiseRow(row, layer.spec, layer.weights.data(), layer.bias.data());
  }
  static std::vector<uint8_t> Reference(const Layer& layer) {
    const DepthwiseSpec& s = layer.spec;
    std::vector<uint8_t> out(static_cast<size_t>(s.batch) * s.out_h * s.out_w * s.in_c *
                             s.multiplier);
    DepthwiseReference(s, layer.input.data(), layer.weights.data(), layer.bias.data(), out.data());
    return out;
  }
  static std::string Describe(const DepthwiseSpec& s) {
    char text[320];
    std::snprintf(text, sizeof(text),
                  "batch %d in %dx%dx%d multiplier %d out %dx%d kernel %dx%d stride %dx%d "
                  "dilation %dx%d pad %d,%d signed %d%d%d zero %d,%d,%d bounds %d..%d rounding "
                  "%d,%d from %d",
                  s.batch, s.in_h, s.in_w, s.in_c, s.multiplier, s.out_h, s.out_w, s.kernel_h,
                  s.kernel_w, s.stride_h, s.stride_w, s.dilation_h, s.dilation_w, s.pad_top,
                  s.pad_left, s.input_signed, s.weights_signed, s.output_signed, s.input_zero,
                  s.weights_zero, s.output_zero, s.low, s.high, static_cast<int>(s.rounding),
                  static_cast<int>(s.tail_rounding), s.rounding_split);
    return text;
  }
};
using RowRunner = testing::RowRunner<DepthwiseFamily>;

void FillValues(Random& random, Layer& layer) {
  DepthwiseSpec& s = layer.spec;
  testing::FillLayer(random, static_cast<size_t>(s.kernel_h) * s.kernel_w, s.in_c * s.multiplier,
                     layer);
  s.tail_rounding = s.rounding;
  if (s.multiplier == 1 && random.Chance(0.1)) {
    s.tail_rounding = Rounding::kDoubleUp;
    s.rounding_split = random.Int(0, s.in_c + 3);
  }
}

TEST(DepthwiseRows, EqualReferenceOn3x3AroundBlockEdges) {
  Random random(kSeed);
  RowRunner runner;
  for (int in_c = 1; in_c <= 136; ++in_c) {
    for (const int stride : {1, 2}) {
      for (int i = 0; i < 3; ++i) {
        Layer layer;
        DepthwiseSpec& s = layer.spec;
        s.in_c = in_c;
        s.in_h = random.Int(3, 10);
        s.in_w = random.Int(3, 10);
        s.kernel_h = s.kernel_w = 3;
        s.stride_h = s.stride_w = stride;
        ASSERT_TRUE(SetGeometry(s, random.Chance(0.7)));
        FillValues(random, layer);
        runner.Check(layer, random.Chance(0.2));
        if (::testing::Test::HasFatalFailure()) return;
      }
    }
  }
}

TEST(DepthwiseRows, EqualReferenceOnRandomLayers) {
  Random random(kSeed + 1);
  RowRunner runner;
  for (int i = 0; i < 1200;) {
    Layer layer;
    DepthwiseSpec& s = layer.spec;
    s.batch = random.Chance(0.2) ? random.Int(2, 3) : 1;
    s.in_h = random.Int(1, 12);
    s.in_w = random.Int(1, 14);
    s.in_c = random.Int(1, random.Chance(0.3) ? 150 : 20);
    s.multiplier = random.Chance(0.15) ? random.Int(2, 5) : 1;
    if (random.Chance(0.03)) {
      s.in_c = 1;
      s.multiplier = random.Int(2, 70);
    }
    s.kernel_h = random.Pick({1, 2, 3, 3, 5, 5, 7});
    s.kernel_w = random.Chance(0.8) ? s.kernel_h : random.Pick({1, 2, 3, 4, 5});
    s.stride_h = random.Pick({1, 1, 2, 3});
    s.stride_w = random.Chance(0.8) ? s.stride_h : random.Int(1, 3);
    s.dilation_h = random.Chance(0.2) ? random.Int(2, 3) : 1;
    s.dilation_w = random.Chance(0.8) ? s.dilation_h : random.Int(1, 3);
    if (!SetGeometry(s, random.Chance(0.6))) continue;
    ++i;
    FillValues(random, layer);
    runner.Check(layer, random.Chance(0.3));
    if (::testing::Test::HasFatalFailure()) return;
  }
}

// Layers large enough that rows are split over tasks and threads.
TEST(DepthwiseRows, EqualReferenceOnLargeLayers) {
  Random random(kSeed + 2);
  RowRunner runner;
  struct Shape {
    int size, in_c, kernel, stride;
  };
  for (const Shape& shape : std::vector<Shape>{{112, 32, 3, 1},
                                               {57, 96, 3, 2},
                                               {28, 144, 3, 1},
                                               {14, 576, 3, 2},
                                               {7, 960, 3, 1},
                                               {40, 72, 5, 2},
                                               {15, 200, 5, 1}}) {
    Layer layer;
    DepthwiseSpec& s = layer.spec;
    s.in_h = s.in_w = shape.size;
    s.in_c = shape.in_c;
    s.kernel_h = s.kernel_w = shape.kernel;
    s.stride_h = s.stride_w = shape.stride;
    ASSERT_TRUE(SetGeometry(s, true));
    FillValues(random, layer);
    runner.Check(layer, true);
    if (::testing::Test::HasFatalFailure()) return;
  }
}

TEST(PrepareDepthwise, TakesTheFirstRowTheCpuHas) {
  Random random(kSeed);
  Layer layer;
  FillValues(random, layer);
  for (const DepthwiseRow& row : DepthwiseRows()) {
    if (row.tiles != nullptr && row.tiles() == nullptr) continue;
    const auto prepared =
        PrepareDepthwise(layer.spec, layer.weights.data(), layer.bias.data(), row.needs);
    EXPECT_EQ(prepared->row(), row.name);
  }
  EXPECT_STREQ(DepthwiseRows().back().name, "depthwise_reference");
}

}  // namespace
}  // namespace dlpu
