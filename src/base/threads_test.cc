// SPDX-License-Identifier: Apache-2.0
#include "base/threads.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <set>
#include <thread>
#include <utility>
#include <vector>

namespace dlpu {
namespace {

// Every element once, whatever the numbers of threads, elements and rounds.
TEST(ThreadPool, ParallelForCoversEachElementOnce) {
  for (const int threads : {1, 2, 3, 7}) {
    ThreadPool pool(threads);
    for (const int64_t count : {0, 1, 2, 3, 64, 1000, 4097}) {
      for (const int64_t grain : {0, 1, 3, 64, 5000}) {
        std::vector<std::atomic<int>> visits(static_cast<size_t>(count));
        std::atomic<bool> bad{false};
        const ThreadPool::Awake awake(pool);
        for (int round = 0; round < 5; ++round) {
          pool.ParallelFor(count, grain, [&](int64_t begin, int64_t end, int thread) {
            if (begin >= end || end > count || thread < 0 || thread >= threads) bad = true;
            for (int64_t i = begin; i < end; ++i) ++visits[static_cast<size_t>(i)];
          });
        }
        EXPECT_FALSE(bad);
        for (const auto& visit : visits) ASSERT_EQ(visit, 5);
      }
    }
  }
}

// What a thread wrote in one round is seen by the others in the next.
TEST(ThreadPool, RoundsSeeEachOther) {
  ThreadPool pool(3);
  std::vector<int> values(3000, 0);
  for (int round = 0; round < 2000; ++round) {
    pool.ParallelFor(3000, 100, [&](int64_t begin, int64_t end, int) {
      for (int64_t i = begin; i < end; ++i) values[static_cast<size_t>(2999 - i)] += 1;
    });
    pool.ParallelFor(3000, 70, [&](int64_t begin, int64_t end, int) {
      for (int64_t i = begin; i < end; ++i) values[static_cast<size_t>(i)] += 1;
    });
  }
  EXPECT_EQ(std::count(values.begin(), values.end(), 4000), 3000);
}

// While awake, a worker may not run where the caller does, if there is another processor.
TEST(ThreadPool, WorkersKeepOffTheCallersProcessor) {
  cpu_set_t before;
  ASSERT_EQ(pthread_getaffinity_np(pthread_self(), sizeof(before), &before), 0);
  if (CPU_COUNT(&before) < 2) GTEST_SKIP() << "one processor";
  ThreadPool pool(2);
  int wrong = 0, looked = 0;
  for (int round = 0; round < 20; ++round) {
    const int cpu = sched_getcpu();
    const ThreadPool::Awake awake(pool);
    if (sched_getcpu() != cpu) continue;  // moved meanwhile
    std::atomic<bool> seen{false};
    std::atomic<bool> together{false};
    pool.ParallelFor(2, 1, [&](int64_t, int64_t, int thread) {
      if (thread == 0) {
        while (!seen) std::this_thread::yield();
        return;
      }
      cpu_set_t mine;
      pthread_getaffinity_np(pthread_self(), sizeof(mine), &mine);
      together = CPU_ISSET(cpu, &mine);
      seen = true;
    });
    ++looked;
    wrong += together ? 1 : 0;
  }
  EXPECT_EQ(wrong, 0) << "of " << looked;
}

// A number stands for one thread at a time: scratch by number is safe.
TEST(ThreadPool, OneThreadForEachNumber) {
  ThreadPool pool(4);
  std::mutex mutex;
  std::set<std::pair<int, std::thread::id>> seen;
  for (int round = 0; round < 200; ++round) {
    pool.ParallelFor(64, 1, [&](int64_t, int64_t, int thread) {
      const std::lock_guard lock(mutex);
      seen.insert({thread, std::this_thread::get_id()});
    });
  }
  std::set<int> numbers;
  for (const auto& [number, id] : seen) EXPECT_TRUE(numbers.insert(number).second);
  EXPECT_TRUE(numbers.count(0));
}

}  // namespace
}  // namespace dlpu
