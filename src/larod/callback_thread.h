// SPDX-License-Identifier: Apache-2.0
// CallbackThread: runs an application's callbacks one after another on a thread of their own, which
// starts with the first. Any thread.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace dlpu::larod {

class CallbackThread {
 public:
  // spin: the thread watches for the next callback for a moment before it sleeps.
  explicit CallbackThread(bool spin) : spin_(spin) {}
  ~CallbackThread() { Stop(); }
  CallbackThread(const CallbackThread&) = delete;
  CallbackThread& operator=(const CallbackThread&) = delete;

  // One callback will be posted: Stop waits for it.
  void Expect();
  // Instead of Post, when nothing will come.
  void Forget();
  void Post(std::function<void()> callback);
  // Runs what is expected, then ends the thread. Not from a callback.
  void Stop();
  // Whether the caller is a callback.
  bool IsCurrent() const;

 private:
  void Serve();

  const bool spin_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> queue_;
  size_t expected_ = 0;
  bool stop_ = false;
  std::atomic<bool> awake_{false};  // there is something to do; written with the lock held
  std::thread thread_;
};

}  // namespace dlpu::larod
