// SPDX-License-Identifier: Apache-2.0
// Depthwise kernels for AArch64 with SDOT: blocks of 32 channels, four taps a lane.
#include "kernels/depthwise/tile.h"

#if defined(__ARM_FEATURE_DOTPROD)

#include "kernels/depthwise/tile_body.h"
#include "kernels/requant/neon.h"

namespace dlpu {
namespace {

struct Dot : Neon {
  static constexpr int kTaps = 4;

  // Sixteen channels: the bytes of four taps side by side.
  static DLPU_INLINE void Interleave16(const uint8_t* const* p, ptrdiff_t at, int32x4_t flip,
                                       int32x4_t* v) {
    const int8x16_t f = vreinterpretq_s8_s32(flip);
    int8x16_t t[4];
    DLPU_UNROLL
    for (int i = 0; i < 4; ++i) {
      t[i] = veorq_s8(vld1q_s8(reinterpret_cast<const int8_t*>(p[i] + at)), f);
    }
    const int16x8_t ab_low = vreinterpretq_s16_s8(vzip1q_s8(t[0], t[1]));
    const int16x8_t ab_high = vreinterpretq_s16_s8(vzip2q_s8(t[0], t[1]));
    const int16x8_t cd_low = vreinterpretq_s16_s8(vzip1q_s8(t[2], t[3]));
    const int16x8_t cd_high = vreinterpretq_s16_s8(vzip2q_s8(t[2], t[3]));
    v[0] = vreinterpretq_s32_s16(vzip1q_s16(ab_low, cd_low));
    v[1] = vreinterpretq_s32_s16(vzip2q_s16(ab_low, cd_low));
    v[2] = vreinterpretq_s32_s16(vzip1q_s16(ab_high, cd_high));
    v[3] = vreinterpretq_s32_s16(vzip2q_s16(ab_high, cd_high));
  }
  static DLPU_INLINE void Interleave(const uint8_t* const* p, Int flip, Int* v) {
    int32x4_t low[4], high[4];
    Interleave16(p, 0, flip.low, low);
    Interleave16(p, 16, flip.low, high);
    DLPU_UNROLL
    for (int j = 0; j < 4; ++j) v[j] = {low[j], high[j]};
  }
  static DLPU_INLINE void DotTaps(Int& acc, Int v, const int8_t* weights) {
    acc.low = vdotq_s32(acc.low, vreinterpretq_s8_s32(v.low), vld1q_s8(weights));
    acc.high = vdotq_s32(acc.high, vreinterpretq_s8_s32(v.high), vld1q_s8(weights + 16));
  }
};

constexpr DepthwiseTiles kTiles{8, Dot::kTaps, TapRow<Dot>, {}, 1, false, true};

}  // namespace

const DepthwiseTiles* DepthwiseTilesNeonDot() { return &kTiles; }

}  // namespace dlpu

#else

namespace dlpu {
const DepthwiseTiles* DepthwiseTilesNeonDot() { return nullptr; }
}  // namespace dlpu

#endif
