// SPDX-License-Identifier: Apache-2.0
// The peak of 12 independent 512-bit accumulators.
#include "kernels/peak/peak.h"

#if defined(__AVX512VNNI__)

namespace dlpu {
namespace {

// 64 products an instruction.
void Int8(int64_t count) {
  asm volatile(
      "vzeroall\n"
      "1:\n"
      "vpdpbusd %%zmm15, %%zmm14, %%zmm0\n"
      "vpdpbusd %%zmm15, %%zmm14, %%zmm1\n"
      "vpdpbusd %%zmm15, %%zmm14, %%zmm2\n"
      "vpdpbusd %%zmm15, %%zmm14, %%zmm3\n"
      "vpdpbusd %%zmm15, %%zmm14, %%zmm4\n"
      "vpdpbusd %%zmm15, %%zmm14, %%zmm5\n"
      "vpdpbusd %%zmm15, %%zmm14, %%zmm6\n"
      "vpdpbusd %%zmm15, %%zmm14, %%zmm7\n"
      "vpdpbusd %%zmm15, %%zmm14, %%zmm8\n"
      "vpdpbusd %%zmm15, %%zmm14, %%zmm9\n"
      "vpdpbusd %%zmm15, %%zmm14, %%zmm10\n"
      "vpdpbusd %%zmm15, %%zmm14, %%zmm11\n"
      "dec %0\n"
      "jnz 1b\n"
      : "+r"(count)
      :
      : "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",
        "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
}

// 16 products an instruction.
void Float32(int64_t count) {
  asm volatile(
      "vzeroall\n"
      "1:\n"
      "vfmadd231ps %%zmm15, %%zmm14, %%zmm0\n"
      "vfmadd231ps %%zmm15, %%zmm14, %%zmm1\n"
      "vfmadd231ps %%zmm15, %%zmm14, %%zmm2\n"
      "vfmadd231ps %%zmm15, %%zmm14, %%zmm3\n"
      "vfmadd231ps %%zmm15, %%zmm14, %%zmm4\n"
      "vfmadd231ps %%zmm15, %%zmm14, %%zmm5\n"
      "vfmadd231ps %%zmm15, %%zmm14, %%zmm6\n"
      "vfmadd231ps %%zmm15, %%zmm14, %%zmm7\n"
      "vfmadd231ps %%zmm15, %%zmm14, %%zmm8\n"
      "vfmadd231ps %%zmm15, %%zmm14, %%zmm9\n"
      "vfmadd231ps %%zmm15, %%zmm14, %%zmm10\n"
      "vfmadd231ps %%zmm15, %%zmm14, %%zmm11\n"
      "dec %0\n"
      "jnz 1b\n"
      : "+r"(count)
      :
      : "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",
        "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
}

constexpr PeakRow kRows[] = {{"avx512vnni", kCpuAvx512Vnni, PeakKind::kInt8, 12 * 64, Int8},
                             {"avx512", kCpuAvx512Vnni, PeakKind::kFloat32, 12 * 16, Float32}};

}  // namespace

PeakRowList PeakAvx512Vnni() { return {kRows, 2}; }

}  // namespace dlpu

#else

namespace dlpu {
PeakRowList PeakAvx512Vnni() { return {nullptr, 0}; }
}  // namespace dlpu

#endif
