// SPDX-License-Identifier: Apache-2.0
// Reads events.
#include "larod/remote/events.h"

#include <utility>

#include "larod/wire/codec.h"

namespace dlpu::larod {

std::optional<uint64_t> Events::Expect(Handler handler) {
  const std::lock_guard lock(mutex_);
  if (over_) return std::nullopt;
  expected_[next_] = std::move(handler);
  if (!thread_.joinable()) {
    thread_ = std::thread([this] { Serve(); });
    callbacks_ = thread_.get_id();
  }
  return next_++;
}

void Events::Forget(uint64_t number) {
  const std::lock_guard lock(mutex_);
  expected_.erase(number);
}

bool Events::IsCurrent() const {
  const std::lock_guard lock(mutex_);
  return callbacks_ == std::this_thread::get_id();
}

void Events::Finish() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;  // no thread begins any more
  }
  if (thread_.joinable()) thread_.join();
}

bool Events::Handle(const Message& message) {
  Reader reader(message.contents);
  const auto number = reader.Get<uint64_t>();
  const std::optional<Failure> failure = GetStatus(reader);
  Handler handler;
  {
    const std::lock_guard lock(mutex_);
    const auto found = expected_.find(number);
    if (message.type != MessageType::kDone || !reader.ok() || found == expected_.end()) {
      return false;
    }
    handler = std::move(found->second);
    expected_.erase(found);
  }
  handler(failure.has_value() ? &*failure : nullptr, reader);
  return true;
}

void Events::Serve() {
  for (;;) {
    const Result<Message> message = channel_.Receive();
    if (!message.ok() || !Handle(*message)) break;
  }
  std::map<uint64_t, Handler> left;
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
    left.swap(expected_);
  }
  const Failure failure{LAROD_ERROR_CONNECTION, "Asynchronous connection has been closed",
                        "dlpu serve ended, or refused this application's messages"};
  Reader nothing({});
  for (const auto& [number, handler] : left) handler(&failure, nothing);
}

}  // namespace dlpu::larod
