// SPDX-License-Identifier: Apache-2.0
// Convolution tiles for AArch64 without dot products: 8 channels a vector (two registers). Two
// products are added in 16 bits, which holds them as long as no weight is -128, and then to the
// accumulators in pairs; so a lane's weights lie in runs of two.
#include "kernels/conv/tile.h"

#if defined(__aarch64__)

#include "kernels/conv/neon_body.h"

namespace dlpu {
namespace {

template <int kRows, int kVectors>
void MultiplyTile(const uint8_t* const* pixels, uint8_t* output, const ConvTileArgs& args) {
  Neon::Int acc[kRows][kVectors];
  StartTile(acc, args);
  const int8x16_t flip = vreinterpretq_s8_u32(vdupq_n_u32(args.input_flip));
  const int8_t* weights = args.weights;
  for (int32_t s = 0; s < args.all_segments; ++s) {
    ptrdiff_t k = args.offsets[s];
    const ptrdiff_t end = k + 4 * (s < args.segments ? args.steps : 1);
    for (; k < end; k += 4) {
      int8x16_t w[kVectors][2];
      DLPU_UNROLL
      for (int j = 0; j < kVectors; ++j, weights += 32) {
        w[j][0] = Bytes(weights);
        w[j][1] = Bytes(weights + 16);
      }
      DLPU_UNROLL
      for (int r = 0; r < kRows; ++r) {
        // The first and the second pair of bytes, in every lane.
        const int16x8_t a = vreinterpretq_s16_s8(FourBytes(pixels[r] + k, flip));
        const int8x16_t first = vreinterpretq_s8_s16(vtrn1q_s16(a, a));
        const int8x16_t second = vreinterpretq_s8_s16(vtrn2q_s16(a, a));
        DLPU_UNROLL
        for (int j = 0; j < kVectors; ++j) {
          int16x8_t p = vmull_s8(vget_low_s8(w[j][0]), vget_low_s8(first));
          p = vmlal_s8(p, vget_low_s8(w[j][1]), vget_low_s8(second));
          acc[r][j].low = vpadalq_s16(acc[r][j].low, p);
          p = vmull_high_s8(w[j][0], first);
          p = vmlal_high_s8(p, w[j][1], second);
          acc[r][j].high = vpadalq_s16(acc[r][j].high, p);
        }
      }
    }
  }
  FinishTile<Neon>(acc, output, args.output_stride, args.requant);
}

constexpr ConvTiles kTiles{8, false, DLPU_NEON_TILES(MultiplyTile), 4, 2, true, -127};

}  // namespace

const ConvTiles* ConvTilesNeon() { return &kTiles; }

}  // namespace dlpu

#else

namespace dlpu {
const ConvTiles* ConvTilesNeon() { return nullptr; }
}  // namespace dlpu

#endif
