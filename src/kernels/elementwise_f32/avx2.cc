// SPDX-License-Identifier: Apache-2.0
// Elementwise ops on float32 with AVX2: 8 to 32 elements a step; tails by masks or a buffer.
#include "kernels/elementwise_f32/exp.h"
#include "kernels/elementwise_f32/rows.h"

#if defined(__AVX2__)
#include <immintrin.h>

namespace dlpu {
namespace {

inline void CopyBytes(void* to, const void* from, int64_t n) {
  __builtin_memcpy(to, from, static_cast<size_t>(n));
}

// 8 codes as int32.
template <bool kSigned>
inline __m256i Widen(const uint8_t* p) {
  const __m128i codes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p));
  return kSigned ? _mm256_cvtepi8_epi32(codes) : _mm256_cvtepu8_epi32(codes);
}

// Four vectors of whole numbers to 32 codes: zero point, saturation.
template <bool kSigned>
struct Packer {
  __m256i zero, order;
  explicit Packer(int32_t zero_point)
      : zero(_mm256_set1_epi16(static_cast<int16_t>(zero_point))),
        order(_mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7)) {}
  __m256i operator()(__m256i a, __m256i b, __m256i c, __m256i d) const {
    const __m256i ab = _mm256_adds_epi16(_mm256_packs_epi32(a, b), zero);
    const __m256i cd = _mm256_adds_epi16(_mm256_packs_epi32(c, d), zero);
    if (kSigned) {
      return _mm256_permutevar8x32_epi32(_mm256_packs_epi16(ab, cd), order);
    }
    return _mm256_permutevar8x32_epi32(_mm256_packus_epi16(ab, cd), order);
  }
};

// Eight ones, then eight zeros: loaded at 8 - n they mask n floats.
alignas(64) const int32_t kMask[16] = {-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0};
inline __m256i First(int64_t n) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(kMask + 8 - (n < 8 ? n : 8)));
}

template <typename F>
inline void ForFloats(const FloatOperands& in, float* out, int64_t n, const F& f) {
  const __m256 low = _mm256_set1_ps(in.low), high = _mm256_set1_ps(in.high);
  const __m256 a0 = _mm256_set1_ps(*in.a), b0 = _mm256_set1_ps(*in.b);
  // max and min return their second operand if one is NaN.
  const auto clamped = [&](__m256 a, __m256 b) {
    return _mm256_min_ps(high, _mm256_max_ps(low, f(a, b)));
  };
  int64_t i = 0;
  for (; i + 8 <= n; i += 8) {
    const __m256 a = in.a_moves ? _mm256_loadu_ps(in.a + i) : a0;
    const __m256 b = in.b_moves ? _mm256_loadu_ps(in.b + i) : b0;
    _mm256_storeu_ps(out + i, clamped(a, b));
  }
  if (i == n) return;
  const __m256i mask = First(n - i);
  const __m256 a = in.a_moves ? _mm256_maskload_ps(in.a + i, mask) : a0;
  const __m256 b = in.b_moves ? _mm256_maskload_ps(in.b + i, mask) : b0;
  _mm256_maskstore_ps(out + i, mask, clamped(a, b));
}
void FloatSum(const FloatOperands& in, float* out, int64_t n) {
  ForFloats(in, out, n, [](__m256 a, __m256 b) { return _mm256_add_ps(a, b); });
}
void FloatDifference(const FloatOperands& in, float* out, int64_t n) {
  ForFloats(in, out, n, [](__m256 a, __m256 b) { return _mm256_sub_ps(a, b); });
}
void FloatProduct(const FloatOperands& in, float* out, int64_t n) {
  ForFloats(in, out, n, [](__m256 a, __m256 b) { return _mm256_mul_ps(a, b); });
}
void FloatQuotient(const FloatOperands& in, float* out, int64_t n) {
  ForFloats(in, out, n, [](__m256 a, __m256 b) { return _mm256_div_ps(a, b); });
}
void FloatPrelu(const FloatOperands& in, float* out, int64_t n) {
  ForFloats(in, out, n, [](__m256 a, __m256 b) {
    const __m256 keep = _mm256_cmp_ps(a, _mm256_setzero_ps(), _CMP_GE_OQ);
    return _mm256_blendv_ps(_mm256_mul_ps(a, b), a, keep);
  });
}

