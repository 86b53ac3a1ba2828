// SPDX-License-Identifier: Apache-2.0
// Every depthwise row this CPU has on layers of real networks, one thread. GMAC/s counts real
// products; ns64 is the time of 64 outputs.
#include <benchmark/benchmark.h>

#include <random>
#include <string>
#include <vector>

#include "kernels/aligned.h"
#include "kernels/depthwise/depthwise.h"
#include "kernels/depthwise/rows.h"

namespace dlpu {
namespace {

struct Shape {
  const char* name;
  int size, channels, kernel, stride;
};

constexpr Shape kShapes[] = {
    {"3x3_s1_32@112", 112, 32, 3, 1}, {"3x3_s2_96@112", 112, 96, 3, 2},
    {"3x3_s1_144@56", 56, 144, 3, 1}, {"3x3_s2_144@56", 56, 144, 3, 2},
    {"3x3_s1_192@28", 28, 192, 3, 1}, {"3x3_s2_192@28", 28, 192, 3, 2},
    {"3x3_s1_384@14", 14, 384, 3, 1}, {"3x3_s1_576@14", 14, 576, 3, 1},
    {"3x3_s2_576@14", 14, 576, 3, 2}, {"3x3_s1_960@7", 7, 960, 3, 1},
    {"5x5_s1_240@28", 28, 240, 5, 1}, {"5x5_s2_672@14", 14, 672, 5, 2},
    {"5x5_s1_1152@7", 7, 1152, 5, 1},
};

void RunLayer(benchmark::State& state, const DepthwiseRow& row, const Shape& shape) {
  std::mt19937 engine(1);
  DepthwiseSpec s;
  s.in_h = s.in_w = shape.size;
  s.in_c = shape.channels;
  s.kernel_h = s.kernel_w = shape.kernel;
  s.stride_h = s.stride_w = shape.stride;
  s.out_h = s.out_w = (shape.size + shape.stride - 1) / shape.stride;
  s.pad_top = s.pad_left = ((s.out_h - 1) * shape.stride + shape.kernel - shape.size) / 2;
  s.input_signed = s.output_signed = true;
  s.input_zero = -128;
  s.output_zero = s.low = -128;
  s.high = 127;
  std::vector<uint8_t> input(static_cast<size_t>(shape.size) * shape.size * shape.channels + 256);
  std::vector<uint8_t> weights(static_cast<size_t>(shape.kernel) * shape.kernel * shape.channels);
  std::vector<uint8_t> output(static_cast<size_t>(s.out_h) * s.out_w * shape.channels);
  std::vector<int32_t> bias;
  for (uint8_t& x : input) x = static_cast<uint8_t>(engine());
  for (uint8_t& w : weights) w = static_cast<uint8_t>(engine());
  for (int c = 0; c < shape.channels; ++c) {
    const double scale = 0.002 + static_cast<double>(engine() % 1000) * 1e-5;
    s.requantization.push_back({QuantizeMultiplier(scale), scale});
    bias.push_back(static_cast<int32_t>(engine() % 20000) - 10000);
  }
  const auto prepared = PrepareDepthwiseRow(row, s, weights.data(), bias.data());
  ThreadPool pool(1);
  AlignedBytes scratch(prepared->ScratchBytes(1) + 64);
  for (auto _ : state) {
    prepared->Run(input.data(), output.data(), scratch.data(), pool);
    benchmark::ClobberMemory();
  }
  const auto outputs = static_cast<double>(output.size());
  state.counters["GMAC/s"] = benchmark::Counter(outputs * shape.kernel * shape.kernel * 1e-9,
                                                benchmark::Counter::kIsIterationInvariantRate);
  state.counters["ns64"] =
      benchmark::Counter(outputs / 64 * 1e-9, benchmark::Counter::kIsIterationInvariantRate |
                                                  benchmark::Counter::kInvert);
}

const bool kRegistered = [] {
  for (const DepthwiseRow& row : DepthwiseRows()) {
    if (row.tiles == nullptr || row.tiles() == nullptr) continue;
    if ((row.needs & ~DetectedCpuFlags()) != 0) continue;
    for (const Shape& shape : kShapes) {
      benchmark::RegisterBenchmark(
          (std::string(row.name) + "/" + shape.name).c_str(),
          [&row, &shape](benchmark::State& state) { RunLayer(state, row, shape); })
          ->Unit(benchmark::kMicrosecond)
          ->MinTime(0.05);
    }
  }
  return true;
}();

}  // namespace
}  // namespace dlpu
