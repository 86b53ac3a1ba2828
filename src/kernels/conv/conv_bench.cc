// SPDX-License-Identifier: Apache-2.0
// Every convolution row this CPU has on layers of real networks, one thread. GMAC/s counts real
// products only; `peak` is their share of the instruction's rate, measured in the same process.
#include <benchmark/benchmark.h>

#include <chrono>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "kernels/aligned.h"
#include "kernels/conv/rows.h"

namespace dlpu {
namespace {

struct Shape {
  const char* name;
  int size, in_c, out_c, kernel, stride;
  bool relu;
};

constexpr Shape kShapes[] = {
    {"mobilenet_stem", 224, 3, 32, 3, 2, true},
    {"mobilenet_expand_16x96@112", 112, 16, 96, 1, 1, true},
    {"mobilenet_expand_24x144@56", 56, 24, 144, 1, 1, true},
    {"mobilenet_expand_32x192@28", 28, 32, 192, 1, 1, true},
    {"mobilenet_expand_64x384@14", 14, 64, 384, 1, 1, true},
    {"mobilenet_expand_160x960@7", 7, 160, 960, 1, 1, true},
    {"mobilenet_project_32x16@112", 112, 32, 16, 1, 1, false},
    {"mobilenet_project_96x24@56", 56, 96, 24, 1, 1, false},
    {"mobilenet_project_144x32@28", 28, 144, 32, 1, 1, false},
    {"mobilenet_project_384x64@14", 14, 384, 64, 1, 1, false},
    {"mobilenet_project_960x160@7", 7, 960, 160, 1, 1, false},
    {"mobilenet_head_320x1280@7", 7, 320, 1280, 1, 1, true},
    {"mobilenet_classifier_1280x1001@1", 1, 1280, 1001, 1, 1, false},
    {"resnet_64x64@56", 56, 64, 64, 3, 1, true},
    {"resnet_128x128@28", 28, 128, 128, 3, 1, true},
    {"resnet_256x256@14", 14, 256, 256, 3, 1, true},
    {"resnet_512x512@7", 7, 512, 512, 3, 1, true},
    {"resnet_1024x2048@7", 7, 1024, 2048, 1, 1, false},
    {"yolo_stem", 640, 3, 16, 6, 2, true},
    {"yolo_18x18@160", 160, 18, 18, 3, 1, true},
    {"yolo_36x36@80", 80, 36, 36, 3, 1, true},
    {"yolo_64x64@80", 80, 64, 64, 3, 1, true},
    {"yolo_256x255@20", 20, 256, 255, 1, 1, false},
};

struct Layer {
  ConvSpec spec;
  std::vector<uint8_t> input, weights, output;
  std::vector<int32_t> bias;
};

Layer MakeLayer(const Shape& shape, bool is_signed) {
  std::mt19937 engine(1);
  Layer layer;
  ConvSpec& s = layer.spec;
  s.in_h = s.in_w = shape.size;
  s.in_c = shape.in_c;
  s.out_c = shape.out_c;
  s.kernel_h = s.kernel_w = shape.kernel;
  s.stride_h = s.stride_w = shape.stride;
  s.out_h = s.out_w = (shape.size + shape.stride - 1) / shape.stride;
  s.pad_top = s.pad_left =
      std::max((s.out_h - 1) * shape.stride + shape.kernel - shape.size, 0) / 2;
  s.input_signed = s.output_signed = is_signed;
  s.input_zero = is_signed ? -3 : 125;
  s.output_zero = is_signed ? -128 : 0;
  s.low = is_signed ? -128 : 0;
  s.high = s.low + 255;
  if (!shape.relu) s.output_zero += 120;
  const int taps = shape.kernel * shape.kernel * shape.in_c;
  layer.input.resize(static_cast<size_t>(shape.size) * shape.size * shape.in_c + 256);
  layer.weights.resize(static_cast<size_t>(taps) * shape.out_c);
  layer.output.resize(static_cast<size_t>(s.out_h) * s.out_w * s.out_c + 256);
  for (uint8_t& x : layer.input) x = static_cast<uint8_t>(engine());
  for (uint8_t& w : layer.weights) w = static_cast<uint8_t>(engine());
  for (int o = 0; o < shape.out_c; ++o) {
    const double scale = (0.5 + static_cast<double>(engine() % 1000) / 1000) / 50.0 /
                         std::sqrt(static_cast<double>(taps)) / 74.0 * 60.0;
    s.requantization.push_back({QuantizeMultiplier(scale), scale});
    layer.bias.push_back(static_cast<int32_t>(engine() % 20000) - 10000);
  }
  return layer;
}

// Peak rate in products per second of the instruction a row rests on: one pixel block that stays
// in L1, long enough that loads and requantization vanish.
double PeakRate(const ConvRow& row) {
  Shape shape{"peak", 1, 4096, row.tiles()->lanes * 4, 1, 1, true};
  while (row.tiles()->max_rows[shape.out_c / row.tiles()->lanes - 1] == 0) {
    shape.out_c -= row.tiles()->lanes;
  }
  static std::vector<uint8_t> data(1 << 20, 1);
  const int vectors = shape.out_c / row.tiles()->lanes;
  const int rows = row.tiles()->max_rows[vectors - 1];
  const uint8_t* pixels[kMaxTileRows];
  for (int r = 0; r < rows; ++r) pixels[r] = data.data() + 64 * r;
  const AlignedBytes blocks(1 << 16);
  // One segment of 16 steps, again and again: weights stay in L1.
  const std::vector<int32_t> offsets(16, 0);
  ConvTileArgs args{};
  args.offsets = offsets.data();
  args.segments = args.all_segments = 1;
  args.steps = 32;
  args.weights = args.fetch = reinterpret_cast<const int8_t*>(data.data());
  args.requant.blocks = blocks.data();
  args.requant.mask = 1;
  std::vector<uint8_t> out(4096);
  const auto tile = row.tiles()->tiles[vectors - 1][rows - 1];
  double best = 0.0;
  for (int round = 0; round < 50; ++round) {
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < 200; ++i) tile(pixels, out.data(), args);
    const std::chrono::duration<double> time = std::chrono::steady_clock::now() - begin;
    const int per_step = row.tiles()->step_bytes / (row.tiles()->widened ? 2 : 1);
    const double products = 200.0 * rows * shape.out_c * 32 * per_step;
    best = std::max(best, products / time.count());
  }
  return best;
}

void RunLayer(benchmark::State& state, const ConvRow& row, const Shape& shape, bool is_signed,
              double peak) {
  Layer layer = MakeLayer(shape, is_signed);
  const auto conv = PrepareConvRow(row, layer.spec, layer.weights.data(), layer.bias.data());
  ThreadPool pool(1);
  AlignedBytes scratch(conv->ScratchBytes(1) + 64);
  for (auto _ : state) {
    conv->Run(layer.input.data(), layer.output.data(), scratch.data(), pool);
    benchmark::ClobberMemory();
  }
  const double products = static_cast<double>(layer.spec.out_h) * layer.spec.out_w *
                          static_cast<double>(layer.weights.size());
  state.counters["GMAC/s"] =
      benchmark::Counter(products * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
  state.counters["peak"] =
      benchmark::Counter(products / peak, benchmark::Counter::kIsIterationInvariantRate);
}

void PrepareLayer(benchmark::State& state, const ConvRow& row, const Shape& shape) {
  const Layer layer = MakeLayer(shape, true);
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        PrepareConvRow(row, layer.spec, layer.weights.data(), layer.bias.data()));
  }
}

const bool kRegistered = [] {
  for (const ConvRow& row : ConvRows()) {
    if (row.tiles == nullptr || row.tiles() == nullptr) continue;
    if ((row.needs & ~DetectedCpuFlags()) != 0) continue;
    const double peak = PeakRate(row);
    for (const Shape& shape : kShapes) {
      for (const bool is_signed : {false, true}) {
        const std::string name = std::string(row.name) + (is_signed ? "/s8/" : "/u8/") + shape.name;
        benchmark::RegisterBenchmark(name.c_str(),
                                     [&row, &shape, is_signed, peak](benchmark::State& state) {
                                       RunLayer(state, row, shape, is_signed, peak);
                                     })
            ->Unit(benchmark::kMicrosecond)
            ->MinTime(0.05);
      }
    }
    for (const Shape& shape : {kShapes[4], kShapes[11], kShapes[16]}) {
      benchmark::RegisterBenchmark(
          (std::string("prepare/") + row.name + "/" + shape.name).c_str(),
          [&row, shape](benchmark::State& state) { PrepareLayer(state, row, shape); })
          ->Unit(benchmark::kMicrosecond)
          ->MinTime(0.05);
    }
  }
  return true;
}();

}  // namespace
}  // namespace dlpu
