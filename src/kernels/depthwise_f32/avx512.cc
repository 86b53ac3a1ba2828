// SPDX-License-Identifier: Apache-2.0
// Float depthwise strips with AVX-512: 8 pixels x 16 channels.
#include "base/cpu.h"
#include "kernels/depthwise_f32/strip.h"

#if defined(__AVX512F__)
#include <immintrin.h>

namespace dlpu {
namespace {

// kPixels pixels from `pixel` on, channels `c` on, as many as `mask` has bits.
template <int kPixels>
void Finish(const DepthwiseF32Strip& s, int64_t pixel, int64_t c, __mmask16 mask,
            const __m512 (&acc)[kPixels]) {
  const __m512 bias = _mm512_maskz_loadu_ps(mask, s.bias + c);
  float* out = s.output + pixel * s.output_step + c;
#pragma GCC unroll 8
  for (int p = 0; p < kPixels; ++p, out += s.output_step) {
    // max and min return their second operand if one is NaN.
    __m512 y = _mm512_max_ps(_mm512_set1_ps(s.low), _mm512_add_ps(acc[p], bias));
    _mm512_mask_storeu_ps(out, mask, _mm512_min_ps(_mm512_set1_ps(s.high), y));
  }
}

// Any taps: one weight and kPixels inputs for each tap.
template <int kPixels>
void AnyTile(const DepthwiseF32Strip& s, int64_t pixel, int64_t c, __mmask16 mask) {
  __m512 acc[kPixels];
#pragma GCC unroll 8
  for (int p = 0; p < kPixels; ++p) acc[p] = _mm512_setzero_ps();
  for (int64_t r = 0; r < s.rows; ++r) {
    const float* x = s.inputs[r] + pixel * s.pixel_step + c;
    const float* w = s.weights[r] + c;
    for (int64_t t = 0; t < s.taps; ++t, x += s.tap_step, w += s.weight_step) {
      const __m512 weight = _mm512_maskz_loadu_ps(mask, w);
#pragma GCC unroll 8
      for (int p = 0; p < kPixels; ++p) {
        acc[p] = _mm512_fmadd_ps(_mm512_maskz_loadu_ps(mask, x + p * s.pixel_step), weight, acc[p]);
      }
    }
  }
  Finish<kPixels>(s, pixel, c, mask, acc);
}

// kTaps neighbouring taps: every input of a row is loaded once and serves all pixels that see it.
template <int kPixels, int kTaps, int kStride>
void SlidingTile(const DepthwiseF32Strip& s, int64_t pixel, int64_t c, __mmask16 mask) {
  __m512 acc[kPixels];
#pragma GCC unroll 8
  for (int p = 0; p < kPixels; ++p) acc[p] = _mm512_setzero_ps();
  const int64_t step = s.tap_step;
  for (int64_t r = 0; r < s.rows; ++r) {
    const float* x = s.inputs[r] + pixel * s.pixel_step + c;
    const float* w = s.weights[r] + c;
    __m512 weight[kTaps];
#pragma GCC unroll 8
    for (int t = 0; t < kTaps; ++t) weight[t] = _mm512_maskz_loadu_ps(mask, w + t * s.weight_step);
#pragma GCC unroll 32
    for (int i = 0; i < (kPixels - 1) * kStride + kTaps; ++i, x += step) {
      const __m512 v = _mm512_maskz_loadu_ps(mask, x);
#pragma GCC unroll 8
      for (int p = 0; p < kPixels; ++p) {
        const int t = i - p * kStride;
        if (t >= 0 && t < kTaps) acc[p] = _mm512_fmadd_ps(v, weight[t], acc[p]);
      }
    }
  }
  Finish<kPixels>(s, pixel, c, mask, acc);
}

template <int kPixels, int kTaps, int kStride>
void Channels(const DepthwiseF32Strip& s, int64_t pixel) {
  for (int64_t c = 0; c < s.channels; c += 16) {
    const int64_t left = s.channels - c;
    const __mmask16 mask = static_cast<__mmask16>(left >= 16 ? 0xFFFFu : (1u << left) - 1);
    if constexpr (kTaps == 0) {
      AnyTile<kPixels>(s, pixel, c, mask);
    } else {
      SlidingTile<kPixels, kTaps, kStride>(s, pixel, c, mask);
    }
  }
}

// Tiles of kMost or 4 pixels; the last one may overlap its neighbour and repeat its results.
template <int kMost, int kTaps, int kStride>
void Strip(const DepthwiseF32Strip& s) {
  if (s.pixels >= kMost) {
    for (int64_t p = 0; p < s.pixels; p += kMost) {
      Channels<kMost, kTaps, kStride>(s, p + kMost <= s.pixels ? p : s.pixels - kMost);
    }
  } else if (s.pixels >= 4) {
    Channels<4, kTaps, kStride>(s, 0);
    if (s.pixels > 4) Channels<4, kTaps, kStride>(s, s.pixels - 4);
  } else {
    for (int64_t p = 0; p < s.pixels; ++p) Channels<1, kTaps, kStride>(s, p);
  }
}

const DepthwiseF32Kernel kKernels[] = {
    {"avx512",
     kCpuAvx512,
     16,
     8,
     Strip<8, 0, 0>,
     {{3, 1, Strip<8, 3, 1>},
      {3, 2, Strip<8, 3, 2>},
      {5, 1, Strip<8, 5, 1>},
      {5, 2, Strip<8, 5, 2>}}},
};

}  // namespace

DepthwiseF32KernelList DepthwiseF32Avx512() { return {kKernels, 1}; }

}  // namespace dlpu
#else
namespace dlpu {
DepthwiseF32KernelList DepthwiseF32Avx512() { return {nullptr, 0}; }
}  // namespace dlpu
#endif
