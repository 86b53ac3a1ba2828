// SPDX-License-Identifier: Apache-2.0
// Byte tables with AVX2: sixteen 16-entry look-ups for 32 codes at a time. Subtracting 16 from the
// code for each part of the table and saturating keeps exactly the codes of that part in range.
#include "kernels/lut/byte_table_rows.h"

#if defined(__AVX2__)

#include <immintrin.h>

#include "kernels/unroll.h"

namespace dlpu {
namespace {

void Run(const uint8_t* table, const uint8_t* in, uint8_t* out, int64_t n) {
  const __m256i sixteen = _mm256_set1_epi8(16);
  const __m256i top = _mm256_set1_epi8(0x70);
  int64_t i = 0;
  for (; i + 32 <= n; i += 32) {
    __m256i code = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(in + i));
    __m256i found = _mm256_setzero_si256();
    DLPU_UNROLL
    for (int part = 0; part < 16; ++part) {
      const __m256i entries = _mm256_broadcastsi128_si256(
          _mm_loadu_si128(reinterpret_cast<const __m128i*>(table + 16 * part)));
      // An index of 16 and more gets its top bit set, for which the shuffle gives 0.
      found = _mm256_or_si256(found, _mm256_shuffle_epi8(entries, _mm256_adds_epu8(code, top)));
      code = _mm256_sub_epi8(code, sixteen);
    }
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + i), found);
  }
  for (; i < n; ++i) out[i] = table[in[i]];
}

}  // namespace

ByteTableRun ByteTableRunAvx2() { return Run; }

}  // namespace dlpu

#else

namespace dlpu {
ByteTableRun ByteTableRunAvx2() { return nullptr; }
}  // namespace dlpu

#endif
