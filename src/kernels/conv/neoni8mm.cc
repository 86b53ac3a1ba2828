// SPDX-License-Identifier: Apache-2.0
// Convolution tiles for AArch64 with SMMLA, which multiplies two pixels with two channels, 8 bytes
// of each, in one instruction. A register accumulates the four sums; at the end they are sorted
// into pixels.
#include "kernels/conv/tile.h"

#if defined(__ARM_FEATURE_MATMUL_INT8)

#include "kernels/conv/neon_body.h"

namespace dlpu {
namespace {

DLPU_INLINE int32x4_t Join(int32x4_t a, int32x4_t b, bool second) {
  const int64x2_t x = vreinterpretq_s64_s32(a), y = vreinterpretq_s64_s32(b);
  return vreinterpretq_s32_s64(second ? vzip2q_s64(x, y) : vzip1q_s64(x, y));
}

template <int kRows, int kVectors>
void MatrixTile(const uint8_t* const* pixels, uint8_t* output, const ConvTileArgs& args) {
  constexpr int kPairs = (kRows + 1) / 2;  // an odd last pixel is computed twice
  Neon::Int acc[kRows][kVectors];
  StartTile(acc, args);
  int32x4_t sums[kPairs][kVectors][4];  // of channels 2i and 2i + 1
  DLPU_UNROLL
  for (int p = 0; p < kPairs; ++p) {
    DLPU_UNROLL
    for (int j = 0; j < kVectors; ++j) {
      sums[p][j][0] = Join(acc[2 * p][j].low, acc[2 * p][j].low, false);
      sums[p][j][1] = Join(acc[2 * p][j].low, acc[2 * p][j].low, true);
      sums[p][j][2] = Join(acc[2 * p][j].high, acc[2 * p][j].high, false);
      sums[p][j][3] = Join(acc[2 * p][j].high, acc[2 * p][j].high, true);
    }
  }
  const int8x16_t flip = vreinterpretq_s8_u32(vdupq_n_u32(args.input_flip));
  const int8_t* weights = args.weights;
  for (int32_t s = 0; s < args.all_segments; ++s) {
    ptrdiff_t k = args.offsets[s];
    const ptrdiff_t end = k + 8 * (s < args.segments ? args.steps : 1);
    for (; k < end; k += 8) {
      int8x16_t a[kPairs];
      DLPU_UNROLL
      for (int p = 0; p < kPairs; ++p) {
        const auto* one = reinterpret_cast<const int8_t*>(pixels[2 * p] + k);
        const auto* two =
            reinterpret_cast<const int8_t*>(pixels[2 * p + 1 < kRows ? 2 * p + 1 : 2 * p] + k);
        a[p] = veorq_s8(vcombine_s8(vld1_s8(one), vld1_s8(two)), flip);
      }
      DLPU_UNROLL
      for (int j = 0; j < kVectors; ++j) {
        DLPU_UNROLL
        for (int i = 0; i < 4; ++i, weights += 16) {
          const int8x16_t w = Bytes(weights);
          DLPU_UNROLL
          for (int p = 0; p < kPairs; ++p) sums[p][j][i] = vmmlaq_s32(sums[p][j][i], a[p], w);
        }
      }
    }
  }
  DLPU_UNROLL
  for (int r = 0; r < kRows; ++r) {
    DLPU_UNROLL
    for (int j = 0; j < kVectors; ++j) {
      acc[r][j].low = Join(sums[r / 2][j][0], sums[r / 2][j][1], r % 2 != 0);
      acc[r][j].high = Join(sums[r / 2][j][2], sums[r / 2][j][3], r % 2 != 0);
    }
  }
  FinishTile<Neon>(acc, output, args.output_stride, args.requant);
}

constexpr ConvTiles kTiles{8, false, DLPU_NEON_TILES(MatrixTile), 8, 8, true};

}  // namespace

const ConvTiles* ConvTilesNeonI8mm() { return &kTiles; }

}  // namespace dlpu

#else

namespace dlpu {
const ConvTiles* ConvTilesNeonI8mm() { return nullptr; }
}  // namespace dlpu

#endif
