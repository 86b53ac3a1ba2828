// SPDX-License-Identifier: Apache-2.0
// ThreadPool: an epoch counter that workers watch, first spinning, then sleeping on a futex.
#include "base/threads.h"

#include <chrono>

#include "base/check.h"

namespace dlpu {
namespace {

// How long a worker spins for the next layer before it sleeps.
constexpr auto kSpinTime = std::chrono::microseconds(100);

inline void Pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

}  // namespace

ThreadPool::ThreadPool(int threads) : threads_(threads) {
  DLPU_CHECK(threads >= 1);
  for (int i = 1; i < threads; ++i) workers_.emplace_back([this, i] { Work(i); });
}

ThreadPool::~ThreadPool() {
  stop_.store(true, std::memory_order_relaxed);
  epoch_.fetch_add(1, std::memory_order_release);
  epoch_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void ThreadPool::Dispatch(Function function, const void* context) {
  function_ = function;
  context_ = context;
  running_.store(threads_ - 1, std::memory_order_relaxed);
  epoch_.fetch_add(1, std::memory_order_release);
  epoch_.notify_all();
  function(context, 0);
  // The others finish at about the same time: spin, but give way if the host is busy.
  for (int spins = 0; running_.load(std::memory_order_acquire) != 0; ++spins) {
    Pause();
    if (spins > 20000) std::this_thread::yield();
  }
}

void ThreadPool::Work(int thread) {
  uint32_t seen = 0;
  for (;;) {
    uint32_t now = epoch_.load(std::memory_order_acquire);
    if (now == seen) {
      const auto until = std::chrono::steady_clock::now() + kSpinTime;
      for (int spins = 1; now == seen; ++spins) {
        Pause();
        now = epoch_.load(std::memory_order_acquire);
        if ((spins & 63) == 0 && std::chrono::steady_clock::now() > until) break;
      }
      while (now == seen) {
        epoch_.wait(seen, std::memory_order_acquire);
        now = epoch_.load(std::memory_order_acquire);
      }
    }
    seen = now;
    if (stop_.load(std::memory_order_relaxed)) return;
    function_(context_, thread);
    running_.fetch_sub(1, std::memory_order_release);
  }
}

}  // namespace dlpu
