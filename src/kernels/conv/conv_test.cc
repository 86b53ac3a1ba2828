// SPDX-License-Identifier: Apache-2.0
// Every convolution row this CPU has, against the reference, bit for bit.
#include "kernels/conv/conv.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <string>
#include <vector>

#include "kernels/conv/rows.h"
#include "kernels/row_testing.h"

namespace dlpu {
namespace {

using testing::kSeed;
using testing::Random;
using testing::SetGeometry;
using Layer = testing::TestLayer<ConvSpec>;

int64_t OutputBytes(const ConvSpec& s) { return int64_t{s.batch} * s.out_h * s.out_w * s.out_c; }

std::string Describe(const ConvSpec& s) {
  char text[320];
  std::snprintf(
      text, sizeof(text),
      "batch %d in %dx%dx%d out %dx%dx%d kernel %dx%d stride %dx%d dilation %dx%d pad %d,%d "
      "groups %d signed %d%d%d zero %d,%d,%d bounds %d..%d rounding %d",
      s.batch, s.in_h, s.in_w, s.in_c, s.out_h, s.out_w, s.out_c, s.kernel_h, s.kernel_w,
      s.stride_h, s.stride_w, s.dilation_h, s.dilation_w, s.pad_top, s.pad_left, s.groups,
      s.input_signed, s.weights_signed, s.output_signed, s.input_zero, s.weights_zero,
      s.output_zero, s.low, s.high, static_cast<int>(s.rounding));
  return text;
}

std::vector<uint8_t> Reference(const Layer& layer) {
  std::vector<uint8_t> out(static_cast<size_t>(OutputBytes(layer.spec)));
  ConvReference(layer.spec, layer.input.data(), layer.weights.data(), layer.bias.data(),
                out.data());
  return out;
}

struct ConvFamily {
  using Row = ConvRow;
  using Layer = dlpu::Layer;
  static std::span<const ConvRow> Rows() { return ConvRows(); }
  static std::unique_ptr<PreparedConv> Prepare(const ConvRow& row, const Layer& layer) {
    return PrepareConvRow(row, layer.spec, layer.weights.data(), layer.bias.data());
  }
  static std::vector<uint8_t> Reference(const Layer& layer) { return dlpu::Reference(layer); }
  static std::string Describe(const ConvSpec& spec) { return dlpu::Describe(spec); }
};
using RowRunner = testing::RowRunner<ConvFamily>;

void FillValues(Random& random, Layer& layer) {
  const ConvSpec& s = layer.spec;
  const auto taps = static_cast<size_t>(s.kernel_h) * s.kernel_w * (s.in_c / s.groups);
  testing::FillLayer(random, taps, s.out_c, layer);
}

TEST(ConvRows, EqualReferenceAroundTileEdges) {
  Random random(kSeed);
  RowRunner runner;
  // Channels around multiples of vectors and panels, pixels around multiples of tiles.
  for (int out_c = 1; out_c <= 72; ++out_c) {
    for (const int pixels : {1, 2, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15, 23, 25}) {
      Layer layer;
      layer.spec.in_w = layer.spec.out_w = pixels;
      layer.spec.in_c = random.Int(1, 9);
      layer.spec.out_c = out_c;
      FillValues(random, layer);
      runner.Check(layer, false);
      if (::testing::Test::HasFatalFailure()) return;
    }
  }
  for (const int out_c : {79, 80, 81, 95, 96, 97, 112, 127, 128, 129, 144, 160, 176, 193}) {
    for (const int in_c : {1, 3, 4, 15, 16, 17, 31, 33, 64}) {
      Layer layer;
      layer.spec.in_w = layer.spec.out_w = random.Int(1, 20);
      layer.spec.in_c = in_c;
      layer.spec.out_c = out_c;
      FillValues(random, layer);
      runner.Check(layer, false);
      if (::testing::Test::HasFatalFailure()) return;
    }
  }
}

TEST(ConvRows, EqualReferenceOnRandomLayers) {
  Random random(kSeed + 1);
  RowRunner runner;
  for (int i = 0; i < 1500;) {
    Layer layer;
    ConvSpec& s = layer.spec;
    s.batch = random.Chance(0.2) ? random.Int(2, 3) : 1;
    s.in_h = random.Int(1, 14);
    s.in_w = random.Int(1, 20);
    s.groups = random.Chance(0.15) ? random.Int(2, 5) : 1;
    s.in_c = s.groups * random.Int(1, random.Chance(0.3) ? 24 : 5);
    s.out_c = s.groups * random.Int(1, random.Chance(0.3) ? 70 : 20);
    s.kernel_h = random.Pick({1, 1, 2, 3, 3, 5, 7});
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

// Channels without weights, of any scale, beside others of their vector.
TEST(ConvRows, EqualReferenceWithDeadChannels) {
  Random random(kSeed + 9);
  RowRunner runner;
  for (int i = 0; i < 200; ++i) {
    Layer layer;
    ConvSpec& s = layer.spec;
    s.in_w = s.out_w = random.Int(1, 30);
    s.in_c = random.Int(1, 20);
    s.out_c = random.Int(2, 70);
    FillValues(random, layer);
    const auto zero = static_cast<uint8_t>(s.weights_zero);
    for (int c = 0; c < s.out_c; ++c) {
      if (!random.Chance(0.4)) continue;
      std::fill_n(layer.weights.begin() + int64_t{c} * s.in_c, s.in_c, zero);
      const double scale = random.Pick({1e-7, 0.3, 1.0, 11.38, 4000.0});
      layer.bias[static_cast<size_t>(c)] = random.Int(-300, 300);
      s.requantization[static_cast<size_t>(c)] = {QuantizeMultiplier(scale), scale};
    }
    runner.Check(layer, false);
    if (::testing::Test::HasFatalFailure()) return;
  }
}

// Layers large enough that work is split over threads and blocks.
TEST(ConvRows, EqualReferenceOnLargeLayers) {
  Random random(kSeed + 2);
  RowRunner runner;
  struct Shape {
    int size, in_c, out_c, kernel, stride;
  };
  for (const Shape& shape : std::vector<Shape>{{56, 24, 36, 1, 1},
                                               {40, 3, 24, 3, 2},
                                               {30, 16, 40, 3, 1},
                                               {7, 120, 330, 1, 1},
                                               {9, 32, 96, 3, 1},
                                               {1, 1280, 401, 1, 1},
                                               {20, 64, 64, 1, 2},
                                               {33, 3, 16, 6, 2}}) {
    Layer layer;
    ConvSpec& s = layer.spec;
    s.in_h = s.in_w = shape.size;
    s.in_c = shape.in_c;
    s.out_c = shape.out_c;
    s.kernel_h = s.kernel_w = shape.kernel;
    s.stride_h = s.stride_w = shape.stride;
    ASSERT_TRUE(SetGeometry(s, true));
    FillValues(random, layer);
    runner.Check(layer, true);
    if (::testing::Test::HasFatalFailure()) return;
  }
}

// A 1x1 layer over one pixel at the input's zero point: accumulators are the biases, so every
// rounding sees chosen accumulators, here around its steps, at ties and at the ends of int32.
Layer AccumulatorLayer(Random& random, Rounding rounding, int channels) {
  Layer layer;
  ConvSpec& s = layer.spec;
  s.out_c = channels;
  s.input_zero = 7;
  s.rounding = rounding;
  s.output_signed = random.Chance(0.5);
  s.output_zero = random.Int(0, 255) - (s.output_signed ? 128 : 0);
  s.low = s.output_signed ? -128 : 0;
  s.high = s.low + 255;
  if (random.Chance(0.4)) s.low = s.output_zero;
  if (random.Chance(0.2)) s.high = random.Int(s.low, s.high);
  layer.input.assign(1, 7);
  const bool extreme = random.Chance(0.2);
  for (int o = 0; o < channels; ++o) {
    layer.weights.push_back(static_cast<uint8_t>(random.Int(-2, 2)));
    double scale = std::exp2(-random.Real() * 14.0);
    if (random.Chance(0.2)) scale = std::ldexp(1.0, random.Int(-12, extreme ? 2 : 0));
    if (extreme && random.Chance(0.2)) scale = std::exp2(random.Real() * 70.0 - 40.0);
    s.requantization.push_back({QuantizeMultiplier(scale), scale});
    const double at = (random.Int(-260, 260) + 0.5) / scale;
    int64_t x = static_cast<int64_t>(std::clamp(at, -2e9, 2e9)) + random.Int(-3, 3);
    if (random.Chance(0.1)) x = random.Int(-70000, 70000);
    if (extreme && random.Chance(0.5)) {
      x = random.Chance(0.5)
              ? random.Int(INT32_MIN, INT32_MAX)
              : random.Pick({INT32_MIN, INT32_MIN + 1, -1, 0, 1, INT32_MAX - 1, INT32_MAX});
    }
    layer.bias.push_back(static_cast<int32_t>(std::clamp<int64_t>(x, INT32_MIN, INT32_MAX)));
  }
  return layer;
}

TEST(ConvRows, RequantizeEveryAccumulatorAsTheReference) {
  Random random(kSeed + 3);
  RowRunner runner;
  for (int i = 0; i < 20; ++i) {
    for (const Rounding rounding : {Rounding::kDouble, Rounding::kDouble, Rounding::kDoubleUp,
                                    Rounding::kFloat64, Rounding::kFloat32Even}) {
      runner.Check(AccumulatorLayer(random, rounding, 3000), false);
      if (::testing::Test::HasFatalFailure()) return;
    }
  }
}

// The known-bad case: the inputs above tell the rounding rules apart.
TEST(ConvRows, TestInputsTellRoundingsApart) {
  Random random(kSeed + 4);
  int differ[4] = {};
  for (int i = 0; i < 20; ++i) {
    Layer layer = AccumulatorLayer(random, Rounding::kDouble, 3000);
    const std::vector<uint8_t> expected = Reference(layer);
    for (int rounding = 1; rounding < 4; ++rounding) {
      layer.spec.rounding = static_cast<Rounding>(rounding);
      differ[rounding] += Reference(layer) != expected ? 1 : 0;
    }
  }
  for (int rounding = 1; rounding < 4; ++rounding) EXPECT_GT(differ[rounding], 0) << rounding;
}

TEST(PrepareConv, TakesTheFirstRowTheCpuHas) {
  Random random(kSeed);
  Layer layer;
  FillValues(random, layer);
  for (const ConvRow& row : ConvRows()) {
    if (row.tiles != nullptr && row.tiles() == nullptr) continue;
    const auto conv = PrepareConv(layer.spec, layer.weights.data(), layer.bias.data(), row.needs);
    EXPECT_EQ(conv->row(), row.name);
  }
  EXPECT_STREQ(ConvRows().back().name, "conv_reference");
}

}  // namespace
}  // namespace dlpu
