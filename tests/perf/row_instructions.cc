// SPDX-License-Identifier: Apache-2.0
// Runs one int8 layer on one kernel row a number of times, for counting instructions:
//   row_instructions ROW KIND SIZE IN_C OUT_C KERNEL STRIDE RUNS
// KIND is conv or depthwise. Prints "OUTPUTS PRODUCTS" of one run; fails with status 2 when this
// CPU does not have the row. One thread; values are random, with a fixed seed.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "base/cpu.h"
#include "base/threads.h"
#include "kernels/aligned.h"
#include "kernels/conv/rows.h"
#include "kernels/depthwise/rows.h"

namespace dlpu {
namespace {

struct Shape {
  int size, in_c, out_c, kernel, stride;
};

template <typename Spec>
struct Layer {
  Spec spec;
  std::vector<uint8_t> input, weights, output;
  std::vector<int32_t> bias;
};

// Same padding, int8 activations with a clamp at the zero point, int8 weights per channel.
template <typename Spec>
Layer<Spec> MakeLayer(const Shape& shape, int channels, int depth) {
  std::mt19937 engine(1);
  Layer<Spec> layer;
  Spec& s = layer.spec;
  s.in_h = s.in_w = shape.size;
  s.in_c = shape.in_c;
  s.kernel_h = s.kernel_w = shape.kernel;
  s.stride_h = s.stride_w = shape.stride;
  s.out_h = s.out_w = (shape.size + shape.stride - 1) / shape.stride;
  s.pad_top = s.pad_left =
      std::max((s.out_h - 1) * shape.stride + shape.kernel - shape.size, 0) / 2;
  s.input_signed = s.weights_signed = s.output_signed = true;
  s.input_zero = -3;
  s.output_zero = s.low = -128;
  s.high = 127;
  const int taps = shape.kernel * shape.kernel * depth;
  layer.input.resize(static_cast<size_t>(shape.size) * shape.size * shape.in_c + 256);
  layer.weights.resize(static_cast<size_t>(taps) * channels);
  layer.output.resize(static_cast<size_t>(s.out_h) * s.out_w * channels);
  for (uint8_t& x : layer.input) x = static_cast<uint8_t>(engine());
  for (uint8_t& w : layer.weights) w = static_cast<uint8_t>(engine() % 255 - 127);
  for (int c = 0; c < channels; ++c) {
    const double scale =
        (0.5 + static_cast<double>(engine() % 1000) / 1000) / 62.0 / std::sqrt(taps);
    s.requantization.push_back({QuantizeMultiplier(scale), scale});
    layer.bias.push_back(static_cast<int32_t>(engine() % 20000) - 10000);
  }
  return layer;
}

template <typename Prepared, typename Spec>
void Repeat(const Prepared& prepared, Layer<Spec>& layer, int runs) {
  ThreadPool pool(1);
  AlignedBytes scratch(prepared.ScratchBytes(1) + 64);
  for (int i = 0; i < runs; ++i) {
    prepared.Run(layer.input.data(), layer.output.data(), scratch.data(), pool);
  }
}

// The row of that name if it was built and this CPU has what it needs.
template <typename Rows>
auto FindRow(const Rows& rows, const std::string& name) {
  const auto found =
      std::find_if(rows.begin(), rows.end(), [&](const auto& row) { return name == row.name; });
  const bool runs = found != rows.end() && (found->needs & ~DetectedCpuFlags()) == 0;
  return runs ? &*found : nullptr;
}

int Run(const std::string& name, bool depthwise, const Shape& shape, int runs) {
  int64_t outputs = 0, products = 0;
  if (depthwise) {
    const DepthwiseRow* row = FindRow(DepthwiseRows(), name);
    if (row == nullptr) return 2;
    auto layer = MakeLayer<DepthwiseSpec>(shape, shape.in_c, 1);
    const auto prepared =
        PrepareDepthwiseRow(*row, layer.spec, layer.weights.data(), layer.bias.data());
    if (prepared == nullptr) return 2;
    Repeat(*prepared, layer, runs);
    outputs = static_cast<int64_t>(layer.output.size());
    products = outputs * shape.kernel * shape.kernel;
  } else {
    const ConvRow* row = FindRow(ConvRows(), name);
    if (row == nullptr) return 2;
    auto layer = MakeLayer<ConvSpec>(shape, shape.out_c, shape.in_c);
    layer.spec.out_c = shape.out_c;
    const auto prepared = PrepareConvRow(*row, layer.spec, layer.weights.data(), layer.bias.data());
    if (prepared == nullptr) return 2;
    Repeat(*prepared, layer, runs);
    outputs = static_cast<int64_t>(layer.output.size());
    products = outputs * shape.kernel * shape.kernel * shape.in_c;
  }
  std::printf("%lld %lld\n", static_cast<long long>(outputs), static_cast<long long>(products));
  return 0;
}

}  // namespace
}  // namespace dlpu

int main(int argc, char** argv) {
  if (argc != 9) {
    std::fprintf(stderr, "usage: row_instructions ROW KIND SIZE IN_C OUT_C KERNEL STRIDE RUNS\n");
    return 1;
  }
  const auto number = [&](int i) { return std::max(1, std::atoi(argv[i])); };
  const dlpu::Shape shape{number(3), number(4), number(5), number(6), number(7)};
  return dlpu::Run(argv[1], std::string(argv[2]) == "depthwise", shape, std::atoi(argv[8]));
}
