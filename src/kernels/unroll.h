// SPDX-License-Identifier: Apache-2.0
// Words for kernel code that must end up in registers: small loops are unrolled completely and
// helpers are inlined even without optimisation. Macros only.
#pragma once

#define DLPU_INLINE inline __attribute__((always_inline))

#if defined(__clang__)
#define DLPU_UNROLL _Pragma("clang loop unroll(full)")
#else
#define DLPU_UNROLL _Pragma("GCC unroll 16")
#endif
