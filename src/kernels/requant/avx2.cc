// SPDX-License-Identifier: Apache-2.0
// Plan-time proof of the float requantization, eight steps at a time.
#include "kernels/requant/certify.h"

#if defined(__AVX2__) && defined(__FMA__)

#include "kernels/requant/avx2.h"

namespace dlpu {
namespace {

// Eight elements at a time, each lane by its own strides of eight. Remainders stay below twice the
// multiplier, which 32 bits hold, and elements fit int32.
void Walk(const StepProgression& p, int32_t count, int32_t most, int32_t* out) {
  alignas(32) uint32_t first[8], missing[8];
  int64_t x = p.x, remainder = p.remainder;
  for (int i = 0; i < 8; ++i) {
    first[i] = static_cast<uint32_t>(x);
    missing[i] = static_cast<uint32_t>(remainder);
    const bool over = remainder + p.step_remainder >= p.multiplier;
    x += p.step + (over ? 1 : 0);
    remainder += p.step_remainder - (over ? p.multiplier : 0);
  }
  const int64_t over = 8 * p.step_remainder / p.multiplier;
  const auto wide = [](int64_t v) { return _mm256_set1_epi32(static_cast<int32_t>(v)); };
  const __m256i add_carry = wide(8 * p.step + over + 1);
  const __m256i add_remainder = wide(8 * p.step_remainder - over * p.multiplier);
  const __m256i multiplier = wide(p.multiplier);
  const __m256i bound = _mm256_set1_epi32(most);
  __m256i at = _mm256_load_si256(reinterpret_cast<const __m256i*>(first));
  __m256i rest = _mm256_load_si256(reinterpret_cast<const __m256i*>(missing));
  for (int32_t i = 0; i < count; i += 8) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + i), _mm256_min_epi32(at, bound));
    const __m256i sum = _mm256_add_epi32(rest, add_remainder);
    // What is below the multiplier wraps to more than itself.
    rest = _mm256_min_epu32(sum, _mm256_sub_epi32(sum, multiplier));
    at = _mm256_add_epi32(_mm256_add_epi32(at, add_carry), _mm256_cmpeq_epi32(rest, sum));
  }
}

// Least and most of value - 1/2 - scale * x over steps [begin, end).
struct Range {
  double least = 1e300, most = -1e300;
};

Range NeedOf(const StepFunction& f, double scale, int32_t begin, int32_t end) {
  Range range;
  const double target = f.first - 0.5;
  if (end - begin < 8) {
    for (int32_t i = begin; i < end; ++i) {
      const double need = target + i - scale * f.steps[i];
      range.least = need < range.least ? need : range.least;
      range.most = need > range.most ? need : range.most;
    }
    return range;
  }
  const __m256d s = _mm256_set1_pd(scale), eight = _mm256_set1_pd(8);
  const __m256d lanes = _mm256_setr_pd(0, 1, 2, 3);
  __m256d least = _mm256_set1_pd(range.least), most = _mm256_set1_pd(range.most);
  const auto add = [&](int32_t i, __m256d low_target, __m256d high_target) {
    const auto* x = reinterpret_cast<const __m128i*>(f.steps + i);
    const __m256d low = _mm256_fnmadd_pd(s, _mm256_cvtepi32_pd(_mm_loadu_si128(x)), low_target);
    const __m256d high =
        _mm256_fnmadd_pd(s, _mm256_cvtepi32_pd(_mm_loadu_si128(x + 1)), high_target);
    least = _mm256_min_pd(least, _mm256_min_pd(low, high));
    most = _mm256_max_pd(most, _mm256_max_pd(low, high));
  };
  __m256d low_target = _mm256_add_pd(lanes, _mm256_set1_pd(target + begin));
  __m256d high_target = _mm256_add_pd(lanes, _mm256_set1_pd(target + begin + 4));
  for (int32_t i = begin; i + 8 <= end; i += 8) {
    add(i, low_target, high_target);
    low_target = _mm256_add_pd(low_target, eight);
    high_target = _mm256_add_pd(high_target, eight);
  }
  // The last eight, some of them a second time.
  add(end - 8, _mm256_add_pd(lanes, _mm256_set1_pd(target + end - 8)),
      _mm256_add_pd(lanes, _mm256_set1_pd(target + end - 4)));
  alignas(32) double l[4], m[4];
  _mm256_store_pd(l, least);
  _mm256_store_pd(m, most);
  for (int i = 0; i < 4; ++i) {
    range.least = l[i] < range.least ? l[i] : range.least;
    range.most = m[i] > range.most ? m[i] : range.most;
  }
  return range;
}

