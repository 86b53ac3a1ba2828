// SPDX-License-Identifier: Apache-2.0
// Convolution tiles for AArch64 with SDOT: 8 channels a vector (two registers), 4 products an
// instruction and lane. Sixteen input bytes of a pixel are loaded at once and picked by lane.
#include "kernels/conv/tile.h"

#if defined(__ARM_FEATURE_DOTPROD)

#include "kernels/conv/neon_body.h"

namespace dlpu {
namespace {

template <int kStep, int kRows, int kVectors>
DLPU_INLINE void AddStep(Neon::Int (&acc)[kRows][kVectors], const int8x16_t (&a)[kRows],
                         const int8_t* weights) {
  DLPU_UNROLL
  for (int j = 0; j < kVectors; ++j, weights += 32) {
    const int8x16_t low = Bytes(weights);
    DLPU_UNROLL
    for (int r = 0; r < kRows; ++r)
      acc[r][j].low = vdotq_laneq_s32(acc[r][j].low, low, a[r], kStep);
    const int8x16_t high = Bytes(weights + 16);
    DLPU_UNROLL
    for (int r = 0; r < kRows; ++r) {
      acc[r][j].high = vdotq_laneq_s32(acc[r][j].high, high, a[r], kStep);
    }
  }
}

template <int kRows, int kVectors>
void DotTile(const uint8_t* const* pixels, uint8_t* output, const ConvTileArgs& args) {
  constexpr int kStepBytes = kVectors * 32;
  Neon::Int acc[kRows][kVectors];
  StartTile(acc, args);
  const int8x16_t flip = vreinterpretq_s8_u32(vdupq_n_u32(args.input_flip));
  const int8_t* weights = args.weights;
  for (int32_t s = 0; s < args.all_segments; ++s) {
    ptrdiff_t k = args.offsets[s];
    const ptrdiff_t end = k + 4 * (s < args.segments ? args.steps : 1);
    int8x16_t a[kRows];
    for (; k + 16 <= end; k += 16, weights += 4 * kStepBytes) {
      DLPU_UNROLL
      for (int r = 0; r < kRows; ++r) a[r] = veorq_s8(Bytes(pixels[r] + k), flip);
      AddStep<0>(acc, a, weights);
      AddStep<1>(acc, a, weights + kStepBytes);
      AddStep<2>(acc, a, weights + 2 * kStepBytes);
      AddStep<3>(acc, a, weights + 3 * kStepBytes);
    }
    for (; k < end; k += 4, weights += kStepBytes) {
      DLPU_UNROLL
      for (int r = 0; r < kRows; ++r) a[r] = FourBytes(pixels[r] + k, flip);
      AddStep<0>(acc, a, weights);
    }
  }
  FinishTile<Neon>(acc, output, args.output_stride, args.requant);
}

constexpr ConvTiles kTiles{8, false, DLPU_NEON_TILES(DotTile), 4, 4, true};

}  // namespace

const ConvTiles* ConvTilesNeonDot() { return &kTiles; }

}  // namespace dlpu

#else

namespace dlpu {
const ConvTiles* ConvTilesNeonDot() { return nullptr; }
}  // namespace dlpu

#endif
