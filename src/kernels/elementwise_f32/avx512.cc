// SPDX-License-Identifier: Apache-2.0
// Elementwise ops on float32 with AVX-512: 16 elements a step, masked tails.
#include "kernels/elementwise_f32/exp.h"
#include "kernels/elementwise_f32/rows.h"

#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512VL__) && defined(__AVX512DQ__)
#include <immintrin.h>

namespace dlpu {
namespace {

// 16 codes as int32.
template <bool kSigned>
inline __m512i Widen(__m128i codes) {
  return kSigned ? _mm512_cvtepi8_epi32(codes) : _mm512_cvtepu8_epi32(codes);
}

// A mask of the first n lanes.
inline __mmask16 First(int64_t n) {
  return n >= 16 ? __mmask16{0xffff} : static_cast<__mmask16>((1u << (n < 0 ? 0 : n)) - 1);
}

template <typename F>
inline void ForFloats(const FloatOperands& in, float* out, int64_t n, const F& f) {
  const __m512 low = _mm512_set1_ps(in.low), high = _mm512_set1_ps(in.high);
  const __m512 a0 = _mm512_set1_ps(*in.a), b0 = _mm512_set1_ps(*in.b);
  // max and min return their second operand if one is NaN.
  const auto clamped = [&](__m512 a, __m512 b) {
    return _mm512_min_ps(high, _mm512_max_ps(low, f(a, b)));
  };
  int64_t i = 0;
  for (; i + 16 <= n; i += 16) {
    const __m512 a = in.a_moves ? _mm512_loadu_ps(in.a + i) : a0;
    const __m512 b = in.b_moves ? _mm512_loadu_ps(in.b + i) : b0;
    _mm512_storeu_ps(out + i, clamped(a, b));
  }
  if (i == n) return;
  const __mmask16 mask = First(n - i);
  const __m512 a = in.a_moves ? _mm512_maskz_loadu_ps(mask, in.a + i) : a0;
  const __m512 b = in.b_moves ? _mm512_maskz_loadu_ps(mask, in.b + i) : b0;
  _mm512_mask_storeu_ps(out + i, mask, clamped(a, b));
}
void FloatSum(const FloatOperands& in, float* out, int64_t n) {
  ForFloats(in, out, n, [](__m512 a, __m512 b) { return _mm512_add_ps(a, b); });
}
void FloatDifference(const FloatOperands& in, float* out, int64_t n) {
  ForFloats(in, out, n, [](__m512 a, __m512 b) { return _mm512_sub_ps(a, b); });
}
void FloatProduct(const FloatOperands& in, float* out, int64_t n) {
  ForFloats(in, out, n, [](__m512 a, __m512 b) { return _mm512_mul_ps(a, b); });
}
void FloatQuotient(const FloatOperands& in, float* out, int64_t n) {
  ForFloats(in, out, n, [](__m512 a, __m512 b) { return _mm512_div_ps(a, b); });
}
void FloatPrelu(const FloatOperands& in, float* out, int64_t n) {
  ForFloats(in, out, n, [](__m512 a, __m512 b) {
    const __mmask16 other = _mm512_cmp_ps_mask(a, _mm512_setzero_ps(), _CMP_NGE_UQ);
    return _mm512_mask_mul_ps(a, other, a, b);
  });
}

// e^x for x in [-104, 88] or NaN, in binary64 (exp.h says how).
inline __m256 Exp(__m256 x) {
  const __m512d shift = _mm512_set1_pd(ExpF32::kShift), wide = _mm512_cvtps_pd(x);
  const __m512d scale = _mm512_set1_pd(ExpF32::kScale);
  const __m512d shifted = _mm512_fmadd_pd(wide, scale, shift);
  const __m512d r = _mm512_fmsub_pd(wide, scale, _mm512_sub_pd(shifted, shift));
  const __m512i k = _mm512_castpd_si512(shifted);
  const double* table = kExpF32.powers;
  const __m512d low = _mm512_permutex2var_pd(_mm512_load_pd(table), k, _mm512_load_pd(table + 8));
  const __m512d high =
      _mm512_permutex2var_pd(_mm512_load_pd(table + 16), k, _mm512_load_pd(table + 24));
  const __m512d part =
      _mm512_mask_blend_pd(_mm512_test_epi64_mask(k, _mm512_set1_epi64(16)), low, high);
  const __m512i exponent = _mm512_slli_epi64(_mm512_srai_epi64(k, ExpF32::kBits), 52);
  const __m512d power = _mm512_castsi512_pd(_mm512_add_epi64(_mm512_castpd_si512(part), exponent));
  const __m512d upper =
      _mm512_fmadd_pd(_mm512_set1_pd(ExpF32::kCubic), r, _mm512_set1_pd(ExpF32::kSquare));
  const __m512d lower = _mm512_fmadd_pd(_mm512_set1_pd(ExpF32::kLinear), r, _mm512_set1_pd(1));
  const __m512d sum = _mm512_fmadd_pd(upper, _mm512_mul_pd(r, r), lower);
  return _mm512_cvtpd_ps(_mm512_mul_pd(sum, power));
}
void FloatLogistic(const float* in, float* out, int64_t n) {
  const __m512 one = _mm512_set1_ps(1), zero = _mm512_setzero_ps();
  for (int64_t i = 0; i < n; i += 16) {
    const __mmask16 mask = First(n - i);
    const __m512 x = _mm512_maskz_loadu_ps(mask, in + i);
    const __mmask16 far = _mm512_cmp_ps_mask(x, _mm512_set1_ps(-9), _CMP_LT_OQ);
    const __mmask16 top = _mm512_cmp_ps_mask(x, _mm512_set1_ps(16.619047164916992188f), _CMP_GT_OQ);
    // e^x where x is far below zero, else e^-x; max and min let a NaN in the second operand pass.
    __m512 power = _mm512_mask_blend_ps(far, _mm512_sub_ps(zero, x), x);
    power = _mm512_max_ps(_mm512_set1_ps(-104), power);
    const __m256 first = Exp(_mm512_castps512_ps256(power));
    const __m256 second = Exp(_mm512_extractf32x8_ps(power, 1));
    const __m512 e = _mm512_insertf32x8(_mm512_castps256_ps512(first), second, 1);
    __m512 y = _mm512_div_ps(one, _mm512_add_ps(one, e));
    y = _mm512_mask_blend_ps(top, _mm512_mask_blend_ps(far, y, e), one);
    _mm512_mask_storeu_ps(out + i, mask, y);
  }
}

// v / scale rounded half away from zero, NaN as 0, within +-131072.
inline __m512i Divide(__m512 v, __m512 scale) {
  const __m512 raw = _mm512_div_ps(v, scale);
  const __mmask16 number = _mm512_cmp_ps_mask(raw, raw, _CMP_ORD_Q);
  const __m512 limit = _mm512_set1_ps(131072.0f), minus_limit = _mm512_set1_ps(-131072.0f);
  const __m512 q =
      _mm512_min_ps(limit, _mm512_max_ps(minus_limit, _mm512_maskz_mov_ps(number, raw)));
  const __m512i whole = _mm512_cvttps_epi32(q);
  const __m512 fraction = _mm512_sub_ps(q, _mm512_cvtepi32_ps(whole));
  const __m512i one = _mm512_set1_epi32(1);
  const __mmask16 up = _mm512_cmp_ps_mask(fraction, _mm512_set1_ps(0.5f), _CMP_GE_OQ);
  const __mmask16 down = _mm512_cmp_ps_mask(fraction, _mm512_set1_ps(-0.5f), _CMP_LE_OQ);
  return _mm512_mask_sub_epi32(_mm512_mask_add_epi32(whole, up, whole, one), down, whole, one);
}

void Quantize(float scale, int32_t zero, bool is_signed, const float* in, uint8_t* out, int64_t n) {
  const __m512 divisor = _mm512_set1_ps(scale);
  const __m512i offset = _mm512_set1_epi32(zero);
  const __m512i low = _mm512_set1_epi32(is_signed ? -128 : 0);
  const __m512i high = _mm512_set1_epi32(is_signed ? 127 : 255);
  for (int64_t i = 0; i < n; i += 16) {
    const __mmask16 mask = First(n - i);
    const __m512i q = Divide(_mm512_maskz_loadu_ps(mask, in + i), divisor);
    const __m512i code = _mm512_min_epi32(_mm512_max_epi32(_mm512_add_epi32(q, offset), low), high);
    _mm_mask_storeu_epi8(out + i, mask, _mm512_cvtepi32_epi8(code));
  }
}

template <bool kSigned>
void DequantizeCodes(float scale, int32_t zero, const uint8_t* in, float* out, int64_t n) {
  const __m512 factor = _mm512_set1_ps(scale);
  const __m512i offset = _mm512_set1_epi32(zero);
  for (int64_t i = 0; i < n; i += 16) {
    const __mmask16 mask = First(n - i);
    const __m512i code = Widen<kSigned>(_mm_maskz_loadu_epi8(mask, in + i));
    const __m512 real = _mm512_mul_ps(_mm512_cvtepi32_ps(_mm512_sub_epi32(code, offset)), factor);
    _mm512_mask_storeu_ps(out + i, mask, real);
  }
}
void Dequantize(float scale, int32_t zero, bool is_signed, const uint8_t* in, float* out,
                int64_t n) {
  is_signed ? DequantizeCodes<true>(scale, zero, in, out, n)
            : DequantizeCodes<false>(scale, zero, in, out, n);
}

const ElementwiseF32Row kRows[] = {
    {"elementwise_f32_avx512", kCpuAvx512, FloatSum, FloatDifference, FloatProduct, FloatQuotient,
     FloatPrelu, FloatLogistic, Quantize, Dequantize},
};

}  // namespace

ElementwiseF32RowList ElementwiseF32Avx512() { return {kRows, 1}; }

}  // namespace dlpu
#else
namespace dlpu {
ElementwiseF32RowList ElementwiseF32Avx512() { return {nullptr, 0}; }
}  // namespace dlpu
#endif