// Offset d must satisfy sign(x) * d >= value - 1/2 - scale * x at a step's first x, and stay below
// it at the x before, where it is larger by the scale.
void Bounds(const StepFunction& f, float scale, double* low, double* high) {
  int32_t split = 0;  // steps at negative x, where "d at least" becomes "-d at most"
  if (f.with_sign) {
    int32_t end = f.count;
    while (split < end) {
      const int32_t middle = (split + end) / 2;
      if (f.steps[middle] < 0) {
        split = middle + 1;
      } else {
        end = middle;
      }
    }
  }
  const Range below = NeedOf(f, scale, 0, split), above = NeedOf(f, scale, split, f.count);
  const double least = double{scale} + below.least, most = double{scale} + above.least;
  *low = -least > above.most ? -least : above.most;
  *high = -below.most < most ? -below.most : most;
}

// All ones in lanes where the formula is wrong at a step's first x or at the x before.
struct Formula {
  __m256 scale, offset, sign;

  __m256i Code(__m256i x) const {
    const __m256 v = _mm256_cvtepi32_ps(x);
    return _mm256_cvtps_epi32(
        _mm256_fmadd_ps(v, scale, _mm256_or_ps(offset, _mm256_and_ps(v, sign))));
  }
  __m256i Wrong(const StepFunction& f, int32_t i) const {
    const __m256i value =
        _mm256_add_epi32(_mm256_set1_epi32(f.first + i), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
    const __m256i x = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(f.steps + i));
    const __m256i now = Code(x), then = Code(_mm256_add_epi32(x, _mm256_set1_epi32(-1)));
    // value > now, or not value > then
    return _mm256_or_si256(
        _mm256_cmpgt_epi32(value, now),
        _mm256_xor_si256(_mm256_cmpgt_epi32(value, then), _mm256_set1_epi32(-1)));
  }
};

bool Holds(const StepFunction& f, float scale, float offset) {
  const Formula formula{_mm256_set1_ps(scale), _mm256_set1_ps(offset),
                        _mm256_set1_ps(f.with_sign ? -0.0f : 0.0f)};
  __m256i bad = _mm256_setzero_si256();
  int32_t i = 0;
  for (; i + 8 <= f.count; i += 8) bad = _mm256_or_si256(bad, formula.Wrong(f, i));
  const __m256i live =
      _mm256_cmpgt_epi32(_mm256_set1_epi32(f.count - i), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  if (i < f.count) bad = _mm256_or_si256(bad, _mm256_and_si256(live, formula.Wrong(f, i)));
  return _mm256_testz_si256(bad, bad) != 0;
}

void Codes(const RequantBlock<8>& block, const RequantStore& store, const int32_t* sums, int32_t n,
           uint8_t* codes) {
  const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
  for (int32_t i = 0; i < n; i += 32) {
    __m256i v[4];
    for (int j = 0; j < 4; ++j) v[j] = Avx2::Raw(Avx2::Load(sums + i + 8 * j), block, store);
    Avx2::Store(codes + i,
                _mm256_permutevar8x32_epi32(Avx2::PackCodes(v[0], v[1], v[2], v[3], store), order));
  }
}

constexpr RequantProof kProof{Walk, Bounds, Holds, Codes};

}  // namespace

const RequantProof* RequantProofAvx2() { return &kProof; }

}  // namespace dlpu

#else

namespace dlpu {
const RequantProof* RequantProofAvx2() { return nullptr; }
}  // namespace dlpu

#endif
