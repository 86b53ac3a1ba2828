// SPDX-License-Identifier: Apache-2.0
// Plan-time proof of the float requantization, eight steps at a time.
#include "kernels/requant/certify.h"

#if defined(__AVX2__) && defined(__FMA__)

#include <immintrin.h>

namespace dlpu {
namespace {

// Eight elements at a time in two vectors of 64-bit lanes, each by its own strides of eight.
void Walk(const StepProgression& p, int32_t count, int32_t most, int32_t* out) {
  alignas(32) int64_t first[8], missing[8];
  int64_t x = p.x, remainder = p.remainder;
  for (int i = 0; i < 8; ++i) {
    first[i] = x;
    missing[i] = remainder;
    x += p.step;
    remainder += p.step_remainder;
    if (remainder >= p.multiplier) {
      remainder -= p.multiplier;
      ++x;
    }
  }
  const int64_t over = 8 * p.step_remainder / p.multiplier;
  const __m256i add = _mm256_set1_epi64x(8 * p.step + over);
  const __m256i add_remainder = _mm256_set1_epi64x(8 * p.step_remainder - over * p.multiplier);
  const __m256i multiplier = _mm256_set1_epi64x(p.multiplier);
  const __m256i last = _mm256_set1_epi64x(p.multiplier - 1);
  const __m256i bound = _mm256_set1_epi32(most);
  // The low halves of both vectors' lanes; their order is put right by a permutation.
  __m256i at[2], rest[2];
  for (int i = 0; i < 2; ++i) {
    at[i] = _mm256_load_si256(reinterpret_cast<const __m256i*>(first + 4 * i));
    rest[i] = _mm256_load_si256(reinterpret_cast<const __m256i*>(missing + 4 * i));
  }
  for (int32_t i = 0; i < count; i += 8) {
    const __m256i low = _mm256_castps_si256(
        _mm256_shuffle_ps(_mm256_castsi256_ps(at[0]), _mm256_castsi256_ps(at[1]), 0x88));
    const __m256i values = _mm256_min_epi32(_mm256_permute4x64_epi64(low, 0xD8), bound);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + i), values);
    for (int j = 0; j < 2; ++j) {
      rest[j] = _mm256_add_epi64(rest[j], add_remainder);
      const __m256i carry = _mm256_cmpgt_epi64(rest[j], last);
      rest[j] = _mm256_sub_epi64(rest[j], _mm256_and_si256(carry, multiplier));
      at[j] = _mm256_sub_epi64(_mm256_add_epi64(at[j], add), carry);
    }
  }
}

// Offset d must satisfy sign(x) * d >= value - 1/2 - scale * x at a step's first x, and stay below
// it at the x before.
void Bounds(const StepFunction& f, float scale, double* low, double* high) {
  const __m256d s = _mm256_set1_pd(scale);
  const __m256d sign_bit = _mm256_set1_pd(-0.0);
  const __m256d ones = _mm256_castsi256_pd(_mm256_set1_epi64x(f.with_sign ? -1 : 0));
  const __m256d infinity = _mm256_set1_pd(1e300);
  __m256d lower = _mm256_xor_pd(infinity, sign_bit);
  __m256d upper = infinity;
  __m256d target = _mm256_add_pd(_mm256_set1_pd(f.first - 0.5), _mm256_setr_pd(0, 1, 2, 3));
  const __m256d four = _mm256_set1_pd(4.0);
  for (int32_t i = 0; i < f.count; i += 4) {
    // Lanes past the end repeat the last step.
    const __m128i left = _mm_sub_epi32(_mm_set1_epi32(f.count - i), _mm_setr_epi32(0, 1, 2, 3));
    const __m256d live =
        _mm256_castsi256_pd(_mm256_cvtepi32_epi64(_mm_cmpgt_epi32(left, _mm_setzero_si128())));
    const __m256d x =
        _mm256_cvtepi32_pd(_mm_loadu_si128(reinterpret_cast<const __m128i*>(f.steps + i)));
    for (int before = 0; before < 2; ++before) {
      const __m256d at = before == 0 ? x : _mm256_sub_pd(x, _mm256_set1_pd(1.0));
      const __m256d need = _mm256_sub_pd(target, _mm256_mul_pd(s, at));
      const __m256d negative =
          _mm256_and_pd(ones, _mm256_cmp_pd(at, _mm256_setzero_pd(), _CMP_LT_OQ));
      // A negative x turns "d at least" into "-d at most".
      const __m256d value = _mm256_xor_pd(need, _mm256_and_pd(negative, sign_bit));
      const __m256d is_upper =
          before == 0 ? negative
                      : _mm256_xor_pd(negative, _mm256_castsi256_pd(_mm256_set1_epi64x(-1)));
      const __m256d for_upper = _mm256_and_pd(live, is_upper);
      const __m256d for_lower = _mm256_andnot_pd(is_upper, live);
      upper = _mm256_min_pd(upper, _mm256_blendv_pd(infinity, value, for_upper));
      lower = _mm256_max_pd(lower,
                            _mm256_blendv_pd(_mm256_xor_pd(infinity, sign_bit), value, for_lower));
    }
    target = _mm256_add_pd(target, four);
  }
  alignas(32) double l[4], u[4];
  _mm256_store_pd(l, lower);
  _mm256_store_pd(u, upper);
  *low = l[0];
  *high = u[0];
  for (int i = 1; i < 4; ++i) {
    if (l[i] > *low) *low = l[i];
    if (u[i] < *high) *high = u[i];
  }
}

bool Holds(const StepFunction& f, float scale, float offset) {
  const __m256 s = _mm256_set1_ps(scale);
  const __m256 d = _mm256_set1_ps(offset);
  const __m256 sign = _mm256_set1_ps(f.with_sign ? -0.0f : 0.0f);
  const __m256i one = _mm256_set1_epi32(1);
  __m256i value =
      _mm256_add_epi32(_mm256_set1_epi32(f.first), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  __m256i bad = _mm256_setzero_si256();
  for (int32_t i = 0; i < f.count; i += 8) {
    const __m256i left =
        _mm256_sub_epi32(_mm256_set1_epi32(f.count - i), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
    const __m256i live = _mm256_cmpgt_epi32(left, _mm256_setzero_si256());
    const __m256i x = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(f.steps + i));
    const __m256 at = _mm256_cvtepi32_ps(x);
    const __m256 before = _mm256_cvtepi32_ps(_mm256_sub_epi32(x, one));
    const __m256i now =
        _mm256_cvtps_epi32(_mm256_fmadd_ps(at, s, _mm256_or_ps(d, _mm256_and_ps(at, sign))));
    const __m256i then = _mm256_cvtps_epi32(
        _mm256_fmadd_ps(before, s, _mm256_or_ps(d, _mm256_and_ps(before, sign))));
    const __m256i too_low = _mm256_cmpgt_epi32(value, now);
    const __m256i too_high =
        _mm256_xor_si256(_mm256_cmpgt_epi32(value, then), _mm256_set1_epi32(-1));
    bad = _mm256_or_si256(bad, _mm256_and_si256(live, _mm256_or_si256(too_low, too_high)));
    value = _mm256_add_epi32(value, _mm256_set1_epi32(8));
  }
  return _mm256_testz_si256(bad, bad) != 0;
}

constexpr RequantProof kProof{Walk, Bounds, Holds};

}  // namespace

const RequantProof* RequantProofAvx2() { return &kProof; }

}  // namespace dlpu

#else

namespace dlpu {
const RequantProof* RequantProofAvx2() { return nullptr; }
}  // namespace dlpu

#endif
