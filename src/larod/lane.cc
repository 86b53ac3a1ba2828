// SPDX-License-Identifier: Apache-2.0
// The order in which jobs get the hardware.
#include "larod/lane.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "larod/spin.h"

namespace dlpu::larod {

Lane::~Lane() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
    awake_ = true;
  }
  work_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Lane::Insert(uint64_t session, Entry* entry) {
  Entries& entries = waiting_[session];
  const auto after = std::find_if(entries.begin(), entries.end(), [&](const Entry* other) {
    return other->priority < entry->priority;
  });
  entries.insert(after, entry);
}

// The first entry of the session after the last one served, in a circle.
Lane::Entry* Lane::TakeNext() {
  if (waiting_.empty()) return nullptr;
  auto session = waiting_.upper_bound(last_session_);
  if (session == waiting_.end()) session = waiting_.begin();
  last_session_ = session->first;
  Entry* entry = session->second.front();
  session->second.pop_front();
  if (session->second.empty()) waiting_.erase(session);
  return entry;
}

// Gives the free lane to the next entry, if there is one. REQUIRES: lock held.
void Lane::PassOn(std::unique_lock<std::mutex>& lock) {
  Entry* next = TakeNext();
  busy_ = next != nullptr;
  if (next == nullptr) return;
  if (next->work) {
    for_thread_ = next;
    awake_ = true;
    if (!thread_.joinable()) thread_ = std::thread([this] { Serve(); });
    lock.unlock();
    work_.notify_one();
  } else {
    next->granted = true;
    lock.unlock();
    turn_.notify_all();
  }
}

void Lane::RunHere(uint64_t session, uint8_t priority, const std::function<void()>& work) {
  std::unique_lock lock(mutex_);
  if (busy_) {
    Entry entry{priority, nullptr, false};
    Insert(session, &entry);
    turn_.wait(lock, [&] { return entry.granted; });
  } else {
    busy_ = true;
    last_session_ = session;
  }
  lock.unlock();
  work();
  lock.lock();
  PassOn(lock);
}

void Lane::Queue(uint64_t session, uint8_t priority, Work work) {
  std::unique_lock lock(mutex_);
  Insert(session, new Entry{priority, std::move(work), false});
  if (!busy_) PassOn(lock);
}

size_t Lane::Waiting() {
  const std::lock_guard lock(mutex_);
  size_t count = 0;
  for (const auto& [session, entries] : waiting_) count += entries.size();
  return count;
}

void Lane::Serve() {
  std::unique_lock lock(mutex_);
  for (;;) {
    if (spin_ && !awake_) {
      lock.unlock();
      SpinBriefly([&] { return awake_.load(); });
      lock.lock();
    }
    work_.wait(lock, [&] { return stop_ || for_thread_ != nullptr; });
    if (for_thread_ == nullptr) return;
    awake_ = false;
    const std::unique_ptr<Entry> entry(std::exchange(for_thread_, nullptr));
    lock.unlock();
    entry->work(false);
    entry->work = nullptr;
    lock.lock();
    PassOn(lock);
    if (!lock.owns_lock()) lock.lock();
  }
}

void Lane::Cancel(uint64_t session) {
  std::vector<std::unique_ptr<Entry>> taken;
  {
    const std::lock_guard lock(mutex_);
    const auto found = waiting_.find(session);
    if (found == waiting_.end()) return;
    Entries& entries = found->second;
    for (auto entry = entries.begin(); entry != entries.end();) {
      if ((*entry)->work) {
        taken.emplace_back(*entry);
        entry = entries.erase(entry);
      } else {
        ++entry;
      }
    }
    if (entries.empty()) waiting_.erase(found);
  }
  for (const auto& entry : taken) entry->work(true);
}

}  // namespace dlpu::larod
