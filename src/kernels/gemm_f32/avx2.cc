// SPDX-License-Identifier: Apache-2.0
// Float tiles with AVX2 and FMA: 6 rows x 16 columns, 8 rows x 8.
#include "base/cpu.h"
#include "kernels/gemm_f32/tile.h"

#if defined(__AVX2__) && defined(__FMA__)
#include <immintrin.h>

namespace dlpu {
namespace {

// Eight ones, then eight zeros: loaded at 8 - n they mask n columns.
alignas(64) const int32_t kMask[16] = {-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0};

template <int kRows, int kVectors>
void Tile(const GemmF32Tile& t) {
  __m256 acc[kRows][kVectors];
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) acc[r][v] = _mm256_loadu_ps(t.bias + 8 * v);
  }
  const float* w = t.weights;
  const float* const* inputs = t.inputs;
  for (int64_t s = t.segments; s != 0; --s, inputs += t.inputs_stride) {
    const float* x[kRows];
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) x[r] = inputs[r];
    const int64_t n = t.segment;
    for (int64_t k = 0; k < n; ++k, w += 8 * kVectors) {
      __m256 b[kVectors];
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v) b[v] = _mm256_loadu_ps(w + 8 * v);
#pragma GCC unroll 8
      for (int r = 0; r < kRows; ++r) {
        const __m256 a = _mm256_broadcast_ss(x[r] + k);
#pragma GCC unroll 2
        for (int v = 0; v < kVectors; ++v) acc[r][v] = _mm256_fmadd_ps(a, b[v], acc[r][v]);
      }
    }
  }
  // max and min return their second operand if one is NaN.
  const __m256 low = _mm256_set1_ps(t.low), high = _mm256_set1_ps(t.high);
  const int32_t tail = t.columns - 8 * (kVectors - 1);
  const __m256i mask = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(kMask + 8 - tail));
  float* out = t.output;
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r, out += t.output_stride) {
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) {
      const __m256 y = _mm256_min_ps(high, _mm256_max_ps(low, acc[r][v]));
      if (v + 1 < kVectors || tail == 8) {
        _mm256_storeu_ps(out + 8 * v, y);
      } else {
        _mm256_maskstore_ps(out + 8 * v, mask, y);
      }
    }
  }
}

const GemmF32Row kRows[] = {
    {"avx2",
     kCpuAvx2,
     8,
     {8, 6, 0, 0},
     {{Tile<1, 1>, Tile<2, 1>, Tile<3, 1>, Tile<4, 1>, Tile<5, 1>, Tile<6, 1>, Tile<7, 1>,
       Tile<8, 1>},
      {Tile<1, 2>, Tile<2, 2>, Tile<3, 2>, Tile<4, 2>, Tile<5, 2>, Tile<6, 2>}},
     {}},
};

}  // namespace

GemmF32RowList GemmF32Avx2Rows() { return {kRows, 1}; }

}  // namespace dlpu
#else
namespace dlpu {
GemmF32RowList GemmF32Avx2Rows() { return {nullptr, 0}; }
}  // namespace dlpu
#endif
