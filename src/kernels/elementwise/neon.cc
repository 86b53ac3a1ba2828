// SPDX-License-Identifier: Apache-2.0
// Functions of two codes for AArch64 NEON, 32 codes at a time.
#include "kernels/elementwise/byte_pair_row.h"

#if defined(__aarch64__)

#include "kernels/elementwise/byte_pair_body.h"
#include "kernels/requant/neon.h"

namespace dlpu {
namespace {

DLPU_INLINE float32x4_t Fma(float32x4_t a, float b, float32x4_t c) {
  return vfmaq_f32(c, a, vdupq_n_f32(b));
}
// offset with the sign of p; the offset is not negative.
DLPU_INLINE float32x4_t WithSign(float32x4_t p, float offset) {
  return vbslq_f32(vdupq_n_u32(0x80000000u), p, vdupq_n_f32(offset));
}
DLPU_INLINE float32x4_t Minus(float32x4_t x, float zero) { return vsubq_f32(x, vdupq_n_f32(zero)); }

DLPU_INLINE int32x4_t SumOf(float32x4_t x, float32x4_t y, const BytePairArgs& a) {
  return vcvtnq_s32_f32(Fma(x, a.scale_x, Fma(y, a.scale_y, vdupq_n_f32(a.offset))));
}
DLPU_INLINE int32x4_t ProductOf(float32x4_t x, float32x4_t y, const BytePairArgs& a) {
  const float32x4_t p = vmulq_f32(Minus(x, a.zero_x), Minus(y, a.zero_y));
  return vcvtnq_s32_f32(Fma(p, a.scale_x, WithSign(p, a.offset)));
}
DLPU_INLINE int32x4_t PreluOf(float32x4_t x, float32x4_t y, const BytePairArgs& a) {
  const float32x4_t v = Minus(x, a.zero_x);
  const float32x4_t p = vmulq_f32(v, Minus(y, a.zero_y));
  const float32x4_t above = Fma(v, a.scale_x, vdupq_n_f32(a.offset));
  const float32x4_t below = Fma(p, a.scale_y, WithSign(p, a.offset_y));
  return vcvtnq_s32_f32(vbslq_f32(vcltzq_f32(v), below, above));
}

struct Pairs : Neon {
  struct Real {
    float32x4_t low, high;
  };

  static DLPU_INLINE Real Fixed(float v) { return {vdupq_n_f32(v), vdupq_n_f32(v)}; }
  template <bool is_signed>
  static DLPU_INLINE Real Codes(const uint8_t* p) {
    const uint8x8_t bytes = vld1_u8(p);
    if constexpr (is_signed) {
      const int16x8_t wide = vmovl_s8(vreinterpret_s8_u8(bytes));
      return {vcvtq_f32_s32(vmovl_s16(vget_low_s16(wide))), vcvtq_f32_s32(vmovl_high_s16(wide))};
    } else {
      const uint16x8_t wide = vmovl_u8(bytes);
      return {vcvtq_f32_u32(vmovl_u16(vget_low_u16(wide))), vcvtq_f32_u32(vmovl_high_u16(wide))};
    }
  }
  static DLPU_INLINE Int Sum(Real x, Real y, const BytePairArgs& a) {
    return {SumOf(x.low, y.low, a), SumOf(x.high, y.high, a)};
  }
  static DLPU_INLINE Int Product(Real x, Real y, const BytePairArgs& a) {
    return {ProductOf(x.low, y.low, a), ProductOf(x.high, y.high, a)};
  }
  static DLPU_INLINE Int Prelu(Real x, Real y, const BytePairArgs& a) {
    return {PreluOf(x.low, y.low, a), PreluOf(x.high, y.high, a)};
  }
  // Vectors of consecutive codes.
  static DLPU_INLINE Int PackCodes(Int a, Int b, Int c, Int d, const RequantStore& s) {
    return {vreinterpretq_s32_u8(PackBytes(a.low, a.high, b.low, b.high, s)),
            vreinterpretq_s32_u8(PackBytes(c.low, c.high, d.low, d.high, s))};
  }
  static DLPU_INLINE Int Order(Int codes) { return codes; }
};

}  // namespace

BytePairRun BytePairRunNeon() { return RunBytePairs<Pairs>; }

}  // namespace dlpu

#else

namespace dlpu {
BytePairRun BytePairRunNeon() { return nullptr; }
}  // namespace dlpu

#endif
