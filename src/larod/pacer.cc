// SPDX-License-Identifier: Apache-2.0
// Sleeps in a camera's time.
#include "larod/pacer.h"

#include <algorithm>
#include <thread>

#include "larod/spin.h"

namespace dlpu::larod {

void Pacer::Wait(Clock::time_point begin, Milliseconds duration) {
  // An application that paused owes nothing; one that came a little late does.
  const bool row = end_.has_value() && begin - *end_ < Milliseconds(5);
  if (!row) owed_ = Milliseconds(0);
  if (row) owed_ += begin - *end_;
  const Milliseconds least = duration - std::clamp(owed_, Milliseconds(0), duration);
  const auto until = begin + std::chrono::duration_cast<Clock::duration>(least);
  // A sleep ends up to a tenth of a millisecond late: the rest is watched.
  std::this_thread::sleep_until(until - std::chrono::microseconds(100));
  while (Clock::now() < until) Pause();
  end_ = Clock::now();
  owed_ += Milliseconds(*end_ - begin) - duration;
  owed_ = std::clamp(owed_, Milliseconds(0), Milliseconds(50));
}

}  // namespace dlpu::larod
