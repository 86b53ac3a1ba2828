// SPDX-License-Identifier: Apache-2.0
// Float depthwise strips with AVX-512: 8 pixels x 16 channels.
#include "base/cpu.h"
#include "kernels/depthwise_f32/strip.h"

#if defined(__AVX512F__)
#include <immintrin.h>

namespace dlpu {
namespace {

constexpr int kLanes = 16;

// Channels c .. c + 16 of the strip, as many as there are.
struct Lanes {
  int64_t c;
  __mmask16 mask;
};

inline __m512 Load(Lanes lanes, const float* p) { return _mm512_maskz_loadu_ps(lanes.mask, p); }

// A masked load touches nothing, so it is safe outside the picture.
inline __m512 LoadIf(bool inside, Lanes lanes, const float* p) {
  return _mm512_maskz_loadu_ps(static_cast<__mmask16>(inside ? lanes.mask : 0), p);
}

template <int kPixels>
void Finish(const DepthwiseF32Strip& s, int64_t pixel, Lanes lanes, const __m512 (&acc)[kPixels]) {
  const __m512 bias = Load(lanes, s.bias + lanes.c);
  float* out = s.output + pixel * s.step + lanes.c;
#pragma GCC unroll 8
  for (int p = 0; p < kPixels; ++p, out += s.step) {
    // max and min return their second operand if one is NaN.
    __m512 y = _mm512_max_ps(_mm512_set1_ps(s.low), _mm512_add_ps(acc[p], bias));
    y = _mm512_min_ps(_mm512_set1_ps(s.high), y);
    if (lanes.mask == 0xFFFF) {
      _mm512_storeu_ps(out, y);
    } else {
      _mm512_mask_storeu_ps(out, lanes.mask, y);
    }
  }
}

// Any taps: one weight and kPixels inputs for each tap.
template <int kPixels>
void AnyTile(const DepthwiseF32Strip& s, int64_t pixel, Lanes lanes) {
  __m512 acc[kPixels];
#pragma GCC unroll 8
  for (int p = 0; p < kPixels; ++p) acc[p] = _mm512_setzero_ps();
  const int64_t first = pixel * s.stride - s.pad;
  for (int64_t r = 0; r < s.rows; ++r) {
    const float* x = s.inputs[r] + lanes.c;
    for (int64_t t = 0; t < s.taps; ++t) {
      const __m512 weight = Load(lanes, s.weights[r] + t * s.step + lanes.c);
#pragma GCC unroll 8
      for (int p = 0; p < kPixels; ++p) {
        const int64_t at = first + p * s.stride + t * s.dilation;
        const __m512 v = LoadIf(at >= 0 && at < s.width, lanes, x + at * s.step);
        acc[p] = _mm512_fmadd_ps(v, weight, acc[p]);
      }
    }
  }
  Finish<kPixels>(s, pixel, lanes, acc);
}

// kTaps neighbouring taps: every input of a row is loaded once and serves all pixels that see it.
// With kBorder some of them may be outside the picture.
template <int kPixels, int kTaps, int kStride, bool kBorder>
void SlidingTile(const DepthwiseF32Strip& s, int64_t pixel, Lanes lanes) {
  constexpr int kColumns = (kPixels - 1) * kStride + kTaps;
  __m512 acc[kPixels];
#pragma GCC unroll 8
  for (int p = 0; p < kPixels; ++p) acc[p] = _mm512_setzero_ps();
  const int64_t first = pixel * kStride - s.pad, step = s.step;
  for (int64_t r = 0; r < s.rows; ++r) {
    const float* x = s.inputs[r] + first * step + lanes.c;
    const float* w = s.weights[r] + lanes.c;
    if (r >= s.rows - s.fetch) {
#pragma GCC unroll 16
      for (int i = 0; i < kPixels * kStride; ++i) {
        _mm_prefetch(reinterpret_cast<const char*>(x + (kColumns + i) * step), _MM_HINT_T0);
      }
    }
    __m512 weight[kTaps];
#pragma GCC unroll 8
    for (int t = 0; t < kTaps; ++t) weight[t] = Load(lanes, w + t * step);
#pragma GCC unroll 32
    for (int i = 0; i < kColumns; ++i, x += step) {
      const bool inside = !kBorder || (first + i >= 0 && first + i < s.width);
      const __m512 v = LoadIf(inside, lanes, x);
#pragma GCC unroll 8
      for (int p = 0; p < kPixels; ++p) {
        const int t = i - p * kStride;
        if (t >= 0 && t < kTaps) acc[p] = _mm512_fmadd_ps(v, weight[t], acc[p]);
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
    const Lanes lanes = {c, static_cast<__mmask16>(left >= kLanes ? 0xFFFFu : (1u << left) - 1)};
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
    {"avx512",
     kCpuAvx512,
     kLanes,
     8,
     Strip<0, 0, 8>,
     {{3, 1, Strip<3, 1, 8>},
      {3, 2, Strip<3, 2, 4>},
      {5, 1, Strip<5, 1, 8>},
      {5, 2, Strip<5, 2, 4>}}},
};

}  // namespace

DepthwiseF32KernelList DepthwiseF32Avx512() { return {kKernels, 1}; }

}  // namespace dlpu
#else
namespace dlpu {
DepthwiseF32KernelList DepthwiseF32Avx512() { return {nullptr, 0}; }
}  // namespace dlpu
#endif
