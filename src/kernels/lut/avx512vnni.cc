// SPDX-License-Identifier: Apache-2.0
// Byte tables with AVX-512 VBMI: the 256 codes lie in four registers, 64 look-ups at a time.
#include "kernels/lut/byte_table_rows.h"

#if defined(__AVX512VBMI__)

#include <immintrin.h>

namespace dlpu {
namespace {

void Run(const uint8_t* table, const uint8_t* in, uint8_t* out, int64_t n) {
  const __m512i t0 = _mm512_loadu_si512(table), t1 = _mm512_loadu_si512(table + 64);
  const __m512i t2 = _mm512_loadu_si512(table + 128), t3 = _mm512_loadu_si512(table + 192);
  for (int64_t i = 0; i < n; i += 64) {
    const __mmask64 live = n - i >= 64 ? ~__mmask64{0} : (__mmask64{1} << (n - i)) - 1;
    const __m512i code = _mm512_maskz_loadu_epi8(live, in + i);
    const __m512i low = _mm512_permutex2var_epi8(t0, code, t1);
    const __m512i high = _mm512_permutex2var_epi8(t2, code, t3);
    _mm512_mask_storeu_epi8(out + i, live,
                            _mm512_mask_blend_epi8(_mm512_movepi8_mask(code), low, high));
  }
}

}  // namespace

ByteTableRun ByteTableRunAvx512Vnni() { return Run; }

}  // namespace dlpu

#else

namespace dlpu {
ByteTableRun ByteTableRunAvx512Vnni() { return nullptr; }
}  // namespace dlpu

#endif
