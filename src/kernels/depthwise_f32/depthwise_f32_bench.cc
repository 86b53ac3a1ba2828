// SPDX-License-Identifier: Apache-2.0
// Float depthwise convolution, one thread: each row of this CPU on layers of common networks, in
// GFMA/s.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "base/cpu.h"
#include "kernels/depthwise_f32/rows.h"
#include "kernels/gemm_f32/gemm_f32.h"

namespace dlpu {
namespace {

struct BenchLayer {
  const char* name;
  int32_t in, channels, kernel, stride;  // square pictures, SAME padding
};

constexpr BenchLayer kLayers[] = {
    {"3x3_150x32", 150, 32, 3, 1},   {"3x3s2_150x96", 150, 96, 3, 2}, {"3x3_75x144", 75, 144, 3, 1},
    {"3x3s2_75x144", 75, 144, 3, 2}, {"3x3_38x192", 38, 192, 3, 1},   {"3x3_19x576", 19, 576, 3, 1},
    {"3x3_10x960", 10, 960, 3, 1},   {"3x3_48x32", 48, 32, 3, 1},     {"5x5_28x72", 28, 72, 5, 1},
    {"5x5s2_56x40", 56, 40, 5, 2},   {"5x5_7x480", 7, 480, 5, 1},     {"7x7_28x64", 28, 64, 7, 1},
};

void Run(benchmark::State& state, const DepthwiseF32Row& row, const BenchLayer& layer) {
  DepthwiseF32Spec s;
  s.in_h = s.in_w = layer.in;
  s.in_c = layer.channels;
  s.out_h = s.out_w = (layer.in + layer.stride - 1) / layer.stride;
  s.kernel_h = s.kernel_w = layer.kernel;
  s.stride_h = s.stride_w = layer.stride;
  s.pad_top = s.pad_left = layer.kernel / 2;
  s.low = 0;
  s.high = 6;
  const int64_t outputs = int64_t{s.out_h} * s.out_w * s.in_c;
  const int64_t taps = int64_t{s.kernel_h} * s.kernel_w;
  const std::vector<float> input(static_cast<size_t>(int64_t{s.in_h} * s.in_w * s.in_c), 0.5f);
  const std::vector<float> weights(static_cast<size_t>(taps * s.in_c), 0.25f);
  const std::vector<float> bias(static_cast<size_t>(s.in_c), 1.0f);
  const AlignedFloats output = MakeAlignedFloats(outputs);
  const auto depthwise = row.prepare(row, s, weights.data(), bias.data());
  ThreadPool pool(1);
  const AlignedFloats scratch = MakeAlignedFloats(depthwise->ScratchBytes(1) / 4 + 1);
  for (auto _ : state) {
    depthwise->Run(input.data(), output.get(), reinterpret_cast<uint8_t*>(scratch.get()), pool);
    benchmark::ClobberMemory();
  }
  state.counters["GFMA/s"] = benchmark::Counter(
      static_cast<double>(outputs * taps) * 1e-9 * static_cast<double>(state.iterations()),
      benchmark::Counter::kIsRate);
}

const bool kRegistered = [] {
  for (const DepthwiseF32Row& row : DepthwiseF32Rows()) {
    if ((row.cpu & ~DetectedCpuFlags()) != 0) continue;
    for (const BenchLayer& layer : kLayers) {
      benchmark::RegisterBenchmark((std::string(row.name) + "/" + layer.name).c_str(),
                                   [&row, &layer](auto& state) { Run(state, row, layer); })
          ->Unit(benchmark::kMicrosecond);
    }
  }
  return true;
}();

}  // namespace
}  // namespace dlpu
