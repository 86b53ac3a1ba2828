// SPDX-License-Identifier: Apache-2.0
// Convolution tiles for AVX-512 VNNI: 16 channels a vector, 4 products an instruction and lane.
#include "kernels/conv/tile.h"

#if defined(__AVX512VNNI__)

#include "kernels/conv/tile_body.h"
#include "kernels/requant/avx512.h"

namespace dlpu {
namespace {

using UnalignedInt = int32_t __attribute__((aligned(1), may_alias));

struct Vnni512 : Avx512 {
  static constexpr bool kFetches = true;
  // Broadcast and flip are one instruction.
  static DLPU_INLINE Int Pixels(const uint8_t* p, Int flip) {
    Int a;
    asm("vpxord %1%{1to16%}, %2, %0"
        : "=v"(a)
        : "m"(*reinterpret_cast<const UnalignedInt*>(p)), "v"(flip));
    return a;
  }
  // Not the intrinsic: GCC 12 spills every accumulator around it.
  static DLPU_INLINE void Dot(Int& acc, Int a, Int w) {
    asm("vpdpbusd %2, %1, %0" : "+v"(acc) : "v"(a), "v"(w));
  }
  static DLPU_INLINE void DotHalf(Int& acc, Int a, Int w) {
    asm("vpdpbusd %t2, %t1, %t0" : "+v"(acc) : "v"(a), "v"(w));
  }
};

template <int r, int n>
constexpr ConvTile kTile = Tile<Vnni512, r, n>;

template <int r, int n>
constexpr ConvTile kHalf = Tile<Vnni512, r, n, true>;

constexpr ConvTile kHalfTiles[kMaxTileVectors][kMaxTileRows] = {
    {kHalf<1, 1>, kHalf<2, 1>, kHalf<3, 1>, kHalf<4, 1>, kHalf<5, 1>, kHalf<6, 1>, kHalf<7, 1>,
     kHalf<8, 1>, kHalf<9, 1>, kHalf<10, 1>, kHalf<11, 1>, kHalf<12, 1>},
    {kHalf<1, 2>, kHalf<2, 2>, kHalf<3, 2>, kHalf<4, 2>, kHalf<5, 2>, kHalf<6, 2>, kHalf<7, 2>,
     kHalf<8, 2>, kHalf<9, 2>, kHalf<10, 2>, kHalf<11, 2>, kHalf<12, 2>},
    {kHalf<1, 3>, kHalf<2, 3>, kHalf<3, 3>, kHalf<4, 3>, kHalf<5, 3>, kHalf<6, 3>, kHalf<7, 3>,
     kHalf<8, 3>},
    {kHalf<1, 4>, kHalf<2, 4>, kHalf<3, 4>, kHalf<4, 4>, kHalf<5, 4>, kHalf<6, 4>}};

constexpr ConvTiles kTiles{
    16,
    false,
    {12, 12, 8, 6},
    {{kTile<1, 1>, kTile<2, 1>, kTile<3, 1>, kTile<4, 1>, kTile<5, 1>, kTile<6, 1>, kTile<7, 1>,
      kTile<8, 1>, kTile<9, 1>, kTile<10, 1>, kTile<11, 1>, kTile<12, 1>},
     {kTile<1, 2>, kTile<2, 2>, kTile<3, 2>, kTile<4, 2>, kTile<5, 2>, kTile<6, 2>, kTile<7, 2>,
      kTile<8, 2>, kTile<9, 2>, kTile<10, 2>, kTile<11, 2>, kTile<12, 2>},
     {kTile<1, 3>, kTile<2, 3>, kTile<3, 3>, kTile<4, 3>, kTile<5, 3>, kTile<6, 3>, kTile<7, 3>,
      kTile<8, 3>},
     {kTile<1, 4>, kTile<2, 4>, kTile<3, 4>, kTile<4, 4>, kTile<5, 4>, kTile<6, 4>}},
    4,
    4,
    false,
    -128,
    kHalfTiles};

}  // namespace

const ConvTiles* ConvTilesAvx512Vnni() { return &kTiles; }

}  // namespace dlpu

#else

namespace dlpu {
const ConvTiles* ConvTilesAvx512Vnni() { return nullptr; }
}  // namespace dlpu

#endif
