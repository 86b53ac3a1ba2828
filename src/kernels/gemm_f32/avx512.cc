// SPDX-License-Identifier: Apache-2.0
// Float tiles with AVX-512: up to 6 rows x 64 columns, 8 rows x 48 and below, 9 rows x 24.
#include "base/cpu.h"
#include "kernels/gemm_f32/tile.h"

#if defined(__AVX512F__)
#include <immintrin.h>

namespace dlpu {
namespace {

// kFull vectors of 16 columns, then kHalf (0 or 1) vectors of 8.
template <int kRows, int kFull, int kHalf>
void Tile(const GemmF32Tile& t) {
  constexpr int kWidth = 16 * kFull + 8 * kHalf;
  __m512 acc[kRows][kFull + 1];
  __m256 half[kRows];
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < kFull; ++v) acc[r][v] = _mm512_loadu_ps(t.bias + 16 * v);
    half[r] = kHalf != 0 ? _mm256_loadu_ps(t.bias + 16 * kFull) : _mm256_setzero_ps();
  }
  const float* w = t.weights;
  const float* const* inputs = t.inputs;
  for (int64_t s = t.segments; s != 0; --s, inputs += t.inputs_stride) {
    const float* x[kRows];
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) x[r] = inputs[r];
    const int64_t n = t.segment;
    for (int64_t k = 0; k < n; ++k, w += kWidth) {
      __m512 b[kFull + 1];
      __m256 b_half = _mm256_setzero_ps();
#pragma GCC unroll 4
      for (int v = 0; v < kFull; ++v) b[v] = _mm512_loadu_ps(w + 16 * v);
      if constexpr (kHalf != 0) b_half = _mm256_loadu_ps(w + 16 * kFull);
#pragma GCC unroll 8
      for (int r = 0; r < kRows; ++r) {
        if constexpr (kFull == 0) {
          half[r] = _mm256_fmadd_ps(_mm256_broadcast_ss(x[r] + k), b_half, half[r]);
        } else {
          const __m512 a = _mm512_set1_ps(x[r][k]);
#pragma GCC unroll 4
          for (int v = 0; v < kFull; ++v) acc[r][v] = _mm512_fmadd_ps(a, b[v], acc[r][v]);
          if constexpr (kHalf != 0) {
            half[r] = _mm256_fmadd_ps(_mm512_castps512_ps256(a), b_half, half[r]);
          }
        }
      }
    }
  }
  // max and min return their second operand if one is NaN.
  const __m512 low = _mm512_set1_ps(t.low), high = _mm512_set1_ps(t.high);
  const uint32_t tail = static_cast<uint32_t>(t.columns - (kWidth - (kHalf != 0 ? 8 : 16)));
  const uint32_t mask = (1u << tail) - 1;
  float* out = t.output;
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r, out += t.output_stride) {
#pragma GCC unroll 4
    for (int v = 0; v < kFull; ++v) {
      const __m512 y = _mm512_min_ps(high, _mm512_max_ps(low, acc[r][v]));
      if (kHalf != 0 || v + 1 < kFull || tail == 16) {
        _mm512_storeu_ps(out + 16 * v, y);
      } else {
        _mm512_mask_storeu_ps(out + 16 * v, static_cast<__mmask16>(mask), y);
      }
    }
    if constexpr (kHalf != 0) {
      const __m256 y = _mm256_min_ps(_mm512_castps512_ps256(high),
                                     _mm256_max_ps(_mm512_castps512_ps256(low), half[r]));
      _mm256_mask_storeu_ps(out + 16 * kFull, static_cast<__mmask8>(mask), y);
    }
  }
}

// 24 columns in vectors of 8: two of their products start in a cycle, where a vector of 16 and one
// of 8 take turns badly (Zen 4: 51 and 56 G/s).
template <int kRows>
void Tile24(const GemmF32Tile& t) {
  __m256 acc[kRows][3];
#pragma GCC unroll 9
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 3
    for (int v = 0; v < 3; ++v) acc[r][v] = _mm256_loadu_ps(t.bias + 8 * v);
  }
  const float* w = t.weights;
  const float* const* inputs = t.inputs;
  for (int64_t s = t.segments; s != 0; --s, inputs += t.inputs_stride) {
    const float* x[kRows];
#pragma GCC unroll 9
    for (int r = 0; r < kRows; ++r) x[r] = inputs[r];
    const int64_t n = t.segment;
    for (int64_t k = 0; k < n; ++k, w += 24) {
      const __m256 b[3] = {_mm256_loadu_ps(w), _mm256_loadu_ps(w + 8), _mm256_loadu_ps(w + 16)};
#pragma GCC unroll 9
      for (int r = 0; r < kRows; ++r) {
        const __m256 a = _mm256_broadcast_ss(x[r] + k);
#pragma GCC unroll 3
        for (int v = 0; v < 3; ++v) acc[r][v] = _mm256_fmadd_ps(a, b[v], acc[r][v]);
      }
    }
  }
  const __m256 low = _mm256_set1_ps(t.low), high = _mm256_set1_ps(t.high);
  const auto mask = static_cast<__mmask8>((1u << (t.columns - 16)) - 1);
  float* out = t.output;
