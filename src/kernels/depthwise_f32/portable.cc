// SPDX-License-Identifier: Apache-2.0
// Float depthwise strips in plain C++, 16 channels at a time, for any CPU. Without fused
// operations, so it adds exactly as the reference does.
#include "kernels/depthwise_f32/strip.h"

namespace dlpu {
namespace {

constexpr int64_t kLanes = 16;

void Strip(const DepthwiseF32Strip& s) {
  for (int64_t p = 0; p < s.pixels; ++p) {
    for (int64_t c = 0; c < s.channels; c += kLanes) {
      const int64_t n = s.channels - c < kLanes ? s.channels - c : kLanes;
      float acc[kLanes] = {};
      for (int64_t r = 0; r < s.rows; ++r) {
        for (int64_t t = 0; t < s.taps; ++t) {
          const int64_t at = p * s.stride + t * s.dilation - s.pad;
          if (at < 0 || at >= s.width) continue;
          const float* x = s.inputs[r] + at * s.step + c;
          const float* w = s.weights[r] + t * s.step + c;
          for (int64_t i = 0; i < n; ++i) acc[i] += x[i] * w[i];
        }
      }
      float* out = s.output + p * s.step + c;
      for (int64_t i = 0; i < n; ++i) {
        float y = acc[i] + s.bias[c + i];
        y = y < s.low ? s.low : y;
        out[i] = y > s.high ? s.high : y;
      }
    }
  }
}

const DepthwiseF32Kernel kKernels[] = {{"portable", 0, kLanes, 1, Strip, {}}};

}  // namespace

DepthwiseF32KernelList DepthwiseF32Portable() { return {kKernels, 1}; }

}  // namespace dlpu
