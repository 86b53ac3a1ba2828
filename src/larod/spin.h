// SPDX-License-Identifier: Apache-2.0
// Waiting a moment for what another thread is about to hand over: waking a thread that sleeps takes
// tens of microseconds, a job of a small model no longer than that.
#pragma once

#include <chrono>
#include <thread>

#include "base/pause.h"

namespace dlpu::larod {

inline constexpr std::chrono::microseconds kSpin{50};

// Until ready() or the time is up. Nothing is given to others meanwhile: who yields on a busy
// machine comes back milliseconds later. Without a second processor nobody could hand anything
// over.
template <typename Ready>
void SpinBriefly(const Ready& ready) {
  static const bool alone = std::thread::hardware_concurrency() < 2;
  if (alone) return;
  const auto end = std::chrono::steady_clock::now() + kSpin;
  for (int spins = 1; !ready(); ++spins) {
    Pause();
    if ((spins & 15) == 0 && std::chrono::steady_clock::now() > end) return;
  }
}

}  // namespace dlpu::larod