// e^x for x in [-104, 88] or NaN, in binary64 (exp.h says how).
inline __m128 Exp(__m128 x) {
  const __m256d shift = _mm256_set1_pd(ExpF32::kShift), wide = _mm256_cvtps_pd(x);
  const __m256d scale = _mm256_set1_pd(ExpF32::kScale);
  const __m256d shifted = _mm256_fmadd_pd(wide, scale, shift);
  const __m256d r = _mm256_fmsub_pd(wide, scale, _mm256_sub_pd(shifted, shift));
  const __m256i k = _mm256_castpd_si256(shifted);
  const __m256i at = _mm256_and_si256(k, _mm256_set1_epi64x((1 << ExpF32::kBits) - 1));
  const __m256d part = _mm256_i64gather_pd(kExpF32.powers, at, 8);
  // The bits of k above those of `at` come to lie in the exponent.
  const __m256i exponent = _mm256_slli_epi64(_mm256_sub_epi64(k, at), 52 - ExpF32::kBits);
  const __m256d power = _mm256_castsi256_pd(_mm256_add_epi64(_mm256_castpd_si256(part), exponent));
  const __m256d upper =
      _mm256_fmadd_pd(_mm256_set1_pd(ExpF32::kCubic), r, _mm256_set1_pd(ExpF32::kSquare));
  const __m256d lower = _mm256_fmadd_pd(_mm256_set1_pd(ExpF32::kLinear), r, _mm256_set1_pd(1));
  const __m256d sum = _mm256_fmadd_pd(upper, _mm256_mul_pd(r, r), lower);
  return _mm256_cvtpd_ps(_mm256_mul_pd(sum, power));
}
void FloatLogistic(const float* in, float* out, int64_t n) {
  const __m256 one = _mm256_set1_ps(1), zero = _mm256_setzero_ps();
  for (int64_t i = 0; i < n; i += 8) {
    const __m256i mask = First(n - i);
    const __m256 x = _mm256_maskload_ps(in + i, mask);
    const __m256 far = _mm256_cmp_ps(x, _mm256_set1_ps(-9), _CMP_LT_OQ);
    const __m256 top = _mm256_cmp_ps(x, _mm256_set1_ps(16.619047164916992188f), _CMP_GT_OQ);
    // e^x where x is far below zero, else e^-x; max lets a NaN in the second operand pass.
    __m256 power = _mm256_blendv_ps(_mm256_sub_ps(zero, x), x, far);
    power = _mm256_max_ps(_mm256_set1_ps(-104), power);
    const __m128 first = Exp(_mm256_castps256_ps128(power));
    const __m128 second = Exp(_mm256_extractf128_ps(power, 1));
    const __m256 e = _mm256_insertf128_ps(_mm256_castps128_ps256(first), second, 1);
    __m256 y = _mm256_div_ps(one, _mm256_add_ps(one, e));
    y = _mm256_blendv_ps(_mm256_blendv_ps(y, e, far), one, top);
    _mm256_maskstore_ps(out + i, mask, y);
  }
}

// v / scale rounded half away from zero, NaN as 0, within +-131072.
inline __m256i Divide(__m256 v, __m256 scale) {
  const __m256 raw = _mm256_div_ps(v, scale);
  const __m256 number = _mm256_and_ps(raw, _mm256_cmp_ps(raw, raw, _CMP_ORD_Q));
  const __m256 limit = _mm256_set1_ps(131072.0f), minus_limit = _mm256_set1_ps(-131072.0f);
  const __m256 q = _mm256_min_ps(limit, _mm256_max_ps(minus_limit, number));
  const __m256i whole = _mm256_cvttps_epi32(q);
  const __m256 fraction = _mm256_sub_ps(q, _mm256_cvtepi32_ps(whole));
  // Comparisons give -1 where they hold.
  const __m256 up = _mm256_cmp_ps(fraction, _mm256_set1_ps(0.5f), _CMP_GE_OQ);
  const __m256 down = _mm256_cmp_ps(fraction, _mm256_set1_ps(-0.5f), _CMP_LE_OQ);
  return _mm256_add_epi32(_mm256_sub_epi32(whole, _mm256_castps_si256(up)),
                          _mm256_castps_si256(down));
}

template <bool kSigned>
void QuantizeFloats(float scale, int32_t zero, const float* in, uint8_t* out, int64_t n) {
  const Packer<kSigned> pack(zero);
  const __m256 divisor = _mm256_set1_ps(scale);
  // Beyond the codes saturation takes over; 16-bit sums must not wrap before.
  alignas(32) float buffer[32];
  alignas(32) uint8_t result[32];
  for (int64_t i = 0; i < n; i += 32) {
    const int64_t left = n - i < 32 ? n - i : 32;
    const float* p = in + i;
    if (left < 32) {
      __builtin_memset(buffer, 0, sizeof(buffer));
      CopyBytes(buffer, p, left * 4);
      p = buffer;
    }
    const __m256i codes =
        pack(Divide(_mm256_loadu_ps(p), divisor), Divide(_mm256_loadu_ps(p + 8), divisor),
             Divide(_mm256_loadu_ps(p + 16), divisor), Divide(_mm256_loadu_ps(p + 24), divisor));
    _mm256_store_si256(reinterpret_cast<__m256i*>(result), codes);
    CopyBytes(out + i, result, left);
  }
}
void Quantize(float scale, int32_t zero, bool is_signed, const float* in, uint8_t* out, int64_t n) {
  is_signed ? QuantizeFloats<true>(scale, zero, in, out, n)
            : QuantizeFloats<false>(scale, zero, in, out, n);
}

template <bool kSigned>
void DequantizeCodes(float scale, int32_t zero, const uint8_t* in, float* out, int64_t n) {
  const __m256 factor = _mm256_set1_ps(scale);
  const __m256i offset = _mm256_set1_epi32(zero);
  alignas(8) uint8_t buffer[8];
  for (int64_t i = 0; i < n; i += 8) {
    const uint8_t* p = in + i;
    if (n - i < 8) {
      __builtin_memset(buffer, 0, sizeof(buffer));
      CopyBytes(buffer, p, n - i);
      p = buffer;
    }
    const __m256i code = _mm256_sub_epi32(Widen<kSigned>(p), offset);
    _mm256_maskstore_ps(out + i, First(n - i), _mm256_mul_ps(_mm256_cvtepi32_ps(code), factor));
  }
}
void Dequantize(float scale, int32_t zero, bool is_signed, const uint8_t* in, float* out,
                int64_t n) {
  is_signed ? DequantizeCodes<true>(scale, zero, in, out, n)
            : DequantizeCodes<false>(scale, zero, in, out, n);
}

const ElementwiseF32Row kRows[] = {
    {"elementwise_f32_avx2", kCpuAvx2, FloatSum, FloatDifference, FloatProduct, FloatQuotient,
     FloatPrelu, FloatLogistic, Quantize, Dequantize},
};

}  // namespace

ElementwiseF32RowList ElementwiseF32Avx2() { return {kRows, 1}; }

}  // namespace dlpu
#else
namespace dlpu {
ElementwiseF32RowList ElementwiseF32Avx2() { return {nullptr, 0}; }
}  // namespace dlpu
#endif
