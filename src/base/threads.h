// SPDX-License-Identifier: Apache-2.0
// A small pool for splitting one layer's outputs over threads. Workers spin between layers and
// sleep between inferences (a futex wake costs about 45 us, a spin 0.06 us). A pool belongs to one
// runner: only one thread may call ParallelFor at a time. Work is split by output elements, so the
// number of threads never changes a result.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
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

  // While one lives, workers wait awake for the next layer.
  class Awake {
   public:
    explicit Awake(ThreadPool& pool) : pool_(pool) { pool_.SetAwake(true); }
    ~Awake() { pool_.SetAwake(false); }
    Awake(const Awake&) = delete;
    Awake& operator=(const Awake&) = delete;

   private:
    ThreadPool& pool_;
  };

  // Splits [0, count) into tiles of at most `grain`; calls body(begin, end, thread) for each. A
  // thread begins with its own share of consecutive tiles, so that it often finds in its cache what
  // it wrote in the layer before, and then takes over tiles of the others. A worker that is late is
  // not waited for unless it has begun a tile.
  template <typename Body>
  void ParallelFor(int64_t count, int64_t grain, const Body& body) {
    if (count <= 0) return;
    if (grain < 1) grain = 1;
    if (threads_ == 1 || count <= grain) {
      body(int64_t{0}, count, 0);
      return;
    }
    // The same number of tiles for each thread, as even as they can be, where a tile is of many
    // elements.
    int64_t tiles = (count + grain - 1) / grain;
    if (grain >= 128) {
      tiles = (tiles + threads_ - 1) / threads_ * threads_;
      const int64_t even = ((count + tiles - 1) / tiles + 63) / 64 * 64;
      if (even < grain) grain = even;
      tiles = (count + grain - 1) / grain;
    }
    for (int t = 0; t < threads_; ++t) {
      shares_[t].next.store(tiles * t / threads_, std::memory_order_relaxed);
      shares_[t].end = tiles * (t + 1) / threads_;
    }
    const auto work = [&](int thread) {
      for (int i = 0; i < threads_; ++i) {
        Share& share = shares_[(thread + i) % threads_];
        for (;;) {
          const int64_t tile = share.next.fetch_add(1, std::memory_order_relaxed);
          if (tile >= share.end) break;
          const int64_t begin = tile * grain;
          body(begin, begin + grain < count ? begin + grain : count, thread);
        }
      }
    };
    using Work = decltype(work);
    Dispatch([](const void* context, int thread) { (*static_cast<const Work*>(context))(thread); },
             &work);
  }

 private:
  using Function = void (*)(const void* context, int thread);
  // The tiles that one thread begins with.
  struct alignas(64) Share {
    std::atomic<int64_t> next{0};
    int64_t end = 0;
  };

  // Calls function(context, thread) on this thread and on workers that come before it is done.
  void Dispatch(Function function, const void* context);
  void SetAwake(bool awake);
  void Work(int thread);
  // Waits until the epoch is another than `seen`, and returns it.
  uint32_t NextEpoch(uint32_t seen) const;

  const int threads_;
  const std::unique_ptr<Share[]> shares_;
  Function function_ = nullptr;
  const void* context_ = nullptr;
  // Raised for a new round, to wake the workers, and to stop.
  alignas(64) std::atomic<uint32_t> epoch_{0};
  std::atomic<bool> awake_{false}, stop_{false};
  // Workers inside the round, or kClosed and more when no other may come in.
  alignas(64) std::atomic<uint32_t> gate_;
  std::vector<std::thread> workers_;
};

}  // namespace dlpu
