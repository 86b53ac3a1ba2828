// SPDX-License-Identifier: Apache-2.0
// Bilinear rows with AVX-512: 16 channels a step, masked tails.
#include "kernels/resize/row.h"

#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512VL__) && defined(__AVX512DQ__)
#include <immintrin.h>

namespace dlpu {
namespace {

template <typename Store>
inline void ForVectors(const BilinearRowArgs& args, float half, const Store& store) {
  const int64_t c = args.channels;
  const __m512 offset = _mm512_set1_ps(half);
  for (int64_t x = 0; x < args.pixels; ++x) {
    const BilinearTap<float> tap = args.taps[x];
    const __m512 second = _mm512_set1_ps(tap.weight), first = _mm512_set1_ps(1 - tap.weight);
    const float *a = args.upper + tap.low * c, *b = args.lower + tap.low * c;
    const float *d = args.upper + tap.high * c, *e = args.lower + tap.high * c;
    for (int64_t i = 0; i < c; i += 16) {
      const __mmask16 mask =
          c - i >= 16 ? __mmask16{0xffff} : static_cast<__mmask16>((1u << (c - i)) - 1);
      const auto product = [&](const float* from, __m512 weight) {
        return _mm512_mul_ps(_mm512_maskz_loadu_ps(mask, from + i), weight);
      };
      __m512 sum = _mm512_add_ps(product(a, first), product(b, first));
      sum = _mm512_add_ps(sum, product(d, second));
      sum = _mm512_add_ps(sum, product(e, second));
      store(x * c + i, mask, _mm512_add_ps(sum, offset));
    }
  }
}

void Codes(const BilinearRowArgs& args, uint8_t* out) {
  ForVectors(args, 0.5f, [&](int64_t at, __mmask16 mask, __m512 v) {
    _mm512_mask_cvtepi32_storeu_epi8(out + at, mask, _mm512_cvttps_epi32(v));
  });
}

void Floats(const BilinearRowArgs& args, float* out) {
  ForVectors(args, 0.0f, [&](int64_t at, __mmask16 mask, __m512 v) {
    _mm512_mask_storeu_ps(out + at, mask, v);
  });
}

constexpr BilinearRow kRows[] = {{"bilinear_avx512", kCpuAvx512, Codes, Floats}};

}  // namespace

BilinearRowList BilinearAvx512() { return {kRows, 1}; }

}  // namespace dlpu

#else

namespace dlpu {
BilinearRowList BilinearAvx512() { return {nullptr, 0}; }
}  // namespace dlpu

#endif
