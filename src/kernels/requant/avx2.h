// SPDX-License-Identifier: Apache-2.0
// AVX2 vectors of accumulators: requantization and the store of codes, as kernels/requant/avx512.h
// has them with half the lanes. Included by files with AVX2 flags only, each with a copy of its
// own (everything is in an unnamed namespace).
#pragma once

#include <immintrin.h>
#include <stddef.h>

#include "kernels/requant/blocks.h"
#include "kernels/unroll.h"

namespace dlpu {
namespace {

struct Avx2 {
  using Int = __m256i;
  using Block = RequantBlock<8>;
  static constexpr int kLanes = 8;

  static DLPU_INLINE Int Load(const void* p) {
    return _mm256_loadu_si256(static_cast<const __m256i*>(p));
  }
  static DLPU_INLINE void Store(void* p, Int v) {
    _mm256_storeu_si256(static_cast<__m256i*>(p), v);
  }
  static DLPU_INLINE Int Set(int32_t v) { return _mm256_set1_epi32(v); }

  static DLPU_INLINE Int Float(Int x, const Block& b) {
    return _mm256_cvtps_epi32(_mm256_fmadd_ps(_mm256_cvtepi32_ps(x), _mm256_load_ps(b.real.scale),
                                              _mm256_load_ps(b.real.offset)));
  }
  static DLPU_INLINE Int FloatSigned(Int x, const Block& b) {
    const __m256 f = _mm256_cvtepi32_ps(x);
    const __m256 sign = _mm256_and_ps(f, _mm256_set1_ps(-0.0f));
    return _mm256_cvtps_epi32(_mm256_fmadd_ps(f, _mm256_load_ps(b.real.scale),
                                              _mm256_or_ps(sign, _mm256_load_ps(b.real.offset))));
  }
  static DLPU_INLINE Int Product(Int x, const Block& b) {
    const Int even =
        _mm256_add_epi64(_mm256_mul_epu32(x, Load(b.fixed.even)), Load(b.fixed.add_even));
    const Int odd = _mm256_add_epi64(_mm256_mul_epu32(_mm256_srli_epi64(x, 32), Load(b.fixed.odd)),
                                     Load(b.fixed.add_odd));
    return _mm256_blend_epi32(_mm256_shuffle_epi32(even, 0xF5), odd, 0xAA);
  }
  static DLPU_INLINE Int Fixed(Int x, const Block& b) {
    return _mm256_srav_epi32(Product(x, b), Load(b.fixed.shift));
  }
  static DLPU_INLINE Int FixedSigned(Int x, const Block& b) {
    const Int sign = _mm256_srlv_epi32(x, Load(b.fixed.sign_shift));
    return _mm256_srav_epi32(_mm256_add_epi32(Product(x, b), sign), Load(b.fixed.shift));
  }

  // Any multiplier and rounding; returns codes without the late zero point.
  static Int Raw(Int x, const Block& b, const RequantStore& s);

  // Packs four vectors of codes (plus the late zero point) to bytes, within 128-bit lanes.
  static DLPU_INLINE Int PackCodes(Int a, Int b, Int c, Int d, const RequantStore& s) {
    Int low = _mm256_packs_epi32(a, b), high = _mm256_packs_epi32(c, d);
    if (s.late_zero != 0) {
      const Int zero = _mm256_set1_epi16(static_cast<int16_t>(s.late_zero));
      low = _mm256_adds_epi16(low, zero);
      high = _mm256_adds_epi16(high, zero);
    }
    if (s.bounded) {
      const Int least = _mm256_set1_epi16(static_cast<int16_t>(s.low));
      const Int most = _mm256_set1_epi16(static_cast<int16_t>(s.high));
      low = _mm256_min_epi16(_mm256_max_epi16(low, least), most);
      high = _mm256_min_epi16(_mm256_max_epi16(high, least), most);
    }
    return s.output_signed ? _mm256_packs_epi16(low, high) : _mm256_packus_epi16(low, high);
  }

