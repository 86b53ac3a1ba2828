// SPDX-License-Identifier: Apache-2.0
// NEON vectors of accumulators: 8 lanes in two registers, requantization and the store of codes, as
// kernels/requant/avx2.h has them. Included by files for AArch64 only, each with a copy of its own
// (everything is in an unnamed namespace).
#pragma once

#include <arm_neon.h>
#include <stddef.h>

#include "kernels/requant/blocks.h"
#include "kernels/unroll.h"

namespace dlpu {
namespace {

struct Neon {
  struct Int {
    int32x4_t low, high;
  };
  using Block = RequantBlock<8>;
  static constexpr int kLanes = 8;

  static DLPU_INLINE int32x4_t LoadHalf(const void* p) {
    return vreinterpretq_s32_u8(vld1q_u8(static_cast<const uint8_t*>(p)));
  }
  static DLPU_INLINE Int Load(const void* p) {
    return {LoadHalf(p), LoadHalf(static_cast<const uint8_t*>(p) + 16)};
  }
  static DLPU_INLINE void Store(void* p, Int v) {
    vst1q_u8(static_cast<uint8_t*>(p), vreinterpretq_u8_s32(v.low));
    vst1q_u8(static_cast<uint8_t*>(p) + 16, vreinterpretq_u8_s32(v.high));
  }
  static DLPU_INLINE Int Set(int32_t v) { return {vdupq_n_s32(v), vdupq_n_s32(v)}; }

  static DLPU_INLINE int32x4_t FloatHalf(int32x4_t x, const float* scale, const float* offset) {
    return vcvtnq_s32_f32(vfmaq_f32(vld1q_f32(offset), vcvtq_f32_s32(x), vld1q_f32(scale)));
  }
  static DLPU_INLINE Int Float(Int x, const Block& b) {
    return {FloatHalf(x.low, b.real.scale, b.real.offset),
            FloatHalf(x.high, b.real.scale + 4, b.real.offset + 4)};
  }
  // Offsets are not negative: the sign of x replaces theirs.
  static DLPU_INLINE int32x4_t SignedHalf(int32x4_t x, const float* scale, const float* offset) {
    const float32x4_t f = vcvtq_f32_s32(x);
    const float32x4_t d = vbslq_f32(vdupq_n_u32(0x80000000u), f, vld1q_f32(offset));
    return vcvtnq_s32_f32(vfmaq_f32(d, f, vld1q_f32(scale)));
  }
  static DLPU_INLINE Int FloatSigned(Int x, const Block& b) {
    return {SignedHalf(x.low, b.real.scale, b.real.offset),
            SignedHalf(x.high, b.real.scale + 4, b.real.offset + 4)};
  }

  // The high words of x * even + addend, whose even and odd lanes lie apart in the block.
  static DLPU_INLINE int32x4_t ProductHalf(int32x4_t x, const uint32_t* m, const int64_t* add_even,
                                           const int64_t* add_odd) {
    const int64x2_t even = vld1q_s64(add_even), odd = vld1q_s64(add_odd);
    const uint32x4_t u = vreinterpretq_u32_s32(x), by = vld1q_u32(m);
    const uint64x2_t low =
        vmlal_u32(vreinterpretq_u64_s64(vzip1q_s64(even, odd)), vget_low_u32(u), vget_low_u32(by));
    const uint64x2_t high = vmlal_high_u32(vreinterpretq_u64_s64(vzip2q_s64(even, odd)), u, by);
    return vuzp2q_s32(vreinterpretq_s32_u64(low), vreinterpretq_s32_u64(high));
  }
  static DLPU_INLINE int32x4_t ShiftRight(int32x4_t x, const void* by) {
    return vshlq_s32(x, vnegq_s32(LoadHalf(by)));
  }
  static DLPU_INLINE Int Product(Int x, const Block& b) {
    return {ProductHalf(x.low, b.fixed.even, b.fixed.add_even, b.fixed.add_odd),
            ProductHalf(x.high, b.fixed.even + 4, b.fixed.add_even + 2, b.fixed.add_odd + 2)};
  }
  static DLPU_INLINE Int Fixed(Int x, const Block& b) {
    const Int p = Product(x, b);
    return {ShiftRight(p.low, b.fixed.shift), ShiftRight(p.high, b.fixed.shift + 4)};
  }
  // x shifted right by 31 or 32 as an unsigned number.
  static DLPU_INLINE int32x4_t Sign(int32x4_t x, const void* by) {
    return vreinterpretq_s32_u32(vshlq_u32(vreinterpretq_u32_s32(x), vnegq_s32(LoadHalf(by))));
  }
  static DLPU_INLINE Int FixedSigned(Int x, const Block& b) {
    Int p = Product(x, b);
    p.low = vaddq_s32(p.low, Sign(x.low, b.fixed.sign_shift));
    p.high = vaddq_s32(p.high, Sign(x.high, b.fixed.sign_shift + 4));
    return {ShiftRight(p.low, b.fixed.shift), ShiftRight(p.high, b.fixed.shift + 4)};
  }

  // Any multiplier and rounding; returns codes without the late zero point.
  static Int Raw(Int x, const Block& b, const RequantStore& s);

