// SPDX-License-Identifier: Apache-2.0
// Float depthwise strips with AVX2 and FMA: 8 pixels x 8 channels.
#include "base/cpu.h"
#include "kernels/depthwise_f32/strip.h"

#if defined(__AVX2__) && defined(__FMA__)
#include <immintrin.h>

namespace dlpu {
namespace {

// Eight ones, then eight zeros: loaded at 8 - n they mask n channels.
alignas(64) const int32_t kMask[16] = {-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0};

inline __m256 Load(__m256i mask, const float* p) { return _mm256_maskload_ps(p, mask); }

// kPixels pixels from `pixel` on, channels `c` on, as many as `mask` has set.
template <int kPixels>
void Finish(const DepthwiseF32Strip& s, int64_t pixel, int64_t c, __m256i mask,
            const __m256 (&acc)[kPixels]) {
  const __m256 bias = Load(mask, s.bias + c);
  float* out = s.output + pixel * s.output_step + c;
#pragma GCC unroll 8
  for (int p = 0; p < kPixels; ++p, out += s.output_step) {
    // max and min return their second operand if one is NaN.
    __m256 y = _mm256_max_ps(_mm256_set1_ps(s.low), _mm256_add_ps(acc[p], bias));
    _mm256_maskstore_ps(out, mask, _mm256_min_ps(_mm256_set1_ps(s.high), y));
  }
}

// Any taps: one weight and kPixels inputs for each tap.
template <int kPixels>
void AnyTile(const DepthwiseF32Strip& s, int64_t pixel, int64_t c, __m256i mask) {
  __m256 acc[kPixels];
#pragma GCC unroll 8
  for (int p = 0; p < kPixels; ++p) acc[p] = _mm256_setzero_ps();
  for (int64_t r = 0; r < s.rows; ++r) {
    const float* x = s.inputs[r] + pixel * s.pixel_step + c;
    const float* w = s.weights[r] + c;
    for (int64_t t = 0; t < s.taps; ++t, x += s.tap_step, w += s.weight_step) {
      const __m256 weight = Load(mask, w);
#pragma GCC unroll 8
      for (int p = 0; p < kPixels; ++p) {
        acc[p] = _mm256_fmadd_ps(Load(mask, x + p * s.pixel_step), weight, acc[p]);
      }
    }
  }
  Finish<kPixels>(s, pixel, c, mask, acc);
}

// kTaps neighbouring taps: every input of a row is loaded once and serves all pixels that see it.
template <int kPixels, int kTaps, int kStride>
void SlidingTile(const DepthwiseF32Strip& s, int64_t pixel, int64_t c, __m256i mask) {
  __m256 acc[kPixels];
#pragma GCC unroll 8
  for (int p = 0; p < kPixels; ++p) acc[p] = _mm256_setzero_ps();
  const int64_t step = s.tap_step;
  for (int64_t r = 0; r < s.rows; ++r) {
    const float* x = s.inputs[r] + pixel * s.pixel_step + c;
    const float* w = s.weights[r] + c;
    __m256 weight[kTaps];
#pragma GCC unroll 8
    for (int t = 0; t < kTaps; ++t) weight[t] = Load(mask, w + t * s.weight_step);
#pragma GCC unroll 32
    for (int i = 0; i < (kPixels - 1) * kStride + kTaps; ++i, x += step) {
      const __m256 v = Load(mask, x);
#pragma GCC unroll 8
      for (int p = 0; p < kPixels; ++p) {
        const int t = i - p * kStride;
        if (t >= 0 && t < kTaps) acc[p] = _mm256_fmadd_ps(v, weight[t], acc[p]);
      }
    }
  }
  Finish<kPixels>(s, pixel, c, mask, acc);
}

template <int kPixels, int kTaps, int kStride>
void Channels(const DepthwiseF32Strip& s, int64_t pixel) {
  for (int64_t c = 0; c < s.channels; c += 8) {
    const int64_t left = s.channels - c < 8 ? s.channels - c : 8;
    const __m256i mask = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(kMask + 8 - left));
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
    {"avx2",
     kCpuAvx2,
     8,
     8,
     Strip<8, 0, 0>,
     {{3, 1, Strip<8, 3, 1>},
      {3, 2, Strip<8, 3, 2>},
      {5, 1, Strip<8, 5, 1>},
      {5, 2, Strip<8, 5, 2>}}},
};

}  // namespace

DepthwiseF32KernelList DepthwiseF32Avx2() { return {kKernels, 1}; }

}  // namespace dlpu
#else
namespace dlpu {
DepthwiseF32KernelList DepthwiseF32Avx2() { return {nullptr, 0}; }
}  // namespace dlpu
#endif
