// SPDX-License-Identifier: Apache-2.0
// Float tiles with AVX-512: up to 6 rows x 64 columns, 8 rows x 48 and below.
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
     {DLPU_TILES_8(0, 1), DLPU_TILES_8(1, 1), DLPU_TILES_8(2, 1), DLPU_TILES_6(3, 1)}},
};

}  // namespace

GemmF32RowList GemmF32Avx512Rows() { return {kRows, 1}; }

}  // namespace dlpu
#else
namespace dlpu {
GemmF32RowList GemmF32Avx512Rows() { return {nullptr, 0}; }
}  // namespace dlpu
#endif
