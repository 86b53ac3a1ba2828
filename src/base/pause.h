// SPDX-License-Identifier: Apache-2.0
// What a spinning thread does between two looks.
#pragma once

namespace dlpu {

// Leaves the core's resources to its other hardware thread for a moment.
inline void Pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

}  // namespace dlpu
