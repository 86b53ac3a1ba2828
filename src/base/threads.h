// SPDX-License-Identifier: Apache-2.0
// A small pool for splitting one layer's outputs over threads. Workers spin briefly between
// layers and sleep between inferences (a futex wake costs about 45 us, a spin 0.06 us). A pool
// belongs to one runner: only one thread may call Run at a time. Work is split by output
// elements, so the number of threads never changes a result.
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

namespace dlpu {

class ThreadPool {
 public:
  // threads >= 1, the caller included; 1 starts no worker.
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int threads() const { return threads_; }

  // Calls body(thread) once for every thread in [0, threads()); returns when all are done.
  template <typename Body>
  void Run(const Body& body) {
    if (threads_ == 1) {
      body(0);
      return;
    }
    Dispatch([](const void* context, int thread) { (*static_cast<const Body*>(context))(thread); },
             &body);
  }

  // Splits [0, count) into tiles of `grain` claimed dynamically; calls body(begin, end, thread).
  template <typename Body>
  void ParallelFor(int64_t count, int64_t grain, const Body& body) {
    if (count <= 0) return;
    if (grain < 1) grain = 1;
    if (threads_ == 1 || count <= grain) {
      body(int64_t{0}, count, 0);
      return;
    }
    std::atomic<int64_t> next{0};
    Run([&](int thread) {
      for (;;) {
        const int64_t begin = next.fetch_add(grain, std::memory_order_relaxed);
        if (begin >= count) return;
        body(begin, begin + grain < count ? begin + grain : count, thread);
      }
    });
  }

 private:
  using Function = void (*)(const void* context, int thread);
  void Dispatch(Function function, const void* context);
  void Work(int thread);

  const int threads_;
  Function function_ = nullptr;
  const void* context_ = nullptr;
  alignas(64) std::atomic<uint32_t> epoch_{0};  // raised to start a round or to stop
  alignas(64) std::atomic<int> running_{0};     // workers that have not finished the round
  std::atomic<bool> stop_{false};
  std::vector<std::thread> workers_;
};

}  // namespace dlpu
