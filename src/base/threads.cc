// SPDX-License-Identifier: Apache-2.0
// ThreadPool: an epoch counter that workers watch, first spinning, then sleeping on a futex, and a
// gate that they pass to take part in a round.
#include "base/threads.h"

#include <pthread.h>
#include <sched.h>

#include <chrono>

#include "base/check.h"
#include "base/pause.h"

namespace dlpu {
namespace {

// How long a worker spins for the next inference before it sleeps.
constexpr auto kSpinTime = std::chrono::microseconds(100);
// Spins after which a waiting thread gives way to others, about 50 us.
constexpr int kPatience = 2000;
constexpr uint32_t kClosed = uint32_t{1} << 31;

// Linux may wake a worker on the very processor of the thread that wakes it, though others idle,
// and leave it there for milliseconds: two threads then take longer than one. So workers may run
// where the caller may, except where it is now.
void KeepOffCaller(std::vector<std::thread>& workers) {
  const int cpu = sched_getcpu();
  if (cpu < 0 || cpu >= CPU_SETSIZE) return;
  cpu_set_t others;
  CPU_ZERO(&others);
  for (std::thread& worker : workers) {
    cpu_set_t now;
    const pthread_t thread = worker.native_handle();
    if (pthread_getaffinity_np(thread, sizeof(now), &now) != 0 || !CPU_ISSET(cpu, &now)) continue;
    if (CPU_COUNT(&others) == 0) {
      if (pthread_getaffinity_np(pthread_self(), sizeof(others), &others) != 0) return;
      CPU_CLR(cpu, &others);
      if (CPU_COUNT(&others) == 0) return;
    }
    pthread_setaffinity_np(thread, sizeof(others), &others);
  }
}

}  // namespace

ThreadPool::ThreadPool(int threads)
    : threads_(threads), shares_(new Share[static_cast<size_t>(threads)]), gate_(kClosed) {
  DLPU_CHECK(threads >= 1);
  for (int i = 1; i < threads; ++i) workers_.emplace_back([this, i] { Work(i); });
}

ThreadPool::~ThreadPool() {
  stop_.store(true, std::memory_order_relaxed);
  epoch_.fetch_add(1, std::memory_order_release);
  epoch_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void ThreadPool::SetAwake(bool awake) {
  if (threads_ == 1) return;
  if (awake) KeepOffCaller(workers_);
  awake_.store(awake, std::memory_order_relaxed);
  if (!awake) return;
  epoch_.fetch_add(1, std::memory_order_release);
  epoch_.notify_all();
}

void ThreadPool::Dispatch(Function function, const void* context) {
  function_ = function;
  context_ = context;
  gate_.store(0, std::memory_order_release);
  epoch_.fetch_add(1, std::memory_order_release);
  epoch_.notify_all();
  function(context, 0);
  // Nobody may come in any more; those inside finish their tiles at about the same time: spin, but
  // give way if the host is busy.
  gate_.fetch_or(kClosed, std::memory_order_relaxed);
  for (int spins = 0; gate_.load(std::memory_order_acquire) != kClosed; ++spins) {
    Pause();
    if (spins > kPatience) std::this_thread::yield();
  }
}

uint32_t ThreadPool::NextEpoch(uint32_t seen) const {
  std::chrono::steady_clock::time_point until{};
  for (int spins = 1;; ++spins) {
    const uint32_t now = epoch_.load(std::memory_order_acquire);
    if (now != seen) return now;
    Pause();
    if (spins > kPatience) std::this_thread::yield();
    if ((spins & 63) != 0) continue;
    if (awake_.load(std::memory_order_relaxed)) {
      until = {};
    } else if (until == std::chrono::steady_clock::time_point{}) {
      until = std::chrono::steady_clock::now() + kSpinTime;
    } else if (std::chrono::steady_clock::now() > until) {
      break;
    }
  }
  for (;;) {
    epoch_.wait(seen, std::memory_order_acquire);
    const uint32_t now = epoch_.load(std::memory_order_acquire);
    if (now != seen) return now;
  }
}

void ThreadPool::Work(int thread) {
  for (uint32_t seen = 0;;) {
    seen = NextEpoch(seen);
    if (stop_.load(std::memory_order_relaxed)) return;
    uint32_t inside = gate_.load(std::memory_order_acquire);
    while ((inside & kClosed) == 0) {
      if (!gate_.compare_exchange_weak(inside, inside + 1, std::memory_order_acquire)) continue;
      function_(context_, thread);
      gate_.fetch_sub(1, std::memory_order_release);
      break;
    }
  }
}

}  // namespace dlpu
