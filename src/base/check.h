// SPDX-License-Identifier: Apache-2.0
// DLPU_CHECK: stops the program when an assumption of our own is false. Never for input from
// outside, which must end in an Error. On in all builds.
#pragma once

namespace dlpu {
[[noreturn]] void CheckFailed(const char* file, int line, const char* condition);
}  // namespace dlpu

#define DLPU_CHECK(condition)                              \
  do {                                                     \
    if (!(condition)) [[unlikely]]                         \
      ::dlpu::CheckFailed(__FILE__, __LINE__, #condition); \
  } while (false)
