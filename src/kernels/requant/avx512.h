// SPDX-License-Identifier: Apache-2.0
// AVX-512 vectors of accumulators: requantization and the store of codes. Included by files with
// AVX-512 flags only, each with a copy of its own (everything is in an unnamed namespace).
//
// Channel order: of a group of n vectors, lane 4l + i of vector j holds channel 4nl + 4j + i, the
// order in which in-lane packs leave the codes.
#pragma once

#include <immintrin.h>
#include <stddef.h>

#include "kernels/requant/blocks.h"
#include "kernels/unroll.h"

namespace dlpu {
namespace {

struct Avx512 {
  using Int = __m512i;
  using Block = RequantBlock<16>;
  static constexpr int kLanes = 16;

  static DLPU_INLINE Int Load(const void* p) { return _mm512_loadu_si512(p); }
  static DLPU_INLINE void Store(void* p, Int v) { _mm512_storeu_si512(p, v); }
  static DLPU_INLINE Int Set(int32_t v) { return _mm512_set1_epi32(v); }

  static DLPU_INLINE Int Float(Int x, const Block& b) {
    return _mm512_cvtps_epi32(_mm512_fmadd_ps(_mm512_cvtepi32_ps(x), _mm512_load_ps(b.real.scale),
                                              _mm512_load_ps(b.real.offset)));
  }
  static DLPU_INLINE Int FloatSigned(Int x, const Block& b) {
    const __m512 f = _mm512_cvtepi32_ps(x);
    // 0xE4: where the third operand has ones take the first, elsewhere the second.
    const __m512i offset = _mm512_ternarylogic_epi32(
        _mm512_castps_si512(f), _mm512_load_si512(b.real.offset), Set(INT32_MIN), 0xE4);
    return _mm512_cvtps_epi32(
        _mm512_fmadd_ps(f, _mm512_load_ps(b.real.scale), _mm512_castsi512_ps(offset)));
  }
  static DLPU_INLINE Int Product(Int x, const Block& b) {
    const Int even =
        _mm512_add_epi64(_mm512_mul_epu32(x, Load(b.fixed.even)), Load(b.fixed.add_even));
    const Int odd = _mm512_add_epi64(_mm512_mul_epu32(_mm512_srli_epi64(x, 32), Load(b.fixed.odd)),
                                     Load(b.fixed.add_odd));
    return _mm512_mask_shuffle_epi32(odd, 0x5555, even, _MM_PERM_DDBB);
  }
  static DLPU_INLINE Int Fixed(Int x, const Block& b) {
    return _mm512_srav_epi32(Product(x, b), Load(b.fixed.shift));
  }
  static DLPU_INLINE Int FixedSigned(Int x, const Block& b) {
    const Int sign = _mm512_srlv_epi32(x, Load(b.fixed.sign_shift));
    return _mm512_srav_epi32(_mm512_add_epi32(Product(x, b), sign), Load(b.fixed.shift));
  }

  // Any multiplier and rounding; returns codes without the late zero point.
  static Int Raw(Int x, const Block& b, const RequantStore& s);

  // Packs four vectors of codes (plus the late zero point) to bytes, within 128-bit lanes.
  static DLPU_INLINE Int PackCodes(Int a, Int b, Int c, Int d, const RequantStore& s) {
    Int low = _mm512_packs_epi32(a, b), high = _mm512_packs_epi32(c, d);
    if (s.late_zero != 0) {
      const Int zero = _mm512_set1_epi16(static_cast<int16_t>(s.late_zero));
      low = _mm512_adds_epi16(low, zero);
      high = _mm512_adds_epi16(high, zero);
    }
    if (s.bounded) {
      const Int least = _mm512_set1_epi16(static_cast<int16_t>(s.low));
      const Int most = _mm512_set1_epi16(static_cast<int16_t>(s.high));
      low = _mm512_min_epi16(_mm512_max_epi16(low, least), most);
      high = _mm512_min_epi16(_mm512_max_epi16(high, least), most);
    }
    return s.output_signed ? _mm512_packs_epi16(low, high) : _mm512_packus_epi16(low, high);
  }

