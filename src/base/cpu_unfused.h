// SPDX-License-Identifier: Apache-2.0
// CPU flags for float rows that never fuse a multiplication with an addition: on wide vectors they
// have the bits of the portable rows. Any thread.
#pragma once

#include "base/cpu.h"

namespace dlpu {

// There where the extension itself is; without names of their own.
inline constexpr CpuFlags kCpuAvx2Unfused = 1u << 16;
inline constexpr CpuFlags kCpuAvx512Unfused = 1u << 17;

// What may be used where float results must be the same on every CPU: the flags above that
// EnabledCpuFlags() has.
CpuFlags UnfusedCpuFlags();

}  // namespace dlpu
