// SPDX-License-Identifier: Apache-2.0
// Pacer: makes a job last as long as it would on the camera. What one sleep took too long, the next
// of an uninterrupted row of jobs takes less, so that their mean is right. One thread at a time.
#pragma once

#include <chrono>
#include <optional>

namespace dlpu::larod {

class Pacer {
 public:
  using Clock = std::chrono::steady_clock;
  using Milliseconds = std::chrono::duration<double, std::milli>;

  // Sleeps until a job that began at `begin` has lasted `duration`, give or take what is owed.
  void Wait(Clock::time_point begin, Milliseconds duration);

 private:
  Milliseconds owed_{0};                  // slept too long
  std::optional<Clock::time_point> end_;  // of the job before
};

}  // namespace dlpu::larod