  // Stores the first `count` of `size` bytes that begin at byte `from` of codes.
  template <int from, int size>
  static DLPU_INLINE void StoreBytes(uint8_t* out, Int codes, int count) {
    if (count == size && size == 32) {
      Store(out, codes);
    } else if (count == size && size == 16) {
      _mm_storeu_si128(reinterpret_cast<__m128i*>(out), _mm256_extracti128_si256(codes, from / 16));
    } else {
      alignas(32) uint8_t bytes[32];
      Store(bytes, codes);
      if (count == size) {
        __builtin_memcpy(out, bytes + from, size);
      } else {
        __builtin_memcpy(out, bytes + from, static_cast<size_t>(count));
      }
    }
  }

  // Stores kRows pixels of n vectors of codes in channel order: the bytes of a pixel that `mask`
  // (its lowest bits) selects, `stride` bytes between pixels. Few vectors share a pack with other
  // pixels.
  template <int kRows, int n>
  static DLPU_INLINE void StoreTile(uint8_t* out, ptrdiff_t stride, Int (&v)[kRows][n],
                                    uint64_t mask, const RequantStore& s) {
    const int count = __builtin_popcountll(mask);
    if constexpr (n == 4) {
      DLPU_UNROLL
      for (int r = 0; r < kRows; ++r, out += stride) {
        StoreBytes<0, 32>(out, PackCodes(v[r][0], v[r][1], v[r][2], v[r][3], s), count);
      }
    } else if constexpr (n == 3) {
      const Int order = _mm256_setr_epi32(0, 1, 2, 4, 5, 6, 3, 7);
      DLPU_UNROLL
      for (int r = 0; r < kRows; ++r, out += stride) {
        const Int codes = PackCodes(v[r][0], v[r][1], v[r][2], v[r][2], s);
        StoreBytes<0, 24>(out, _mm256_permutevar8x32_epi32(codes, order), count);
      }
    } else if constexpr (n == 2) {
      DLPU_UNROLL
      for (int r = 0; r < kRows; r += 2, out += 2 * stride) {
        const int q = r + 1 < kRows ? r + 1 : r;
        const Int codes =
            _mm256_permute4x64_epi64(PackCodes(v[r][0], v[r][1], v[q][0], v[q][1], s), 0xD8);
        StoreBytes<0, 16>(out, codes, count);
        if (q > r) StoreBytes<16, 16>(out + stride, codes, count);
      }
    } else {
      const Int order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
      DLPU_UNROLL
      for (int r = 0; r < kRows; r += 4, out += 4 * stride) {
        const int q1 = r + 1 < kRows ? r + 1 : r, q2 = r + 2 < kRows ? r + 2 : r;
        const int q3 = r + 3 < kRows ? r + 3 : r;
        const Int codes =
            _mm256_permutevar8x32_epi32(PackCodes(v[r][0], v[q1][0], v[q2][0], v[q3][0], s), order);
        StoreBytes<0, 8>(out, codes, count);
        if (q1 > r) StoreBytes<8, 8>(out + stride, codes, count);
        if (q2 > r) StoreBytes<16, 8>(out + 2 * stride, codes, count);
        if (q3 > r) StoreBytes<24, 8>(out + 3 * stride, codes, count);
      }
    }
  }
};

// Round half away from zero of double(x) * scale, saturated to int32; four lanes.
DLPU_INLINE __m128i ScaleDouble(__m128i x, const double* scale) {
  const __m256d v = _mm256_mul_pd(_mm256_cvtepi32_pd(x), _mm256_loadu_pd(scale));
  const __m256d whole = _mm256_round_pd(v, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC);
  const __m256d rest = _mm256_sub_pd(v, whole);
  const __m256d one = _mm256_set1_pd(1.0);
  const __m256d up = _mm256_cmp_pd(rest, _mm256_set1_pd(0.5), _CMP_GE_OQ);
  const __m256d down = _mm256_cmp_pd(rest, _mm256_set1_pd(-0.5), _CMP_LE_OQ);
  __m256d r = _mm256_add_pd(whole, _mm256_and_pd(up, one));
  r = _mm256_sub_pd(r, _mm256_and_pd(down, one));
  r = _mm256_max_pd(_mm256_min_pd(r, _mm256_set1_pd(2147483647.0)), _mm256_set1_pd(-2147483648.0));
  return _mm256_cvttpd_epi32(r);
}

// SaturatingRoundingDoublingHighMul after a left shift; the multiplier is never INT32_MIN.
DLPU_INLINE __m256i DoublingHighMul(__m256i x, const RequantBlock<8>& b) {
  x = _mm256_sllv_epi32(x, Avx2::Load(b.raw.left));
  const __m256i m = Avx2::Load(b.raw.multiplier);
  const __m256i tie = _mm256_set1_epi64x(1 << 30);
  const __m256i even = _mm256_add_epi64(_mm256_mul_epi32(x, m), tie);
  const __m256i odd =
      _mm256_add_epi64(_mm256_mul_epi32(_mm256_srli_epi64(x, 32), _mm256_srli_epi64(m, 32)), tie);
  return _mm256_blend_epi32(_mm256_srli_epi64(even, 31), _mm256_slli_epi64(odd, 1), 0xAA);
}

// Rounds x / 2^shift; ties away from zero, or up.
DLPU_INLINE __m256i RoundShift(__m256i x, __m256i shift, bool away) {
  const __m256i one = Avx2::Set(1);
  if (away) {
    const __m256i mask = _mm256_sub_epi32(_mm256_sllv_epi32(one, shift), one);
    const __m256i threshold =
        _mm256_add_epi32(_mm256_srli_epi32(mask, 1), _mm256_srli_epi32(x, 31));
    const __m256i up = _mm256_cmpgt_epi32(_mm256_and_si256(x, mask), threshold);
    return _mm256_sub_epi32(_mm256_srav_epi32(x, shift), up);
  }
  const __m256i shifted = _mm256_cmpgt_epi32(shift, _mm256_setzero_si256());
  const __m256i bit = _mm256_srav_epi32(x, _mm256_sub_epi32(shift, one));
  return _mm256_add_epi32(_mm256_srav_epi32(x, shift),
                          _mm256_and_si256(_mm256_and_si256(bit, one), shifted));
}

[[maybe_unused]] Avx2::Int Avx2::Raw(Int x, const Block& b, const RequantStore& s) {
  if (s.rounding == RequantRounding::kFloat64) {
    const __m128i low = ScaleDouble(_mm256_castsi256_si128(x), b.raw.scale);
    const __m128i high = ScaleDouble(_mm256_extracti128_si256(x, 1), b.raw.scale + 4);
    x = _mm256_inserti128_si256(_mm256_castsi128_si256(low), high, 1);
  } else if (s.rounding == RequantRounding::kFloat32Even) {
    const __m256 scale =
        _mm256_insertf128_ps(_mm256_castps128_ps256(_mm256_cvtpd_ps(_mm256_load_pd(b.raw.scale))),
                             _mm256_cvtpd_ps(_mm256_load_pd(b.raw.scale + 4)), 1);
    __m256 v = _mm256_mul_ps(_mm256_cvtepi32_ps(x), scale);
    v = _mm256_max_ps(v, _mm256_set1_ps(static_cast<float>(s.low - s.zero)));
    v = _mm256_min_ps(v, _mm256_set1_ps(static_cast<float>(s.high - s.zero)));
    x = _mm256_cvtps_epi32(v);
  } else {
    x = RoundShift(DoublingHighMul(x, b), Load(b.raw.right),
                   s.rounding == RequantRounding::kDouble);
  }
  x = _mm256_add_epi32(x, Set(s.zero));
  x = _mm256_min_epi32(_mm256_max_epi32(x, Set(s.low)), Set(s.high));
  return _mm256_sub_epi32(x, Set(s.late_zero));
}

}  // namespace
}  // namespace dlpu
