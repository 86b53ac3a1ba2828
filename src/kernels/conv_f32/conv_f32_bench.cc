// SPDX-License-Identifier: Apache-2.0
// Float convolution, one thread: each row of this CPU on layers of common networks, in GFMA/s.
// Also the time to prepare (pack) a layer.
#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <vector>

#include "base/cpu.h"
#include "kernels/conv_f32/rows.h"
#include "kernels/gemm_f32/gemm_f32.h"

namespace dlpu {
namespace {

struct BenchLayer {
  const char* name;
  int32_t in, in_c, out_c, kernel, stride;  // square pictures, SAME padding
};

constexpr BenchLayer kLayers[] = {
    {"stem_300x3_32", 300, 3, 32, 3, 2},      {"project_150x32_16", 150, 32, 16, 1, 1},
    {"expand_150x16_96", 150, 16, 96, 1, 1},  {"project_75x96_24", 75, 96, 24, 1, 1},
    {"expand_75x24_144", 75, 24, 144, 1, 1},  {"expand_19x96_576", 19, 96, 576, 1, 1},
    {"project_19x576_96", 19, 576, 96, 1, 1}, {"head_10x320_1280", 10, 320, 1280, 1, 1},
    {"resnet_56x64_64", 56, 64, 64, 3, 1},    {"resnet_14x256_256", 14, 256, 256, 3, 1},
    {"resnet_7x512_512", 7, 512, 512, 3, 1},  {"face_48x32_32", 48, 32, 32, 1, 1},
    {"hand_56x24_144", 56, 24, 144, 1, 1},    {"classifier_1280_1000", 1, 1280, 1000, 1, 1},
};

ConvF32Spec SpecOf(const BenchLayer& layer) {
  ConvF32Spec s;
  s.in_h = s.in_w = layer.in;
  s.in_c = layer.in_c;
  s.out_c = layer.out_c;
  s.out_h = s.out_w = (layer.in + layer.stride - 1) / layer.stride;
  s.kernel_h = s.kernel_w = layer.kernel;
  s.stride_h = s.stride_w = layer.stride;
  s.pad_top = s.pad_left = layer.kernel / 2;
  s.low = 0;
  s.high = 6;
  return s;
}

void Run(benchmark::State& state, const ConvF32Row& row, const BenchLayer& layer) {
  const ConvF32Spec s = SpecOf(layer);
  const int64_t outputs = int64_t{s.out_h} * s.out_w * s.out_c;
  const int64_t depth = int64_t{s.kernel_h} * s.kernel_w * s.in_c;
  const std::vector<float> input(static_cast<size_t>(int64_t{s.in_h} * s.in_w * s.in_c), 0.5f);
  const std::vector<float> weights(static_cast<size_t>(depth * s.out_c), 0.25f);
  const std::vector<float> bias(static_cast<size_t>(s.out_c), 1.0f);
  std::vector<float> output(static_cast<size_t>(outputs));
  const auto conv = row.prepare(row, s, weights.data(), bias.data());
  ThreadPool pool(1);
  const AlignedFloats scratch = MakeAlignedFloats(conv->ScratchBytes(1) / 4 + 1);
  for (auto _ : state) {
    conv->Run(input.data(), output.data(), reinterpret_cast<uint8_t*>(scratch.get()), pool);
    benchmark::ClobberMemory();
  }
  state.counters["GFMA/s"] = benchmark::Counter(
      static_cast<double>(outputs * depth) * 1e-9 * static_cast<double>(state.iterations()),
      benchmark::Counter::kIsRate);
}

void Prepare(benchmark::State& state, const ConvF32Row& row) {
  const ConvF32Spec s = SpecOf({"", 14, 512, 1024, 3, 1});
  const std::vector<float> weights(size_t{9} * 512 * 1024, 0.25f);
  for (auto _ : state) {
    benchmark::DoNotOptimize(row.prepare(row, s, weights.data(), nullptr));
  }
  state.counters["Mweights/s"] = benchmark::Counter(
      static_cast<double>(weights.size()) * 1e-6 * static_cast<double>(state.iterations()),
      benchmark::Counter::kIsRate);
}

const bool kRegistered = [] {
  for (const ConvF32Row& row : ConvF32Rows()) {
    if ((row.cpu & ~DetectedCpuFlags()) != 0) continue;
    const std::string name = row.name;
    for (const BenchLayer& layer : kLayers) {
      benchmark::RegisterBenchmark((name + "/" + layer.name).c_str(), [&row, &layer](auto& state) {
        Run(state, row, layer);
      })->Unit(benchmark::kMicrosecond);
    }
    benchmark::RegisterBenchmark((name + "/prepare_4.7M").c_str(), [&row](auto& state) {
      Prepare(state, row);
    })->Unit(benchmark::kMillisecond);
  }
  return true;
}();

}  // namespace
}  // namespace dlpu
