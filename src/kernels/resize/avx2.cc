// SPDX-License-Identifier: Apache-2.0
// Bilinear rows with AVX2: 8 channels a step, tails through a buffer.
#include "kernels/resize/row.h"

#if defined(__AVX2__)
#include <immintrin.h>

namespace dlpu {
namespace {

// Lanes before the n-th.
inline __m256i First(int64_t n) {
  const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int32_t>(n < 8 ? n : 8)), lane);
}

template <typename Store>
inline void ForVectors(const BilinearRowArgs& args, float half, const Store& store) {
  const int64_t c = args.channels;
  const __m256 offset = _mm256_set1_ps(half);
  for (int64_t x = 0; x < args.pixels; ++x) {
    const BilinearTap<float> tap = args.taps[x];
    const __m256 second = _mm256_set1_ps(tap.weight), first = _mm256_set1_ps(1 - tap.weight);
    const float *a = args.upper + tap.low * c, *b = args.lower + tap.low * c;
    const float *d = args.upper + tap.high * c, *e = args.lower + tap.high * c;
    for (int64_t i = 0; i < c; i += 8) {
      const __m256i mask = First(c - i);
      const auto product = [&](const float* from, __m256 weight) {
        return _mm256_mul_ps(_mm256_maskload_ps(from + i, mask), weight);
      };
      __m256 sum = _mm256_add_ps(product(a, first), product(b, first));
      sum = _mm256_add_ps(sum, product(d, second));
      sum = _mm256_add_ps(sum, product(e, second));
      store(x * c + i, c - i, _mm256_add_ps(sum, offset));
    }
  }
}

void Codes(const BilinearRowArgs& args, uint8_t* out) {
  ForVectors(args, 0.5f, [&](int64_t at, int64_t left, __m256 v) {
    const __m256i codes = _mm256_cvttps_epi32(v);
    const __m128i pairs =
        _mm_packus_epi32(_mm256_castsi256_si128(codes), _mm256_extracti128_si256(codes, 1));
    const int64_t bytes = _mm_cvtsi128_si64(_mm_packus_epi16(pairs, pairs));
    __builtin_memcpy(out + at, &bytes, left < 8 ? static_cast<size_t>(left) : 8);
  });
}

void Floats(const BilinearRowArgs& args, float* out) {
  ForVectors(args, 0.0f, [&](int64_t at, int64_t left, __m256 v) {
    _mm256_maskstore_ps(out + at, First(left), v);
  });
}

constexpr BilinearRow kRows[] = {{"bilinear_avx2", kCpuAvx2, Codes, Floats}};

}  // namespace

BilinearRowList BilinearAvx2() { return {kRows, 1}; }

}  // namespace dlpu

#else

namespace dlpu {
BilinearRowList BilinearAvx2() { return {nullptr, 0}; }
}  // namespace dlpu

#endif
