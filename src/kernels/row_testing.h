// SPDX-License-Identifier: Apache-2.0
// Test helper of the 8-bit product kernels: random layers, and the comparison of every row this
// CPU has with the reference. Only tests include this; one thread.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "base/cpu.h"
#include "base/fixed_point.h"
#include "base/threads.h"
#include "kernels/aligned.h"

namespace dlpu::testing {

inline constexpr uint32_t kSeed = 20240611;
inline constexpr size_t kGuard = 160;

template <typename Spec>
struct TestLayer {
  Spec spec;
  std::vector<uint8_t> input, weights;
  std::vector<int32_t> bias;
};

// Runs a prepared layer with guard bytes around the output and none of the input's slack zero.
template <typename Prepared, typename Layer>
std::vector<uint8_t> RunGuarded(const Prepared& prepared, const Layer& layer, size_t size,
                                ThreadPool& pool) {
  std::vector<uint8_t> input = layer.input;
  input.resize(input.size() + 256, 0xA5);
  std::vector<uint8_t> output(size + 2 * kGuard, 0x5C);
  AlignedBytes scratch(prepared.ScratchBytes(pool.threads()) + 64);
  prepared.Run(input.data(), output.data() + kGuard, scratch.data(), pool);
  for (size_t i = 0; i < kGuard; ++i) {
    EXPECT_EQ(output[i], 0x5C) << "wrote " << kGuard - i << " bytes before the output";
    EXPECT_EQ(output[kGuard + size + i], 0x5C) << "wrote " << i + 1 << " bytes past the output";
  }
  return {output.begin() + kGuard, output.begin() + static_cast<int64_t>(kGuard + size)};
}

// The rows of a family this CPU can run, and what they were seen doing. Family has Rows(),
// Prepare(row, layer), Reference(layer) and Describe(spec).
template <typename Family>
class RowRunner {
 public:
  using Layer = typename Family::Layer;

  RowRunner() {
    for (const auto& row : Family::Rows()) {
      if ((row.needs & ~DetectedCpuFlags()) == 0) {
        rows_.push_back(&row);
      } else {
        lacking_ += std::string(" ") + row.name;
      }
    }
  }

  // Compares all rows on one layer; thread counts 2 and 4 only when `threaded`.
  void Check(const Layer& layer, bool threaded) {
    const std::vector<uint8_t> expected = Family::Reference(layer);
    for (const auto* row : rows_) {
      const auto prepared = Family::Prepare(*row, layer);
      ASSERT_NE(prepared, nullptr) << row->name << " refused " << Family::Describe(layer.spec);
      ran_.insert(row->name);
      for (ThreadPool* pool : {&one_, &two_, &four_}) {
        if (pool != &one_ && !threaded) continue;
        const std::vector<uint8_t> got = RunGuarded(*prepared, layer, expected.size(), *pool);
        const auto [e, g] = std::mismatch(expected.begin(), expected.end(), got.begin());
        ASSERT_TRUE(e == expected.end())
            << row->name << ", " << pool->threads() << " threads, output " << e - expected.begin()
            << ": " << int{*g} << " instead of " << int{*e} << "; " << Family::Describe(layer.spec);
      }
    }
    compared_ += expected.size();
  }

  ~RowRunner() {
    std::string names;
    for (const std::string& name : ran_) names += " " + name;
    std::printf("seed %u; %zu outputs; rows:%s; not on this CPU:%s\n", kSeed, compared_,
                names.c_str(), lacking_.empty() ? " none" : lacking_.c_str());
    EXPECT_GT(compared_, 0u);
    EXPECT_EQ(ran_.size(), rows_.size()) << "a row this CPU has was skipped";
  }

 private:
  std::vector<const typename Family::Row*> rows_;
  std::set<std::string> ran_;
  std::string lacking_;
  size_t compared_ = 0;
  ThreadPool one_{1}, two_{2}, four_{4};
};

class Random {
 public:
  explicit Random(uint32_t seed) : engine_(seed) {}
  int Int(int low, int high) { return std::uniform_int_distribution<int>(low, high)(engine_); }
  double Real() { return std::uniform_real_distribution<double>()(engine_); }
  bool Chance(double p) { return Real() < p; }
  uint8_t Byte() { return static_cast<uint8_t>(engine_()); }
  template <typename T>
  T Pick(std::initializer_list<T> values) {
    return values.begin()[Int(0, static_cast<int>(values.size()) - 1)];
  }

 private:
  std::mt19937 engine_;
};

// Types, zero points, bounds, weights and scales for a spec whose shape is set; `taps` products
// make one of the `channels` output channels.
template <typename Spec>
void FillLayer(Random& random, size_t taps, int channels, TestLayer<Spec>& layer) {
  Spec& s = layer.spec;
  s.input_signed = random.Chance(0.5);
  s.output_signed = random.Chance(0.5);
  s.weights_signed = random.Chance(0.5);
  s.input_zero = random.Int(0, 255) - (s.input_signed ? 128 : 0);
  s.output_zero = random.Int(0, 255) - (s.output_signed ? 128 : 0);
  s.weights_zero = s.weights_signed ? 0 : random.Int(100, 150);
  if (random.Chance(0.1)) s.weights_zero = random.Int(0, 255) - (s.weights_signed ? 128 : 0);
  s.low = s.output_signed ? -128 : 0;
  s.high = s.low + 255;
  if (random.Chance(0.3)) s.low = s.output_zero;
  if (random.Chance(0.2)) s.high = random.Int(s.low, s.high);
  s.rounding = random.Pick({Rounding::kDouble, Rounding::kDouble, Rounding::kDouble,
                            Rounding::kDoubleUp, Rounding::kFloat64, Rounding::kFloat32Even});
  layer.input.resize(static_cast<size_t>(s.batch) * s.in_h * s.in_w * s.in_c);
  layer.weights.resize(static_cast<size_t>(channels) * taps);
  for (uint8_t& x : layer.input) x = random.Byte();
  for (uint8_t& w : layer.weights) w = random.Byte();
  const double spread = 5000.0 * std::sqrt(static_cast<double>(taps));
  const bool per_channel = random.Chance(0.5), power_of_two = random.Chance(0.2);
  double scale = 0.0;
  for (int o = 0; o < channels; ++o) {
    if (o == 0 || per_channel) scale = 100.0 / spread * (0.3 + random.Real());
    if (power_of_two) scale = std::ldexp(1.0, std::ilogb(scale));
    double mine = scale;
    if (random.Chance(0.01)) mine = random.Pick({0.0, 0.75, 1.0, 3.0, 1e-6});
    s.requantization.push_back({QuantizeMultiplier(mine), mine});
    layer.bias.push_back(static_cast<int32_t>((random.Real() - 0.5) * spread));
    if (random.Chance(0.005)) layer.bias.back() = random.Pick({INT32_MIN, INT32_MAX, 1 << 30});
  }
}

// Sets the output size; SAME padding or none. False if the kernel does not fit.
template <typename Spec>
bool SetGeometry(Spec& s, bool same) {
  const auto set = [&](int in, int kernel, int stride, int dilation, int& out, int& pad) {
    const int extent = (kernel - 1) * dilation + 1;
    out = same ? (in + stride - 1) / stride : (in - extent + stride) / stride;
    pad = same ? std::max((out - 1) * stride + extent - in, 0) / 2 : 0;
    return out > 0;
  };
  return set(s.in_h, s.kernel_h, s.stride_h, s.dilation_h, s.out_h, s.pad_top) &&
         set(s.in_w, s.kernel_w, s.stride_w, s.dilation_w, s.out_w, s.pad_left);
}

}  // namespace dlpu::testing
