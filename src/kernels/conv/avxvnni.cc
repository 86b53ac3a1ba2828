// SPDX-License-Identifier: Apache-2.0
// Convolution tiles for AVX-VNNI: as AVX2's, with 8-bit operands and 4 products an instruction and
// lane.
#include "kernels/conv/tile.h"

#if defined(__AVXVNNI__)

#include "kernels/conv/tile_body.h"
#include "kernels/requant/avx2.h"

namespace dlpu {
namespace {

using UnalignedInt = int32_t __attribute__((aligned(1), may_alias));

struct Vnni256 : Avx2 {
  static constexpr bool kFetches = false;
  static constexpr bool kWidened = false;
  static DLPU_INLINE Int Pixels(const uint8_t* p, Int flip) {
    return _mm256_xor_si256(_mm256_set1_epi32(*reinterpret_cast<const UnalignedInt*>(p)), flip);
  }
  // Not the intrinsic: GCC 12 spills around it.
  static DLPU_INLINE void Dot(Int& acc, Int a, Int w) {
    asm("%{vex%} vpdpbusd %2, %1, %0" : "+x"(acc) : "x"(a), "x"(w));
  }
};

}  // namespace

const ConvTiles* ConvTilesAvxVnni() { return &kTiles256<Vnni256>; }

}  // namespace dlpu

#else

namespace dlpu {
const ConvTiles* ConvTilesAvxVnni() { return nullptr; }
}  // namespace dlpu

#endif
