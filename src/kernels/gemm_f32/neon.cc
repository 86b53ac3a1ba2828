// SPDX-License-Identifier: Apache-2.0
// Float tiles with AArch64 NEON: 6 rows x 16 columns, 8 rows x 12 and below.
#include "base/cpu.h"
#include "kernels/gemm_f32/tile.h"
#include "kernels/unroll.h"

#if defined(__aarch64__)
#include <arm_neon.h>

namespace dlpu {
namespace {

// Adds input element kLane of each row times a row of weights.
template <int kLane, int kRows, int kVectors>
DLPU_INLINE void AddProducts(float32x4_t (&acc)[kRows][kVectors], const float32x4_t (&a)[kRows],
                             const float* w) {
  DLPU_UNROLL
  for (int v = 0; v < kVectors; ++v) {
    const float32x4_t b = vld1q_f32(w + 4 * v);
    DLPU_UNROLL
    for (int r = 0; r < kRows; ++r) acc[r][v] = vfmaq_laneq_f32(acc[r][v], b, a[r], kLane);
  }
}

template <int kRows, int kVectors>
void Tile(const GemmF32Tile& t) {
  constexpr int kStep = 4 * kVectors;
  float32x4_t acc[kRows][kVectors];
  DLPU_UNROLL
  for (int r = 0; r < kRows; ++r) {
    DLPU_UNROLL
    for (int v = 0; v < kVectors; ++v) acc[r][v] = vdupq_n_f32(0.0f);
  }
  const float* w = t.weights;
  const float* const* inputs = t.inputs;
  for (int64_t s = t.segments; s != 0; --s, inputs += t.inputs_stride) {
    float32x4_t a[kRows];
    int64_t k = 0;
    for (; k + 4 <= t.segment; k += 4, w += 4 * kStep) {
      DLPU_UNROLL
      for (int r = 0; r < kRows; ++r) a[r] = vld1q_f32(inputs[r] + k);
      AddProducts<0>(acc, a, w);
      AddProducts<1>(acc, a, w + kStep);
      AddProducts<2>(acc, a, w + 2 * kStep);
      AddProducts<3>(acc, a, w + 3 * kStep);
    }
    for (; k < t.segment; ++k, w += kStep) {
      DLPU_UNROLL
      for (int r = 0; r < kRows; ++r) a[r] = vld1q_dup_f32(inputs[r] + k);
      AddProducts<0>(acc, a, w);
    }
  }
  float* out = t.output;
  DLPU_UNROLL
  for (int r = 0; r < kRows; ++r, out += t.output_stride) {
    DLPU_UNROLL
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
