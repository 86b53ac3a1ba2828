// SPDX-License-Identifier: Apache-2.0
// The thread of callbacks.
#include "larod/callback_thread.h"

#include "larod/spin.h"

namespace dlpu::larod {

void CallbackThread::Expect() {
  const std::lock_guard lock(mutex_);
  ++expected_;
  if (!thread_.joinable()) thread_ = std::thread([this] { Serve(); });
}

void CallbackThread::Forget() {
  const std::lock_guard lock(mutex_);
  --expected_;
  changed_.notify_all();
}

void CallbackThread::Post(std::function<void()> callback) {
  const std::lock_guard lock(mutex_);
  --expected_;
  queue_.push_back(std::move(callback));
  awake_ = true;
  changed_.notify_all();
}

void CallbackThread::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
    awake_ = true;
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

bool CallbackThread::IsCurrent() const {
  const std::lock_guard lock(mutex_);
  return thread_.get_id() == std::this_thread::get_id();
}

void CallbackThread::Serve() {
  std::unique_lock lock(mutex_);
  for (;;) {
    if (spin_ && queue_.empty() && !stop_) {
      awake_ = false;
      lock.unlock();
      SpinBriefly([&] { return awake_.load(); });
      lock.lock();
    }
    changed_.wait(lock, [&] { return !queue_.empty() || (stop_ && expected_ == 0); });
    if (queue_.empty()) return;
    const std::function<void()> callback = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    callback();
    lock.lock();
  }
}

}  // namespace dlpu::larod
