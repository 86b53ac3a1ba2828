// SPDX-License-Identifier: Apache-2.0
// Byte tables with AArch64 NEON: four look-ups in 64 entries for 16 codes at a time. A look-up
// leaves codes that are not in its part alone.
#include "kernels/lut/byte_table_rows.h"

#if defined(__aarch64__)

#include <arm_neon.h>

namespace dlpu {
namespace {

void Run(const uint8_t* table, const uint8_t* in, uint8_t* out, int64_t n) {
  uint8x16x4_t parts[4];
  for (int i = 0; i < 4; ++i) parts[i] = vld1q_u8_x4(table + 64 * i);
  const uint8x16_t size = vdupq_n_u8(64);
  int64_t i = 0;
  for (; i + 16 <= n; i += 16) {
    uint8x16_t code = vld1q_u8(in + i);
    uint8x16_t found = vqtbl4q_u8(parts[0], code);
    code = vsubq_u8(code, size);
    found = vqtbx4q_u8(found, parts[1], code);
    code = vsubq_u8(code, size);
    found = vqtbx4q_u8(found, parts[2], code);
    code = vsubq_u8(code, size);
    found = vqtbx4q_u8(found, parts[3], code);
    vst1q_u8(out + i, found);
  }
  for (; i < n; ++i) out[i] = table[in[i]];
}

}  // namespace

ByteTableRun ByteTableRunNeon() { return Run; }

}  // namespace dlpu

#else

namespace dlpu {
ByteTableRun ByteTableRunNeon() { return nullptr; }
}  // namespace dlpu

#endif