  // Sixteen codes in order (plus the late zero point) to bytes.
  static DLPU_INLINE uint8x16_t PackBytes(int32x4_t a, int32x4_t b, int32x4_t c, int32x4_t d,
                                          const RequantStore& s) {
    int16x8_t low = vqmovn_high_s32(vqmovn_s32(a), b), high = vqmovn_high_s32(vqmovn_s32(c), d);
    if (s.late_zero != 0) {
      const int16x8_t zero = vdupq_n_s16(static_cast<int16_t>(s.late_zero));
      low = vqaddq_s16(low, zero);
      high = vqaddq_s16(high, zero);
    }
    if (s.output_signed) {
      int8x16_t codes = vqmovn_high_s16(vqmovn_s16(low), high);
      if (s.bounded) {
        codes = vmaxq_s8(codes, vdupq_n_s8(static_cast<int8_t>(s.low)));
        codes = vminq_s8(codes, vdupq_n_s8(static_cast<int8_t>(s.high)));
      }
      return vreinterpretq_u8_s8(codes);
    }
    uint8x16_t codes = vqmovun_high_s16(vqmovun_s16(low), high);
    if (s.bounded) {
      codes = vmaxq_u8(codes, vdupq_n_u8(static_cast<uint8_t>(s.low)));
      codes = vminq_u8(codes, vdupq_n_u8(static_cast<uint8_t>(s.high)));
    }
    return codes;
  }

  // Stores kRows pixels of n vectors of codes in channel order (first all low halves, then the high
  // ones): the bytes of a pixel that `mask` (its lowest bits) selects, `stride` bytes between
  // pixels.
  template <int kRows, int n>
  static DLPU_INLINE void StoreTile(uint8_t* out, ptrdiff_t stride, Int (&v)[kRows][n],
                                    uint64_t mask, const RequantStore& s) {
    const int count = __builtin_popcountll(mask);
    constexpr int kParts = (n + 1) / 2;  // of 16 bytes
    DLPU_UNROLL
    for (int r = 0; r < kRows; ++r, out += stride) {
      int32x4_t ordered[4 * kParts];
      DLPU_UNROLL
      for (int i = 0; i < 4 * kParts; ++i) {
        const int at = i < 2 * n ? i : 0;  // past the end: any
        ordered[i] = at < n ? v[r][at].low : v[r][at - n].high;
      }
      uint8x16_t parts[kParts];
      DLPU_UNROLL
      for (int i = 0; i < kParts; ++i) {
        parts[i] = PackBytes(ordered[4 * i], ordered[4 * i + 1], ordered[4 * i + 2],
                             ordered[4 * i + 3], s);
      }
      if (count == 8 * n) {
        DLPU_UNROLL
        for (int i = 0; i < n / 2; ++i) vst1q_u8(out + 16 * i, parts[i]);
        if (n % 2 != 0) vst1_u8(out + 8 * (n - 1), vget_low_u8(parts[n / 2]));
      } else {
        uint8_t bytes[16 * kParts];
        DLPU_UNROLL
        for (int i = 0; i < kParts; ++i) vst1q_u8(bytes + 16 * i, parts[i]);
        __builtin_memcpy(out, bytes, static_cast<size_t>(count));
      }
    }
  }
};

// Round half away from zero of double(x) * scale, saturated to int32; two lanes.
DLPU_INLINE int32x2_t ScaleDouble(int32x2_t x, const double* scale) {
  const float64x2_t v = vmulq_f64(vcvtq_f64_s64(vmovl_s32(x)), vld1q_f64(scale));
  return vqmovn_s64(vcvtq_s64_f64(vrndaq_f64(v)));
}

DLPU_INLINE int32x4_t RawHalf(int32x4_t x, const double* scale, const int32_t* multiplier,
                              const int32_t* left, const int32_t* right, const RequantStore& s) {
  if (s.rounding == RequantRounding::kFloat64) {
    x = vcombine_s32(ScaleDouble(vget_low_s32(x), scale), ScaleDouble(vget_high_s32(x), scale + 2));
  } else if (s.rounding == RequantRounding::kFloat32Even) {
    const float32x4_t by =
        vcombine_f32(vcvt_f32_f64(vld1q_f64(scale)), vcvt_f32_f64(vld1q_f64(scale + 2)));
    float32x4_t v = vmulq_f32(vcvtq_f32_s32(x), by);
    v = vmaxq_f32(v, vdupq_n_f32(static_cast<float>(s.low - s.zero)));
    v = vminq_f32(v, vdupq_n_f32(static_cast<float>(s.high - s.zero)));
    x = vcvtnq_s32_f32(v);
  } else {
    // The doubling multiplication rounds as the reference's; the multiplier is never INT32_MIN.
    x = vqrdmulhq_s32(vshlq_s32(x, vld1q_s32(left)), vld1q_s32(multiplier));
    const int32x4_t by = vnegq_s32(vld1q_s32(right));
    // The shift rounds ties up; taking 1 off negative values first rounds them away from zero.
    if (s.rounding == RequantRounding::kDouble) {
      x = vqaddq_s32(x, vshrq_n_s32(vandq_s32(x, by), 31));
    }
    x = vrshlq_s32(x, by);
  }
  x = vaddq_s32(x, vdupq_n_s32(s.zero));
  x = vminq_s32(vmaxq_s32(x, vdupq_n_s32(s.low)), vdupq_n_s32(s.high));
  return vsubq_s32(x, vdupq_n_s32(s.late_zero));
}

[[maybe_unused]] Neon::Int Neon::Raw(Int x, const Block& b, const RequantStore& s) {
  const auto& raw = b.raw;
  return {RawHalf(x.low, raw.scale, raw.multiplier, raw.left, raw.right, s),
          RawHalf(x.high, raw.scale + 4, raw.multiplier + 4, raw.left + 4, raw.right + 4, s)};
}

}  // namespace
}  // namespace dlpu
