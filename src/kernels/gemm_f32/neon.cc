// SPDX-License-Identifier: Apache-2.0
// Float tiles with AArch64 NEON: 6 rows x 16 columns, 8 rows x 12 and below.
#include "base/cpu.h"
#include "kernels/gemm_f32/tile.h"

#if defined(__aarch64__)
#include <arm_neon.h>

namespace dlpu {
namespace {

template <int kRows, int kVectors>
void Tile(const GemmF32Tile& t) {
  float32x4_t acc[kRows][kVectors];
  for (int r = 0; r < kRows; ++r) {
    for (int v = 0; v < kVectors; ++v) acc[r][v] = vdupq_n_f32(0.0f);
  }
  const float* w = t.weights;
  const float* const* inputs = t.inputs;
  for (int64_t s = t.segments; s != 0; --s, inputs += t.inputs_stride) {
    const float* x[kRows];
    for (int r = 0; r < kRows; ++r) x[r] = inputs[r];
    for (int64_t k = 0; k < t.segment; ++k, w += 4 * kVectors) {
      float32x4_t b[kVectors];
      for (int v = 0; v < kVectors; ++v) b[v] = vld1q_f32(w + 4 * v);
      for (int r = 0; r < kRows; ++r) {
        const float32x4_t a = vld1q_dup_f32(x[r] + k);
        for (int v = 0; v < kVectors; ++v) acc[r][v] = vfmaq_f32(acc[r][v], a, b[v]);
      }
    }
  }
  float* out = t.output;
  for (int r = 0; r < kRows; ++r, out += t.output_stride) {
    for (int v = 0; v < kVectors; ++v) {
      // NaN passes through vmax and vmin.
      float32x4_t y = vaddq_f32(acc[r][v], vld1q_f32(t.bias + 4 * v));
      y = vminq_f32(vmaxq_f32(y, vdupq_n_f32(t.low)), vdupq_n_f32(t.high));
      if (4 * v + 4 <= t.columns) {
        vst1q_f32(out + 4 * v, y);
      } else {
        float rest[4];
        vst1q_f32(rest, y);
        for (int c = 4 * v; c < t.columns; ++c) out[c] = rest[c - 4 * v];
      }
    }
  }
}

#define DLPU_TILES_6(v) \
  { Tile<1, v>, Tile<2, v>, Tile<3, v>, Tile<4, v>, Tile<5, v>, Tile<6, v> }
#define DLPU_TILES_8(v) \
  { Tile<1, v>, Tile<2, v>, Tile<3, v>, Tile<4, v>, Tile<5, v>, Tile<6, v>, Tile<7, v>, Tile<8, v> }

const GemmF32Row kRows[] = {
    {"neon",
     kCpuNeon,
     4,
     {8, 8, 8, 6},
     {DLPU_TILES_8(1), DLPU_TILES_8(2), DLPU_TILES_8(3), DLPU_TILES_6(4)},
     {}},
};

}  // namespace

GemmF32RowList GemmF32NeonRows() { return {kRows, 1}; }

}  // namespace dlpu
#else
namespace dlpu {
GemmF32RowList GemmF32NeonRows() { return {nullptr, 0}; }
}  // namespace dlpu
#endif
