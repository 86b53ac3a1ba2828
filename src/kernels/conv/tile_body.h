// SPDX-License-Identifier: Apache-2.0
// The convolution tile, written once over a vector type V: V::Int, V::Block, V::kLanes, loads,
// requantization and store as in kernels/requant/avx512.h, and
//   V::Pixels(p, flip)   four input bytes (or two widened ones) in every lane
//   V::Dot(acc, a, w)    acc + the dot product of each lane's input with its weights
//   V::DotHalf           the same for the lower half of the lanes, if tiles with kHalf are made
//   V::kFetches          whether weights are worth bringing before they are read
// Included by files with instruction-set flags only, each with a copy of its own.
#pragma once

#include "kernels/conv/tile.h"
#include "kernels/requant/finish.h"

namespace dlpu {
namespace {

template <class V, int kRows, int kVectors, bool kHalf = false>
void Tile(const uint8_t* const* pixels, uint8_t* output, const ConvTileArgs& args) {
  // So few rows use weights as fast as memory brings them: one line a vector.
  constexpr int kLines = kRows <= 2 ? kVectors : 1;
  using Int = typename V::Int;
  const auto* blocks = static_cast<const typename V::Block*>(args.requant.blocks);
  Int acc[kRows][kVectors];
  DLPU_UNROLL
  for (int j = 0; j < kVectors; ++j) {
    const Int init = V::Load(blocks[j].init);
    DLPU_UNROLL
    for (int r = 0; r < kRows; ++r) acc[r][j] = init;
  }
  const Int flip = V::Set(static_cast<int32_t>(args.input_flip));
  const int8_t* weights = args.weights;
  [[maybe_unused]] const int8_t* fetch = args.fetch;
  for (int32_t s = 0; s < args.all_segments; ++s) {
    ptrdiff_t k = args.offsets[s];
    const ptrdiff_t end = k + 4 * (s < args.segments ? args.steps : 1);
    for (; k < end; k += 4) {
      Int w[kVectors];
      DLPU_UNROLL
      for (int j = 0; j < kVectors; ++j) w[j] = V::Load(weights + j * 4 * V::kLanes);
      if constexpr (V::kFetches) {
        DLPU_UNROLL
        for (int i = 0; i < kLines; ++i) __builtin_prefetch(fetch + i * 4 * V::kLanes, 0, 2);
        fetch += kLines * 4 * V::kLanes;
      }
      DLPU_UNROLL
      for (int r = 0; r < kRows; ++r) {
        const Int a = V::Pixels(pixels[r] + k, flip);
        DLPU_UNROLL
        for (int j = 0; j < kVectors; ++j) {
          if constexpr (kHalf) {
            if (j == kVectors - 1) {
              V::DotHalf(acc[r][j], a, w[j]);
              continue;
            }
          }
          V::Dot(acc[r][j], a, w[j]);
        }
      }
      weights += kVectors * 4 * V::kLanes;
    }
  }
  FinishTile<V, kHalf>(acc, output, args.output_stride, args.requant);
}

// The table for 16 registers of 8 lanes; V::kWidened as in ConvTiles.
template <class V>
constexpr ConvTiles kTiles256{
    8,
    V::kWidened,
    {6, 6, 4, 0},
    {{Tile<V, 1, 1>, Tile<V, 2, 1>, Tile<V, 3, 1>, Tile<V, 4, 1>, Tile<V, 5, 1>, Tile<V, 6, 1>},
     {Tile<V, 1, 2>, Tile<V, 2, 2>, Tile<V, 3, 2>, Tile<V, 4, 2>, Tile<V, 5, 2>, Tile<V, 6, 2>},
     {Tile<V, 1, 3>, Tile<V, 2, 3>, Tile<V, 3, 3>, Tile<V, 4, 3>}}};

}  // namespace
}  // namespace dlpu
