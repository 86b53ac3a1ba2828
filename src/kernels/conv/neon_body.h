// SPDX-License-Identifier: Apache-2.0
// What the convolution tiles of AArch64 share: a table of tiles of 8 pixels x 8 channels and 6 x
// 16, 24 accumulators at most, for a template <int kRows, int kVectors> Tile. Included by files for
// AArch64 only, each with a copy of its own.
#pragma once

#include "kernels/conv/tile.h"
#include "kernels/requant/finish.h"
#include "kernels/requant/neon.h"

namespace dlpu {
namespace {

DLPU_INLINE int8x16_t Bytes(const void* p) { return vld1q_s8(static_cast<const int8_t*>(p)); }

// The four input bytes at p in every lane.
DLPU_INLINE int8x16_t FourBytes(const uint8_t* p, int8x16_t flip) {
  int32_t v;
  __builtin_memcpy(&v, p, 4);
  return veorq_s8(vreinterpretq_s8_s32(vdupq_n_s32(v)), flip);
}

// Accumulators of a tile begin at the channels' folded biases.
template <int kRows, int kVectors>
DLPU_INLINE void StartTile(Neon::Int (&acc)[kRows][kVectors], const ConvTileArgs& args) {
  const auto* blocks = static_cast<const Neon::Block*>(args.requant.blocks);
  DLPU_UNROLL
  for (int j = 0; j < kVectors; ++j) {
    const Neon::Int init = Neon::Load(blocks[j].init);
    DLPU_UNROLL
    for (int r = 0; r < kRows; ++r) acc[r][j] = init;
  }
}

#define DLPU_NEON_TILES(tile)                                                \
  {8, 6, 0, 0}, {                                                            \
    {tile<1, 1>, tile<2, 1>, tile<3, 1>, tile<4, 1>,                         \
     tile<5, 1>, tile<6, 1>, tile<7, 1>, tile<8, 1>},                        \
    {                                                                        \
      tile<1, 2>, tile<2, 2>, tile<3, 2>, tile<4, 2>, tile<5, 2>, tile<6, 2> \
    }                                                                        \
  }

}  // namespace
}  // namespace dlpu
