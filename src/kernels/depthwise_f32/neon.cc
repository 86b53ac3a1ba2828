// SPDX-License-Identifier: Apache-2.0
// Float depthwise strips with AArch64 NEON: 4 pixels x 4 channels, sliding for 3 and 5 taps.
#include "base/cpu.h"
#include "kernels/depthwise_f32/strip.h"

#if defined(__aarch64__)
#include <arm_neon.h>

namespace dlpu {
namespace {

inline float32x4_t Load(const float* p, int64_t left) {
  if (left >= 4) return vld1q_f32(p);
  float padded[4] = {0, 0, 0, 0};
  for (int64_t i = 0; i < left; ++i) padded[i] = p[i];
  return vld1q_f32(padded);
}

template <int kPixels>
void Finish(const DepthwiseF32Strip& s, int64_t pixel, int64_t c,
            const float32x4_t (&acc)[kPixels]) {
  const int64_t left = s.channels - c;
  const float32x4_t bias = Load(s.bias + c, left);
  float* out = s.output + pixel * s.output_step + c;
  for (int p = 0; p < kPixels; ++p, out += s.output_step) {
    // NaN passes through vmax and vmin.
    float32x4_t y = vmaxq_f32(vaddq_f32(acc[p], bias), vdupq_n_f32(s.low));
    y = vminq_f32(y, vdupq_n_f32(s.high));
    if (left >= 4) {
      vst1q_f32(out, y);
    } else {
      float rest[4];
      vst1q_f32(rest, y);
      for (int64_t i = 0; i < left; ++i) out[i] = rest[i];
    }
  }
}

// Any taps: one weight and kPixels inputs for each tap.
template <int kPixels>
void AnyTile(const DepthwiseF32Strip& s, int64_t pixel, int64_t c) {
  const int64_t left = s.channels - c;
  float32x4_t acc[kPixels];
  for (int p = 0; p < kPixels; ++p) acc[p] = vdupq_n_f32(0.0f);
  for (int64_t r = 0; r < s.rows; ++r) {
    const float* x = s.inputs[r] + pixel * s.pixel_step + c;
    const float* w = s.weights[r] + c;
    for (int64_t t = 0; t < s.taps; ++t, x += s.tap_step, w += s.weight_step) {
      const float32x4_t weight = Load(w, left);
      for (int p = 0; p < kPixels; ++p) {
        acc[p] = vfmaq_f32(acc[p], Load(x + p * s.pixel_step, left), weight);
      }
    }
  }
  Finish<kPixels>(s, pixel, c, acc);
}

// kTaps neighbouring taps: every input of a row is loaded once and serves all pixels that see it.
template <int kPixels, int kTaps, int kStride>
void SlidingTile(const DepthwiseF32Strip& s, int64_t pixel, int64_t c) {
  const int64_t left = s.channels - c;
  float32x4_t acc[kPixels];
  for (int p = 0; p < kPixels; ++p) acc[p] = vdupq_n_f32(0.0f);
  for (int64_t r = 0; r < s.rows; ++r) {
    const float* x = s.inputs[r] + pixel * s.pixel_step + c;
    const float* w = s.weights[r] + c;
    float32x4_t weight[kTaps];
    for (int t = 0; t < kTaps; ++t) weight[t] = Load(w + t * s.weight_step, left);
    for (int i = 0; i < (kPixels - 1) * kStride + kTaps; ++i, x += s.tap_step) {
      const float32x4_t v = Load(x, left);
      for (int p = 0; p < kPixels; ++p) {
        const int t = i - p * kStride;
        if (t >= 0 && t < kTaps) acc[p] = vfmaq_f32(acc[p], v, weight[t]);
      }
    }
  }
  Finish<kPixels>(s, pixel, c, acc);
}

template <int kPixels, int kTaps, int kStride>
void Channels(const DepthwiseF32Strip& s, int64_t pixel) {
  for (int64_t c = 0; c < s.channels; c += 4) {
    if constexpr (kTaps == 0) {
      AnyTile<kPixels>(s, pixel, c);
    } else {
      SlidingTile<kPixels, kTaps, kStride>(s, pixel, c);
    }
  }
}

// Tiles of 4 pixels; the last one may overlap its neighbour and repeat its results.
template <int kTaps, int kStride>
void Strip(const DepthwiseF32Strip& s) {
  if (s.pixels >= 4) {
    for (int64_t p = 0; p < s.pixels; p += 4) {
      Channels<4, kTaps, kStride>(s, p + 4 <= s.pixels ? p : s.pixels - 4);
    }
  } else {
    for (int64_t p = 0; p < s.pixels; ++p) Channels<1, kTaps, kStride>(s, p);
  }
}

const DepthwiseF32Kernel kKernels[] = {
    {"neon",
     kCpuNeon,
     4,
     4,
     Strip<0, 0>,
     {{3, 1, Strip<3, 1>}, {3, 2, Strip<3, 2>}, {5, 1, Strip<5, 1>}, {5, 2, Strip<5, 2>}}},
};

}  // namespace

DepthwiseF32KernelList DepthwiseF32Neon() { return {kKernels, 1}; }

}  // namespace dlpu
#else
namespace dlpu {
DepthwiseF32KernelList DepthwiseF32Neon() { return {nullptr, 0}; }
}  // namespace dlpu
#endif
