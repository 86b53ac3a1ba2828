// SPDX-License-Identifier: Apache-2.0
// Lane: the queue in front of hardware that does one job at a time. Devices that share hardware
// share a lane. Sessions take turns; within a session the higher priority goes first, then the
// older job. A job that someone waits for runs on the waiting thread, queued ones on the lane's
// own, so an idle lane costs no thread switch. Any thread.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

namespace dlpu::larod {

class Lane {
 public:
  // A queued job; cancelled: its session ended first.
  using Work = std::function<void(bool cancelled)>;

  // spin: the lane's thread watches for the next job for a moment before it sleeps.
  explicit Lane(bool spin) : spin_(spin) {}
  ~Lane();
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;

  // Waits for its turn, then runs `work` on this thread.
  void RunHere(uint64_t session, uint8_t priority, const std::function<void()>& work);
  void Queue(uint64_t session, uint8_t priority, Work work);
  // Takes back what the session has queued and not begun, and calls it as cancelled.
  void Cancel(uint64_t session);
  // Jobs that have not begun.
  size_t Waiting();

 private:
  struct Entry {
    uint8_t priority;
    Work work;     // empty: a thread waits in RunHere
    bool granted;  // it may run now
  };
  using Entries = std::list<Entry*>;

  void Insert(uint64_t session, Entry* entry);
  Entry* TakeNext();
  void PassOn(std::unique_lock<std::mutex>& lock);
  void Serve();

  const bool spin_;
  std::mutex mutex_;
  std::condition_variable turn_, work_;
  std::map<uint64_t, Entries> waiting_;  // by session, in the order they will run
  uint64_t last_session_ = 0;            // whose turn it was
  bool busy_ = false;
  bool stop_ = false;
  std::atomic<bool> awake_{false};  // for_thread_ or stop_ is set
  Entry* for_thread_ = nullptr;     // granted to the lane's own thread
  std::thread thread_;
};

}  // namespace dlpu::larod
