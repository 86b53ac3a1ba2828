// SPDX-License-Identifier: Apache-2.0
// Float depthwise strips, written once over a vector type V:
//   V::Real, V::kLanes     a vector of floats
//   V::From(c, left)       V::Lanes: channels c, c + 1, ... of which `left` exist (any number above
//                          kLanes: all); V::Lanes has a member c
//   V::Load, V::Store      of the channels that exist; V::LoadIf(inside, lanes, p) zeros otherwise
//   V::Zero, V::Add, V::Fma(v, w, acc), V::Clamp(v, low, high)   NaN passes through Clamp
// Included by files with instruction-set flags only, each with a copy of its own.
#pragma once

#include "base/cpu.h"
#include "kernels/depthwise_f32/strip.h"

namespace dlpu {
namespace {

template <class V, int kPixels>
void Finish(const DepthwiseF32Strip& s, int64_t pixel, typename V::Lanes lanes,
            const typename V::Real (&acc)[kPixels]) {
  const typename V::Real bias = V::Load(lanes, s.bias + lanes.c);
  float* out = s.output + pixel * s.step + lanes.c;
#pragma GCC unroll 8
  for (int p = 0; p < kPixels; ++p, out += s.step) {
    V::Store(lanes, out, V::Clamp(V::Add(acc[p], bias), s.low, s.high));
  }
}

// Any taps: one weight and kPixels inputs for each tap.
template <class V, int kPixels>
void AnyTile(const DepthwiseF32Strip& s, int64_t pixel, typename V::Lanes lanes) {
  using Real = typename V::Real;
  Real acc[kPixels];
#pragma GCC unroll 8
  for (int p = 0; p < kPixels; ++p) acc[p] = V::Zero();
  const int64_t first = pixel * s.stride - s.pad;
  for (int64_t r = 0; r < s.rows; ++r) {
    const float* x = s.inputs[r] + lanes.c;
    for (int64_t t = 0; t < s.taps; ++t) {
      const Real weight = V::Load(lanes, s.weights[r] + t * s.step + lanes.c);
#pragma GCC unroll 8
      for (int p = 0; p < kPixels; ++p) {
        const int64_t at = first + p * s.stride + t * s.dilation;
        const Real v = V::LoadIf(at >= 0 && at < s.width, lanes, x + at * s.step);
        acc[p] = V::Fma(v, weight, acc[p]);
      }
    }
  }
  Finish<V, kPixels>(s, pixel, lanes, acc);
}

// kTaps neighbouring taps: every input of a row is loaded once and serves all pixels that see it.
// With kBorder some of them may be outside the picture.
template <class V, int kPixels, int kTaps, int kStride, bool kBorder>
void SlidingTile(const DepthwiseF32Strip& s, int64_t pixel, typename V::Lanes lanes) {
  constexpr int kColumns = (kPixels - 1) * kStride + kTaps;
  using Real = typename V::Real;
  Real acc[kPixels];
#pragma GCC unroll 8
  for (int p = 0; p < kPixels; ++p) acc[p] = V::Zero();
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
    Real weight[kTaps];
#pragma GCC unroll 8
    for (int t = 0; t < kTaps; ++t) weight[t] = V::Load(lanes, w + t * step);
#pragma GCC unroll 32
    for (int i = 0; i < kColumns; ++i, x += step) {
      const bool inside = !kBorder || (first + i >= 0 && first + i < s.width);
      const Real v = V::LoadIf(inside, lanes, x);
#pragma GCC unroll 8
      for (int p = 0; p < kPixels; ++p) {
        const int t = i - p * kStride;
        if (t >= 0 && t < kTaps) acc[p] = V::Fma(v, weight[t], acc[p]);
      }
    }
  }
  Finish<V, kPixels>(s, pixel, lanes, acc);
}

template <class V, int kPixels, int kTaps, int kStride>
void Channels(const DepthwiseF32Strip& s, int64_t pixel) {
  const int64_t first = pixel * kStride - s.pad;
  const bool border = first < 0 || first + (kPixels - 1) * kStride + kTaps > s.width;
  for (int64_t c = 0; c < s.channels; c += V::kLanes) {
    const typename V::Lanes lanes = V::From(c, s.channels - c);
    if constexpr (kTaps == 0) {
      AnyTile<V, kPixels>(s, pixel, lanes);
    } else if (border) {
      SlidingTile<V, kPixels, kTaps, kStride, true>(s, pixel, lanes);
    } else {
      SlidingTile<V, kPixels, kTaps, kStride, false>(s, pixel, lanes);
    }
  }
}

// Tiles of kMost or 4 pixels. The last one may overlap its neighbour and repeat its results, which
// are the same: how pixels are tiled never changes a sum.
template <class V, int kTaps, int kStride, int kMost>
void Strip(const DepthwiseF32Strip& s) {
  int64_t p = 0;
  if (s.pixels >= 4 && !s.stream) {
    for (; s.pixels - p >= kMost; p += kMost) Channels<V, kMost, kTaps, kStride>(s, p);
    if (p == s.pixels) return;
    if (s.pixels - p > 4 && s.pixels >= kMost) {
      Channels<V, kMost, kTaps, kStride>(s, s.pixels - kMost);
    } else {
      if (s.pixels - p > 4) Channels<V, 4, kTaps, kStride>(s, p);
      Channels<V, 4, kTaps, kStride>(s, s.pixels - 4);
    }
    return;
  }
  for (; p < s.pixels; ++p) Channels<V, 1, kTaps, kStride>(s, p);
}

// The rows of a file: tiles of 8 pixels, 4 where the stride is 2.
template <class V>
constexpr DepthwiseF32Kernel StripKernel(const char* name, uint32_t cpu) {
  return {name,
          cpu,
          V::kLanes,
          8,
          Strip<V, 0, 0, 8>,
          {{3, 1, Strip<V, 3, 1, 8>},
           {3, 2, Strip<V, 3, 2, 4>},
           {5, 1, Strip<V, 5, 1, 8>},
           {5, 2, Strip<V, 5, 2, 4>}}};
}

}  // namespace
}  // namespace dlpu
