// SPDX-License-Identifier: Apache-2.0
// Functions of two codes for AVX2, 32 codes at a time.
#include "kernels/elementwise/byte_pair_row.h"

#if defined(__AVX2__) && defined(__FMA__)

#include "kernels/elementwise/byte_pair_body.h"
#include "kernels/requant/avx2.h"

namespace dlpu {
namespace {

struct Pairs256 : Avx2 {
  using Real = __m256;

  static DLPU_INLINE Real Fixed(float v) { return _mm256_set1_ps(v); }
  template <bool is_signed>
  static DLPU_INLINE Real Codes(const uint8_t* p) {
    const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p));
    return _mm256_cvtepi32_ps(is_signed ? _mm256_cvtepi8_epi32(bytes)
                                        : _mm256_cvtepu8_epi32(bytes));
  }
  static DLPU_INLINE Int Sum(Real x, Real y, const BytePairArgs& a) {
    const Real part = _mm256_fmadd_ps(y, Fixed(a.scale_y), Fixed(a.offset));
    return _mm256_cvtps_epi32(_mm256_fmadd_ps(x, Fixed(a.scale_x), part));
  }
  static DLPU_INLINE Int Product(Real x, Real y, const BytePairArgs& a) {
    const Real p =
        _mm256_mul_ps(_mm256_sub_ps(x, Fixed(a.zero_x)), _mm256_sub_ps(y, Fixed(a.zero_y)));
    const Real offset = _mm256_or_ps(_mm256_and_ps(p, Fixed(-0.0f)), Fixed(a.offset));
    return _mm256_cvtps_epi32(_mm256_fmadd_ps(p, Fixed(a.scale_x), offset));
  }
  static DLPU_INLINE Int Prelu(Real x, Real y, const BytePairArgs& a) {
    const Real v = _mm256_sub_ps(x, Fixed(a.zero_x));
    const Real p = _mm256_mul_ps(v, _mm256_sub_ps(y, Fixed(a.zero_y)));
    const Real offset = _mm256_or_ps(_mm256_and_ps(p, Fixed(-0.0f)), Fixed(a.offset_y));
    const Real above = _mm256_fmadd_ps(v, Fixed(a.scale_x), Fixed(a.offset));
    // v is never -0: its sign bit chooses.
    return _mm256_cvtps_epi32(
        _mm256_blendv_ps(above, _mm256_fmadd_ps(p, Fixed(a.scale_y), offset), v));
  }
  static DLPU_INLINE Int Order(Int codes) {
    return _mm256_permutevar8x32_epi32(codes, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
  }
};

}  // namespace

BytePairRun BytePairRunAvx2() { return RunBytePairs<Pairs256>; }

}  // namespace dlpu

#else

namespace dlpu {
BytePairRun BytePairRunAvx2() { return nullptr; }
}  // namespace dlpu

#endif
