// SPDX-License-Identifier: Apache-2.0
// What the host CPU can do, as flags that kernel rows name. Detected once; DLPU_CPU_DISABLE (a
// comma-separated list of the names below, or "all") takes flags away for a user. Any thread.
#pragma once

#include <cstdint>
#include <string>

namespace dlpu {

enum CpuFlag : uint32_t {
  kCpuNone = 0,
  kCpuAvx2 = 1u << 0,        // AVX2, FMA and F16C
  kCpuAvxVnni = 1u << 1,     // 256-bit VNNI without AVX-512
  kCpuAvx512 = 1u << 2,      // AVX-512 F, BW, DQ, VL
  kCpuAvx512Vnni = 1u << 3,  // AVX-512 VNNI and VBMI
  kCpuNeon = 1u << 4,
  kCpuNeonDot = 1u << 5,
  kCpuNeonI8mm = 1u << 6,
};
using CpuFlags = uint32_t;

// Everything the hardware and operating system support.
CpuFlags DetectedCpuFlags();
// DetectedCpuFlags() without what DLPU_CPU_DISABLE takes away. Read once per process.
CpuFlags EnabledCpuFlags();
// `detected` without the flags named in `disable`; unknown names are ignored. For tests.
CpuFlags WithoutCpuFlags(CpuFlags detected, const std::string& disable);
// "avx2,avx512" and so on; "none" for no flag.
std::string CpuFlagNames(CpuFlags flags);
// Physical cores this process may use (respects the CPU affinity mask), at least 1.
int PhysicalCores();
// Short model name of the CPU for reports, for example "AMD EPYC".
std::string CpuModelName();

}  // namespace dlpu