  // Stores kRows pixels of n vectors of codes in channel order: the 16n bytes of a pixel that
  // `mask` selects, `stride` bytes between pixels. Few vectors share a pack with other pixels.
  // kHalf: only the lower half of the last vector holds channels.
  template <int kRows, int n, bool kHalf = false>
  static DLPU_INLINE void StoreTile(uint8_t* out, ptrdiff_t stride, Int (&v)[kRows][n],
                                    uint64_t mask, const RequantStore& s) {
    if constexpr (n == 4) {
      const Int order = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 13, 14, 0, 0);
      DLPU_UNROLL
      for (int r = 0; r < kRows; ++r, out += stride) {
        Int codes = PackCodes(v[r][0], v[r][1], v[r][2], v[r][3], s);
        if (kHalf) codes = _mm512_permutexvar_epi32(order, codes);
        _mm512_mask_storeu_epi8(out, mask, codes);
      }
    } else if constexpr (n == 3) {
      const Int order = kHalf
                            ? _mm512_setr_epi32(0, 1, 2, 4, 5, 6, 8, 9, 12, 13, 0, 0, 0, 0, 0, 0)
                            : _mm512_setr_epi32(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 0, 0, 0, 0);
      DLPU_UNROLL
      for (int r = 0; r < kRows; ++r, out += stride) {
        const Int codes = PackCodes(v[r][0], v[r][1], v[r][2], v[r][2], s);
        _mm512_mask_storeu_epi8(out, mask, _mm512_permutexvar_epi32(order, codes));
      }
    } else if constexpr (n == 2) {
      const Int order =
          kHalf ? _mm512_setr_epi32(0, 1, 4, 5, 8, 12, 0, 0, 2, 3, 6, 7, 10, 14, 0, 0)
                : _mm512_setr_epi32(0, 1, 4, 5, 8, 9, 12, 13, 2, 3, 6, 7, 10, 11, 14, 15);
      const auto half = static_cast<__mmask32>(mask);
      DLPU_UNROLL
      for (int r = 0; r < kRows; r += 2, out += 2 * stride) {
        const int q = r + 1 < kRows ? r + 1 : r;
        const Int codes =
            _mm512_permutexvar_epi32(order, PackCodes(v[r][0], v[r][1], v[q][0], v[q][1], s));
        _mm256_mask_storeu_epi8(out, half, _mm512_castsi512_si256(codes));
        if (q > r) {
          _mm256_mask_storeu_epi8(out + stride, half, _mm512_extracti64x4_epi64(codes, 1));
        }
      }
    } else {
      const Int order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
      const auto quarter = static_cast<__mmask16>(mask);
      DLPU_UNROLL
      for (int r = 0; r < kRows; r += 4, out += 4 * stride) {
        const int q1 = r + 1 < kRows ? r + 1 : r, q2 = r + 2 < kRows ? r + 2 : r;
        const int q3 = r + 3 < kRows ? r + 3 : r;
        const Int codes =
            _mm512_permutexvar_epi32(order, PackCodes(v[r][0], v[q1][0], v[q2][0], v[q3][0], s));
        _mm_mask_storeu_epi8(out, quarter, _mm512_castsi512_si128(codes));
        if (q1 > r) {
          _mm_mask_storeu_epi8(out + stride, quarter, _mm512_extracti32x4_epi32(codes, 1));
        }
        if (q2 > r) {
          _mm_mask_storeu_epi8(out + 2 * stride, quarter, _mm512_extracti32x4_epi32(codes, 2));
        }
        if (q3 > r) {
          _mm_mask_storeu_epi8(out + 3 * stride, quarter, _mm512_extracti32x4_epi32(codes, 3));
        }
      }
    }
  }
};

// Round half away from zero of double(x) * scale, saturated to int32.
DLPU_INLINE __m256i ScaleDouble(__m256i x, const double* scale) {
  const __m512d v = _mm512_mul_pd(_mm512_cvtepi32_pd(x), _mm512_loadu_pd(scale));
  const __m512d whole = _mm512_roundscale_pd(v, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC);
  const __m512d rest = _mm512_sub_pd(v, whole);
  const __mmask8 up = _mm512_cmp_pd_mask(rest, _mm512_set1_pd(0.5), _CMP_GE_OQ);
  const __mmask8 down = _mm512_cmp_pd_mask(rest, _mm512_set1_pd(-0.5), _CMP_LE_OQ);
  __m512d r = _mm512_mask_add_pd(whole, up, whole, _mm512_set1_pd(1.0));
  r = _mm512_mask_sub_pd(r, down, whole, _mm512_set1_pd(1.0));
  r = _mm512_max_pd(_mm512_min_pd(r, _mm512_set1_pd(2147483647.0)), _mm512_set1_pd(-2147483648.0));
  return _mm512_cvttpd_epi32(r);
}

// SaturatingRoundingDoublingHighMul after a left shift; the multiplier is never INT32_MIN.
DLPU_INLINE __m512i DoublingHighMul(__m512i x, const RequantBlock<16>& b) {
  x = _mm512_sllv_epi32(x, _mm512_load_si512(b.raw.left));
  const __m512i m = _mm512_load_si512(b.raw.multiplier);
  const __m512i tie = _mm512_set1_epi64(1 << 30);
  const __m512i even = _mm512_add_epi64(_mm512_mul_epi32(x, m), tie);
  const __m512i odd =
      _mm512_add_epi64(_mm512_mul_epi32(_mm512_srli_epi64(x, 32), _mm512_srli_epi64(m, 32)), tie);
  return _mm512_mask_blend_epi32(0xAAAA, _mm512_srli_epi64(even, 31), _mm512_slli_epi64(odd, 1));
}

[[maybe_unused]] Avx512::Int Avx512::Raw(Int x, const Block& b, const RequantStore& s) {
  const Int one = Set(1);
  if (s.rounding == RequantRounding::kFloat64) {
    const __m256i low = ScaleDouble(_mm512_castsi512_si256(x), b.raw.scale);
    const __m256i high = ScaleDouble(_mm512_extracti64x4_epi64(x, 1), b.raw.scale + 8);
    x = _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
  } else if (s.rounding == RequantRounding::kFloat32Even) {
    const __m512 scale =
        _mm512_insertf32x8(_mm512_castps256_ps512(_mm512_cvtpd_ps(_mm512_load_pd(b.raw.scale))),
                           _mm512_cvtpd_ps(_mm512_load_pd(b.raw.scale + 8)), 1);
    __m512 v = _mm512_mul_ps(_mm512_cvtepi32_ps(x), scale);
    v = _mm512_max_ps(v, _mm512_set1_ps(static_cast<float>(s.low - s.zero)));
    v = _mm512_min_ps(v, _mm512_set1_ps(static_cast<float>(s.high - s.zero)));
    x = _mm512_cvtps_epi32(v);
  } else {
    x = DoublingHighMul(x, b);
    const Int shift = Load(b.raw.right);
    if (s.rounding == RequantRounding::kDouble) {
      const Int mask = _mm512_sub_epi32(_mm512_sllv_epi32(one, shift), one);
      const Int sign = _mm512_srli_epi32(x, 31);
      const Int threshold = _mm512_add_epi32(_mm512_srli_epi32(mask, 1), sign);
      const __mmask16 up = _mm512_cmpgt_epi32_mask(_mm512_and_si512(x, mask), threshold);
      x = _mm512_srav_epi32(x, shift);
      x = _mm512_mask_add_epi32(x, up, x, one);
    } else {
      const __mmask16 shifted = _mm512_test_epi32_mask(shift, shift);
      const Int bit = _mm512_and_si512(_mm512_srav_epi32(x, _mm512_sub_epi32(shift, one)), one);
      x = _mm512_srav_epi32(x, shift);
      x = _mm512_mask_add_epi32(x, shifted, x, bit);
    }
  }
  x = _mm512_add_epi32(x, Set(s.zero));
  x = _mm512_min_epi32(_mm512_max_epi32(x, Set(s.low)), Set(s.high));
  return _mm512_sub_epi32(x, Set(s.late_zero));
}

}  // namespace
}  // namespace dlpu
