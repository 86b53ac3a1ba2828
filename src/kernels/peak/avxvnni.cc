// SPDX-License-Identifier: Apache-2.0
// The peak of 12 independent 256-bit accumulators.
#include "kernels/peak/peak.h"

#if defined(__AVXVNNI__)

namespace dlpu {
namespace {

// 32 products an instruction.
void Int8(int64_t count) {
  asm volatile(
      "vzeroall\n"
      "1:\n"
      "%{vex%} vpdpbusd %%ymm15, %%ymm14, %%ymm0\n"
      "%{vex%} vpdpbusd %%ymm15, %%ymm14, %%ymm1\n"
      "%{vex%} vpdpbusd %%ymm15, %%ymm14, %%ymm2\n"
      "%{vex%} vpdpbusd %%ymm15, %%ymm14, %%ymm3\n"
      "%{vex%} vpdpbusd %%ymm15, %%ymm14, %%ymm4\n"
      "%{vex%} vpdpbusd %%ymm15, %%ymm14, %%ymm5\n"
      "%{vex%} vpdpbusd %%ymm15, %%ymm14, %%ymm6\n"
      "%{vex%} vpdpbusd %%ymm15, %%ymm14, %%ymm7\n"
      "%{vex%} vpdpbusd %%ymm15, %%ymm14, %%ymm8\n"
      "%{vex%} vpdpbusd %%ymm15, %%ymm14, %%ymm9\n"
      "%{vex%} vpdpbusd %%ymm15, %%ymm14, %%ymm10\n"
      "%{vex%} vpdpbusd %%ymm15, %%ymm14, %%ymm11\n"
      "dec %0\n"
      "jnz 1b\n"
      : "+r"(count)
      :
      : "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",
        "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
}

constexpr PeakRow kRows[] = {{"avxvnni", kCpuAvxVnni, PeakKind::kInt8, 12 * 32, Int8}};

}  // namespace

PeakRowList PeakAvxVnni() { return {kRows, 1}; }

}  // namespace dlpu

#else

namespace dlpu {
PeakRowList PeakAvxVnni() { return {nullptr, 0}; }
}  // namespace dlpu

#endif
