// SPDX-License-Identifier: Apache-2.0
// Depthwise kernels for AVX2: blocks of 32 channels, two taps of 16 bits a lane.
#include "kernels/depthwise/tile.h"

#if defined(__AVX2__)

#include "kernels/depthwise/tile_body.h"
#include "kernels/requant/avx2.h"

namespace dlpu {
namespace {

struct Wide256 : Avx2 {
  static constexpr int kTaps = 2;

  static DLPU_INLINE void Interleave(const uint8_t* const* p, Int flip, Int* v) {
    const Int a = _mm256_xor_si256(Load(p[0]), flip), b = _mm256_xor_si256(Load(p[1]), flip);
    const Int low = _mm256_unpacklo_epi8(a, b), high = _mm256_unpackhi_epi8(a, b);
    const Int zero = _mm256_setzero_si256();
    v[0] = _mm256_unpacklo_epi8(low, zero);
    v[1] = _mm256_unpackhi_epi8(low, zero);
    v[2] = _mm256_unpacklo_epi8(high, zero);
    v[3] = _mm256_unpackhi_epi8(high, zero);
  }
  static DLPU_INLINE void DotTaps(Int& acc, Int v, const int8_t* weights) {
    acc = _mm256_add_epi32(acc, _mm256_madd_epi16(v, Load(weights)));
  }
};

constexpr DepthwiseTiles kTiles{8, Wide256::kTaps, TapRow<Wide256>, {}, 2};

}  // namespace

const DepthwiseTiles* DepthwiseTilesAvx2() { return &kTiles; }

}  // namespace dlpu

#else

namespace dlpu {
const DepthwiseTiles* DepthwiseTilesAvx2() { return nullptr; }
}  // namespace dlpu

#endif
