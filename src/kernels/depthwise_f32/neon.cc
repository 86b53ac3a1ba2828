// SPDX-License-Identifier: Apache-2.0
// Float depthwise strips with AArch64 NEON: 8 pixels x 4 channels.
#include "base/cpu.h"
#include "kernels/depthwise_f32/strip.h"

#if defined(__aarch64__)
#include <arm_neon.h>

namespace dlpu {
namespace {

constexpr int kLanes = 4;

// Channels c .. c + 4 of the strip, as many as there are.
struct Lanes {
  int64_t c, count;
};

inline float32x4_t Load(const Lanes& lanes, const float* p) {
  if (lanes.count == kLanes) return vld1q_f32(p);
  float padded[kLanes] = {0, 0, 0, 0};
  for (int64_t i = 0; i < lanes.count; ++i) padded[i] = p[i];
  return vld1q_f32(padded);
}

inline float32x4_t LoadIf(bool inside, const Lanes& lanes, const float* p) {
  return inside ? Load(lanes, p) : vdupq_n_f32(0.0f);
}

template <int kPixels>
void Finish(const DepthwiseF32Strip& s, int64_t pixel, const Lanes& lanes,
            const float32x4_t (&acc)[kPixels]) {
  const float32x4_t bias = Load(lanes, s.bias + lanes.c);
  float* out = s.output + pixel * s.step + lanes.c;
#pragma GCC unroll 8
  for (int p = 0; p < kPixels; ++p, out += s.step) {
    // NaN passes through vmax and vmin.
    float32x4_t y = vmaxq_f32(vaddq_f32(acc[p], bias), vdupq_n_f32(s.low));
    y = vminq_f32(y, vdupq_n_f32(s.high));
    if (lanes.count == kLanes) {
      vst1q_f32(out, y);
    } else {
      float rest[kLanes];
      vst1q_f32(rest, y);
      for (int64_t i = 0; i < lanes.count; ++i) out[i] = rest[i];
    }
  }
}

// Any taps: one weight and kPixels inputs for each tap.
template <int kPixels>
void AnyTile(const DepthwiseF32Strip& s, int64_t pixel, const Lanes& lanes) {
  float32x4_t acc[kPixels];
#pragma GCC unroll 8
  for (int p = 0; p < kPixels; ++p) acc[p] = vdupq_n_f32(0.0f);
  const int64_t first = pixel * s.stride - s.pad;
  for (int64_t r = 0; r < s.rows; ++r) {
    const float* x = s.inputs[r] + lanes.c;
    for (int64_t t = 0; t < s.taps; ++t) {
      const float32x4_t weight = Load(lanes, s.weights[r] + t * s.step + lanes.c);
#pragma GCC unroll 8
      for (int p = 0; p < kPixels; ++p) {
        const int64_t at = first + p * s.stride + t * s.dilation;
        const float32x4_t v = LoadIf(at >= 0 && at < s.width, lanes, x + at * s.step);
        acc[p] = vfmaq_f32(acc[p], v, weight);
      }
    }
  }
  Finish<kPixels>(s, pixel, lanes, acc);
}

// kTaps neighbouring taps: every input of a row is loaded once and serves all pixels that see it.
// With kBorder some of them may be outside the picture.
template <int kPixels, int kTaps, int kStride, bool kBorder>
void SlidingTile(const DepthwiseF32Strip& s, int64_t pixel, const Lanes& lanes) {
  constexpr int kColumns = (kPixels - 1) * kStride + kTaps;
  float32x4_t acc[kPixels];
#pragma GCC unroll 8
  for (int p = 0; p < kPixels; ++p) acc[p] = vdupq_n_f32(0.0f);
  const int64_t first = pixel * kStride - s.pad, step = s.step;
  for (int64_t r = 0; r < s.rows; ++r) {
    const float* x = s.inputs[r] + first * step + lanes.c;
    const float* w = s.weights[r] + lanes.c;
    if (r >= s.rows - s.fetch) {
#pragma GCC unroll 16
      for (int i = 0; i < kPixels * kStride; ++i) {
        __builtin_prefetch(x + (kColumns + i) * step);
      }
    }
    float32x4_t weight[kTaps];
#pragma GCC unroll 8
    for (int t = 0; t < kTaps; ++t) weight[t] = Load(lanes, w + t * step);
#pragma GCC unroll 32
    for (int i = 0; i < kColumns; ++i, x += step) {
      const bool inside = !kBorder || (first + i >= 0 && first + i < s.width);
      const float32x4_t v = LoadIf(inside, lanes, x);
#pragma GCC unroll 8
      for (int p = 0; p < kPixels; ++p) {
        const int t = i - p * kStride;
        if (t >= 0 && t < kTaps) acc[p] = vfmaq_f32(acc[p], v, weight[t]);
      }
    }
  }
  Finish<kPixels>(s, pixel, lanes, acc);
}

template <int kPixels, int kTaps, int kStride>
void Channels(const DepthwiseF32Strip& s, int64_t pixel) {
  const int64_t first = pixel * kStride - s.pad;
  const bool border = first < 0 || first + (kPixels - 1) * kStride + kTaps > s.width;
  for (int64_t c = 0; c < s.channels; c += kLanes) {
    const int64_t left = s.channels - c;
    const Lanes lanes = {c, left < kLanes ? left : kLanes};
    if constexpr (kTaps == 0) {
      AnyTile<kPixels>(s, pixel, lanes);
    } else if (border) {
      SlidingTile<kPixels, kTaps, kStride, true>(s, pixel, lanes);
    } else {
      SlidingTile<kPixels, kTaps, kStride, false>(s, pixel, lanes);
    }
  }
}

// Tiles of kMost or 4 pixels. The last one may overlap its neighbour and repeat its results, which
// are the same: how pixels are tiled never changes a sum.
template <int kTaps, int kStride, int kMost>
void Strip(const DepthwiseF32Strip& s) {
  int64_t p = 0;
  if (s.pixels >= 4 && !s.stream) {
    for (; s.pixels - p >= kMost; p += kMost) Channels<kMost, kTaps, kStride>(s, p);
    if (p == s.pixels) return;
    if (s.pixels - p > 4 && s.pixels >= kMost) {
      Channels<kMost, kTaps, kStride>(s, s.pixels - kMost);
    } else {
      if (s.pixels - p > 4) Channels<4, kTaps, kStride>(s, p);
      Channels<4, kTaps, kStride>(s, s.pixels - 4);
    }
    return;
  }
  for (; p < s.pixels; ++p) Channels<1, kTaps, kStride>(s, p);
}

const DepthwiseF32Kernel kKernels[] = {
    {"neon",
     kCpuNeon,
     kLanes,
     8,
     Strip<0, 0, 8>,
     {{3, 1, Strip<3, 1, 8>},
      {3, 2, Strip<3, 2, 4>},
      {5, 1, Strip<5, 1, 8>},
      {5, 2, Strip<5, 2, 4>}}},
};

}  // namespace

DepthwiseF32KernelList DepthwiseF32Neon() { return {kKernels, 1}; }

}  // namespace dlpu
#else
namespace dlpu {
DepthwiseF32KernelList DepthwiseF32Neon() { return {nullptr, 0}; }
}  // namespace dlpu
#endif
