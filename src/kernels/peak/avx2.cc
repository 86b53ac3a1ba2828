// SPDX-License-Identifier: Apache-2.0
// The peak of 12 independent 256-bit accumulators.
#include "kernels/peak/peak.h"

#if defined(__AVX2__)

namespace dlpu {
namespace {

// 8 products an instruction.
void Float32(int64_t count) {
  asm volatile(
      "vzeroall\n"
      "1:\n"
      "vfmadd231ps %%ymm15, %%ymm14, %%ymm0\n"
      "vfmadd231ps %%ymm15, %%ymm14, %%ymm1\n"
      "vfmadd231ps %%ymm15, %%ymm14, %%ymm2\n"
      "vfmadd231ps %%ymm15, %%ymm14, %%ymm3\n"
      "vfmadd231ps %%ymm15, %%ymm14, %%ymm4\n"
      "vfmadd231ps %%ymm15, %%ymm14, %%ymm5\n"
      "vfmadd231ps %%ymm15, %%ymm14, %%ymm6\n"
      "vfmadd231ps %%ymm15, %%ymm14, %%ymm7\n"
      "vfmadd231ps %%ymm15, %%ymm14, %%ymm8\n"
      "vfmadd231ps %%ymm15, %%ymm14, %%ymm9\n"
      "vfmadd231ps %%ymm15, %%ymm14, %%ymm10\n"
      "vfmadd231ps %%ymm15, %%ymm14, %%ymm11\n"
      "dec %0\n"
      "jnz 1b\n"
      : "+r"(count)
      :
      : "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",
        "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
}

// 16 products and their sum: what is exact for every input without VNNI.
void Int8(int64_t count) {
  asm volatile(
      "vzeroall\n"
      "1:\n"
      "vpmaddwd %%ymm15, %%ymm14, %%ymm12\n"
      "vpaddd %%ymm12, %%ymm0, %%ymm0\n"
      "vpmaddwd %%ymm15, %%ymm14, %%ymm13\n"
      "vpaddd %%ymm13, %%ymm1, %%ymm1\n"
      "vpmaddwd %%ymm15, %%ymm14, %%ymm12\n"
      "vpaddd %%ymm12, %%ymm2, %%ymm2\n"
      "vpmaddwd %%ymm15, %%ymm14, %%ymm13\n"
      "vpaddd %%ymm13, %%ymm3, %%ymm3\n"
      "vpmaddwd %%ymm15, %%ymm14, %%ymm12\n"
      "vpaddd %%ymm12, %%ymm4, %%ymm4\n"
      "vpmaddwd %%ymm15, %%ymm14, %%ymm13\n"
      "vpaddd %%ymm13, %%ymm5, %%ymm5\n"
      "vpmaddwd %%ymm15, %%ymm14, %%ymm12\n"
      "vpaddd %%ymm12, %%ymm6, %%ymm6\n"
      "vpmaddwd %%ymm15, %%ymm14, %%ymm13\n"
      "vpaddd %%ymm13, %%ymm7, %%ymm7\n"
      "vpmaddwd %%ymm15, %%ymm14, %%ymm12\n"
      "vpaddd %%ymm12, %%ymm8, %%ymm8\n"
      "vpmaddwd %%ymm15, %%ymm14, %%ymm13\n"
      "vpaddd %%ymm13, %%ymm9, %%ymm9\n"
      "vpmaddwd %%ymm15, %%ymm14, %%ymm12\n"
      "vpaddd %%ymm12, %%ymm10, %%ymm10\n"
      "vpmaddwd %%ymm15, %%ymm14, %%ymm13\n"
      "vpaddd %%ymm13, %%ymm11, %%ymm11\n"
      "dec %0\n"
      "jnz 1b\n"
      : "+r"(count)
      :
      : "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",
        "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
}

constexpr PeakRow kRows[] = {{"avx2", kCpuAvx2, PeakKind::kFloat32, 12 * 8, Float32},
                             {"avx2", kCpuAvx2, PeakKind::kInt8, 12 * 16, Int8}};

}  // namespace

PeakRowList PeakAvx2() { return {kRows, 2}; }

}  // namespace dlpu

#else

namespace dlpu {
PeakRowList PeakAvx2() { return {nullptr, 0}; }
}  // namespace dlpu

#endif
