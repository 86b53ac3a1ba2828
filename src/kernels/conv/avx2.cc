// SPDX-License-Identifier: Apache-2.0
// Convolution tiles for AVX2: 8 channels a vector, activations and weights of 16 bits, two exact
// products an instruction and lane (the 8-bit multiply-add saturates).
#include "kernels/conv/tile.h"

#if defined(__AVX2__)

#include "kernels/conv/tile_body.h"
#include "kernels/requant/avx2.h"

namespace dlpu {
namespace {

using UnalignedInt = int32_t __attribute__((aligned(1), may_alias));

struct Wide256 : Avx2 {
  static constexpr bool kFetches = false;
  static constexpr bool kWidened = true;
  // The copy to 16 bits has flipped signed codes already.
  static DLPU_INLINE Int Pixels(const uint8_t* p, Int) {
    return _mm256_set1_epi32(*reinterpret_cast<const UnalignedInt*>(p));
  }
  static DLPU_INLINE void Dot(Int& acc, Int a, Int w) {
    acc = _mm256_add_epi32(acc, _mm256_madd_epi16(a, w));
  }
};

}  // namespace

const ConvTiles* ConvTilesAvx2() { return &kTiles256<Wide256>; }

}  // namespace dlpu

#else

namespace dlpu {
const ConvTiles* ConvTilesAvx2() { return nullptr; }
}  // namespace dlpu

#endif
