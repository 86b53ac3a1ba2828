// SPDX-License-Identifier: Apache-2.0
// Float depthwise strips with AVX2 and FMA: 8 pixels x 8 channels.
#include "base/cpu.h"
#include "kernels/depthwise_f32/strip.h"

#if defined(__AVX2__) && defined(__FMA__)
#include <immintrin.h>

namespace dlpu {
namespace {

constexpr int kLanes = 8;

// Channels c .. c + 8 of the strip, as many as there are.
struct Lanes {
  int64_t c;
  bool all;
  __m256i mask;
};

// Eight ones, then eight zeros: loaded at 8 - n they mask n channels.
alignas(64) const int32_t kMask[16] = {-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0};

inline __m256 Load(const Lanes& lanes, const float* p) {
  return lanes.all ? _mm256_loadu_ps(p) : _mm256_maskload_ps(p, lanes.mask);
}

inline __m256 LoadIf(bool inside, const Lanes& lanes, const float* p) {
  return inside ? Load(lanes, p) : _mm256_setzero_ps();
}

template <int kPixels>
void Finish(const DepthwiseF32Strip& s, int64_t pixel, const Lanes& lanes,
            const __m256 (&acc)[kPixels]) {
  const __m256 bias = Load(lanes, s.bias + lanes.c);
  float* out = s.output + pixel * s.step + lanes.c;
#pragma GCC unroll 8
  for (int p = 0; p < kPixels; ++p, out += s.step) {
    // max and min return their second operand if one is NaN.
    __m256 y = _mm256_max_ps(_mm256_set1_ps(s.low), _mm256_add_ps(acc[p], bias));
    y = _mm256_min_ps(_mm256_set1_ps(s.high), y);
    if (lanes.all) {
      _mm256_storeu_ps(out, y);
    } else {
      _mm256_maskstore_ps(out, lanes.mask, y);
    }
  }
}

// Any taps: one weight and kPixels inputs for each tap.
template <int kPixels>
void AnyTile(const DepthwiseF32Strip& s, int64_t pixel, const Lanes& lanes) {
  __m256 acc[kPixels];
#pragma GCC unroll 8
  for (int p = 0; p < kPixels; ++p) acc[p] = _mm256_setzero_ps();
  const int64_t first = pixel * s.stride - s.pad;
  for (int64_t r = 0; r < s.rows; ++r) {
    const float* x = s.inputs[r] + lanes.c;
    for (int64_t t = 0; t < s.taps; ++t) {
      const __m256 weight = Load(lanes, s.weights[r] + t * s.step + lanes.c);
#pragma GCC unroll 8
      for (int p = 0; p < kPixels; ++p) {
        const int64_t at = first + p * s.stride + t * s.dilation;
        const __m256 v = LoadIf(at >= 0 && at < s.width, lanes, x + at * s.step);
        acc[p] = _mm256_fmadd_ps(v, weight, acc[p]);
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
  __m256 acc[kPixels];
#pragma GCC unroll 8
  for (int p = 0; p < kPixels; ++p) acc[p] = _mm256_setzero_ps();
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
    __m256 weight[kTaps];
#pragma GCC unroll 8
    for (int t = 0; t < kTaps; ++t) weight[t] = Load(lanes, w + t * step);
#pragma GCC unroll 32
    for (int i = 0; i < kColumns; ++i, x += step) {
      const bool inside = !kBorder || (first + i >= 0 && first + i < s.width);
      const __m256 v = LoadIf(inside, lanes, x);
#pragma GCC unroll 8
      for (int p = 0; p < kPixels; ++p) {
        const int t = i - p * kStride;
        if (t >= 0 && t < kTaps) acc[p] = _mm256_fmadd_ps(v, weight[t], acc[p]);
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
    const int64_t left = s.channels - c < kLanes ? s.channels - c : kLanes;
    const Lanes lanes = {c, left == kLanes,
                         _mm256_loadu_si256(reinterpret_cast<const __m256i*>(kMask + 8 - left))};
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
    {"avx2",
     kCpuAvx2,
     kLanes,
     8,
     Strip<0, 0, 8>,
     {{3, 1, Strip<3, 1, 8>},
      {3, 2, Strip<3, 2, 4>},
      {5, 1, Strip<5, 1, 8>},
      {5, 2, Strip<5, 2, 4>}}},
};

}  // namespace

DepthwiseF32KernelList DepthwiseF32Avx2() { return {kKernels, 1}; }

}  // namespace dlpu
#else
namespace dlpu {
DepthwiseF32KernelList DepthwiseF32Avx2() { return {nullptr, 0}; }
}  // namespace dlpu
#endif
