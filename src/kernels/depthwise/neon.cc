// SPDX-License-Identifier: Apache-2.0
// Depthwise kernels for AArch64 without dot products: blocks of 32 channels, two taps at a time,
// whose products are added in 16 bits (no weight is -128) before they go to the accumulators.
#include "kernels/depthwise/tile.h"

#if defined(__aarch64__)

#include "kernels/depthwise/tile_body.h"
#include "kernels/requant/neon.h"

namespace dlpu {
namespace {

struct Multiply : Neon {
  static constexpr int kTaps = 2;
  static constexpr bool kByTap = true;

  static DLPU_INLINE int8x16_t Codes(const uint8_t* p, int8x16_t flip) {
    return veorq_s8(vld1q_s8(reinterpret_cast<const int8_t*>(p)), flip);
  }
  // Channels 0..15 are the low halves of the four accumulators, 16..31 the high ones.
  static DLPU_INLINE void AddTaps(Int (&acc)[kDepthwiseVectors], const uint8_t* const* p, Int flips,
                                  const int8_t* weights) {
    const int8x16_t flip = vreinterpretq_s8_s32(flips.low);
    DLPU_UNROLL
    for (int half = 0; half < 2; ++half) {
      const int at = 16 * half;
      const int8x16_t a = Codes(p[0] + at, flip), b = Codes(p[1] + at, flip);
      const int8x16_t wa = vld1q_s8(weights + at), wb = vld1q_s8(weights + 32 + at);
      int16x8_t first = vmull_s8(vget_low_s8(a), vget_low_s8(wa));
      first = vmlal_s8(first, vget_low_s8(b), vget_low_s8(wb));
      int16x8_t second = vmull_high_s8(a, wa);
      second = vmlal_high_s8(second, b, wb);
      const auto sum = [&](int j) -> int32x4_t& { return half == 0 ? acc[j].low : acc[j].high; };
      sum(0) = vaddw_s16(sum(0), vget_low_s16(first));
      sum(1) = vaddw_high_s16(sum(1), first);
      sum(2) = vaddw_s16(sum(2), vget_low_s16(second));
      sum(3) = vaddw_high_s16(sum(3), second);
    }
  }
};

constexpr DepthwiseTiles kTiles{8, Multiply::kTaps, TapRow<Multiply>, {}, 1, true, true, -127};

}  // namespace

const DepthwiseTiles* DepthwiseTilesNeon() { return &kTiles; }

}  // namespace dlpu

#else

namespace dlpu {
const DepthwiseTiles* DepthwiseTilesNeon() { return nullptr; }
}  // namespace dlpu

#endif
