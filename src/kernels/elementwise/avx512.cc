// SPDX-License-Identifier: Apache-2.0
// Functions of two codes for AVX-512, 64 codes at a time.
#include "kernels/elementwise/byte_pair_row.h"

#if defined(__AVX512BW__)

#include "kernels/elementwise/byte_pair_body.h"
#include "kernels/requant/avx512.h"

namespace dlpu {
namespace {

struct Pairs512 : Avx512 {
  using Real = __m512;

  static DLPU_INLINE Real Fixed(float v) { return _mm512_set1_ps(v); }
  template <bool is_signed>
  static DLPU_INLINE Real Codes(const uint8_t* p) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    return _mm512_cvtepi32_ps(is_signed ? _mm512_cvtepi8_epi32(bytes)
                                        : _mm512_cvtepu8_epi32(bytes));
  }
  static DLPU_INLINE Int Sum(Real x, Real y, const BytePairArgs& a) {
    const Real part = _mm512_fmadd_ps(y, Fixed(a.scale_y), Fixed(a.offset));
    return _mm512_cvtps_epi32(_mm512_fmadd_ps(x, Fixed(a.scale_x), part));
  }
  static DLPU_INLINE Int Product(Real x, Real y, const BytePairArgs& a) {
    const Real p =
        _mm512_mul_ps(_mm512_sub_ps(x, Fixed(a.zero_x)), _mm512_sub_ps(y, Fixed(a.zero_y)));
    const Real offset = _mm512_or_ps(_mm512_and_ps(p, Fixed(-0.0f)), Fixed(a.offset));
    return _mm512_cvtps_epi32(_mm512_fmadd_ps(p, Fixed(a.scale_x), offset));
  }
  static DLPU_INLINE Int Prelu(Real x, Real y, const BytePairArgs& a) {
    const Real v = _mm512_sub_ps(x, Fixed(a.zero_x));
    const __mmask16 below = _mm512_cmp_ps_mask(v, Fixed(0), _CMP_LT_OQ);
    const Real p = _mm512_mul_ps(v, _mm512_sub_ps(y, Fixed(a.zero_y)));
    const Real offset = _mm512_or_ps(_mm512_and_ps(p, Fixed(-0.0f)), Fixed(a.offset_y));
    const Real above = _mm512_fmadd_ps(v, Fixed(a.scale_x), Fixed(a.offset));
    return _mm512_cvtps_epi32(
        _mm512_mask_mov_ps(above, below, _mm512_fmadd_ps(p, Fixed(a.scale_y), offset)));
  }
  static DLPU_INLINE Int Order(Int codes) {
    return _mm512_permutexvar_epi32(
        _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15), codes);
  }
};

}  // namespace

BytePairRun BytePairRunAvx512() { return RunBytePairs<Pairs512>; }

}  // namespace dlpu

#else

namespace dlpu {
BytePairRun BytePairRunAvx512() { return nullptr; }
}  // namespace dlpu

#endif