#pragma GCC unroll 9
  for (int r = 0; r < kRows; ++r, out += t.output_stride) {
#pragma GCC unroll 3
    for (int v = 0; v < 3; ++v) {
      const __m256 y = _mm256_min_ps(high, _mm256_max_ps(low, acc[r][v]));
      if (v < 2) {
        _mm256_storeu_ps(out + 8 * v, y);
      } else {
        _mm256_mask_storeu_ps(out + 16, mask, y);
      }
    }
  }
}

// Sums of the 16 lanes of four vectors each; every vector is summed in the same order.
inline __m128 SumLanes(__m512 a, __m512 b, __m512 c, __m512 d) {
  const __m512 ab = _mm512_add_ps(_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b));
  const __m512 cd = _mm512_add_ps(_mm512_unpacklo_ps(c, d), _mm512_unpackhi_ps(c, d));
  const __m512d low = _mm512_unpacklo_pd(_mm512_castps_pd(ab), _mm512_castps_pd(cd));
  const __m512d high = _mm512_unpackhi_pd(_mm512_castps_pd(ab), _mm512_castps_pd(cd));
  const __m512 abcd = _mm512_add_ps(_mm512_castpd_ps(low), _mm512_castpd_ps(high));
  const __m256 halves =
      _mm256_add_ps(_mm512_castps512_ps256(abcd), _mm512_extractf32x8_ps(abcd, 1));
  return _mm_add_ps(_mm256_castps256_ps128(halves), _mm256_extractf128_ps(halves, 1));
}

// One column: 16 products of a row at a time, summed at the end.
template <int kRows>
void Column(const GemmF32Tile& t) {
  __m512 acc[8];
#pragma GCC unroll 8
  for (int r = 0; r < 8; ++r) acc[r] = _mm512_setzero_ps();
  const float* w = t.weights;
  const float* const* inputs = t.inputs;
  const int64_t whole = t.segment / 16 * 16;
  const auto tail = static_cast<__mmask16>((1u << (t.segment % 16)) - 1);
  for (int64_t s = t.segments; s != 0; --s, inputs += t.inputs_stride, w += t.segment) {
    for (int64_t k = 0; k < whole; k += 16) {
      const __m512 b = _mm512_loadu_ps(w + k);
#pragma GCC unroll 8
      for (int r = 0; r < kRows; ++r) {
        acc[r] = _mm512_fmadd_ps(_mm512_loadu_ps(inputs[r] + k), b, acc[r]);
      }
    }
    if (tail == 0) continue;
    const __m512 b = _mm512_maskz_loadu_ps(tail, w + whole);
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
      acc[r] = _mm512_fmadd_ps(_mm512_maskz_loadu_ps(tail, inputs[r] + whole), b, acc[r]);
    }
  }
  const __m128 bias = _mm_set1_ps(t.bias[0]), low = _mm_set1_ps(t.low), high = _mm_set1_ps(t.high);
  alignas(16) float sums[8];
#pragma GCC unroll 2
  for (int i = 0; i < 8; i += 4) {
    const __m128 sum = _mm_add_ps(SumLanes(acc[i], acc[i + 1], acc[i + 2], acc[i + 3]), bias);
    _mm_store_ps(sums + i, _mm_min_ps(high, _mm_max_ps(low, sum)));
  }
  for (int r = 0; r < kRows; ++r) t.output[r * t.output_stride] = sums[r];
}

#define DLPU_TILES_6(full, half)                                                        \
  {                                                                                     \
    Tile<1, full, half>, Tile<2, full, half>, Tile<3, full, half>, Tile<4, full, half>, \
        Tile<5, full, half>, Tile<6, full, half>                                        \
  }
#define DLPU_TILES_8(full, half)                                                           \
  {                                                                                        \
    Tile<1, full, half>, Tile<2, full, half>, Tile<3, full, half>, Tile<4, full, half>,    \
        Tile<5, full, half>, Tile<6, full, half>, Tile<7, full, half>, Tile<8, full, half> \
  }

const GemmF32Row kRows[] = {
    {"avx512",
     kCpuAvx512,
     16,
     {8, 8, 8, 6},
     {DLPU_TILES_8(1, 0), DLPU_TILES_8(2, 0), DLPU_TILES_8(3, 0), DLPU_TILES_6(4, 0)},
     {DLPU_TILES_8(0, 1),
      {Tile24<1>, Tile24<2>, Tile24<3>, Tile24<4>, Tile24<5>, Tile24<6>, Tile24<7>, Tile24<8>,
       Tile24<9>},
      DLPU_TILES_8(2, 1),
      DLPU_TILES_6(3, 1)},
     {8, 9, 8, 6},
     {Column<1>, Column<2>, Column<3>, Column<4>, Column<5>, Column<6>, Column<7>, Column<8>},
     8},
};

}  // namespace

GemmF32RowList GemmF32Avx512Rows() { return {kRows, 1}; }

}  // namespace dlpu
#else
namespace dlpu {
GemmF32RowList GemmF32Avx512Rows() { return {nullptr, 0}; }
}  // namespace dlpu
#endif
