// SPDX-License-Identifier: Apache-2.0
// Depthwise kernels for AVX-VNNI: blocks of 32 channels, four taps a lane.
#include "kernels/depthwise/tile.h"

#if defined(__AVXVNNI__)

#include "kernels/depthwise/tile_body.h"
#include "kernels/requant/avx2.h"

namespace dlpu {
namespace {

struct Vnni256 : Avx2 {
  static constexpr int kTaps = 4;

  static DLPU_INLINE void Interleave(const uint8_t* const* p, Int flip, Int* v) {
    const Int a = _mm256_xor_si256(Load(p[0]), flip), b = _mm256_xor_si256(Load(p[1]), flip);
    const Int c = _mm256_xor_si256(Load(p[2]), flip), d = _mm256_xor_si256(Load(p[3]), flip);
    const Int ab_low = _mm256_unpacklo_epi8(a, b), ab_high = _mm256_unpackhi_epi8(a, b);
    const Int cd_low = _mm256_unpacklo_epi8(c, d), cd_high = _mm256_unpackhi_epi8(c, d);
    v[0] = _mm256_unpacklo_epi16(ab_low, cd_low);
    v[1] = _mm256_unpackhi_epi16(ab_low, cd_low);
    v[2] = _mm256_unpacklo_epi16(ab_high, cd_high);
    v[3] = _mm256_unpackhi_epi16(ab_high, cd_high);
  }
  // Not the intrinsic: GCC 12 spills around it.
  static DLPU_INLINE void DotTaps(Int& acc, Int v, const int8_t* weights) {
    asm("%{vex%} vpdpbusd %2, %1, %0"
        : "+x"(acc)
        : "x"(v), "m"(*reinterpret_cast<const __m256i*>(weights)));
  }
};

constexpr DepthwiseTiles kTiles{8, Vnni256::kTaps, TapRow<Vnni256>, {}};

}  // namespace

const DepthwiseTiles* DepthwiseTilesAvxVnni() { return &kTiles; }

}  // namespace dlpu

#else

namespace dlpu {
const DepthwiseTiles* DepthwiseTilesAvxVnni() { return nullptr; }
}  // namespace dlpu

#endif
