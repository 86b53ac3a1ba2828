// SPDX-License-Identifier: Apache-2.0
// Events: the results of what an application has queued with the daemon, read from a socket of
// their own and handed to its callbacks, on a thread that starts with the first. Any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

#include "larod/outcome.h"
#include "larod/wire/channel.h"
#include "larod/wire/message.h"

namespace dlpu::larod {

class Events {
 public:
  // Called once: with the failure, or with what the event says.
  using Handler = std::function<void(const Failure* failure, Reader& value)>;

  explicit Events(Fd socket) : channel_(std::move(socket)) {}
  ~Events() { Finish(); }
  Events(const Events&) = delete;
  Events& operator=(const Events&) = delete;

  // The number by which the daemon will name the result; nothing when the daemon is gone.
  std::optional<uint64_t> Expect(Handler handler);
  // Instead of an event, when nothing was queued.
  void Forget(uint64_t number);
  // Takes what the daemon has still to say, until it ends; what it does not say fails. Not from a
  // callback.
  void Finish();
  // Makes Finish quick: the daemon has nothing more to say.
  void Shutdown() { channel_.Shutdown(); }
  // Whether the caller is a callback.
  bool IsCurrent() const;

 private:
  void Serve();
  // Whether it was understood.
  bool Handle(const Message& message);

  Channel channel_;
  mutable std::mutex mutex_;  // of what follows
  std::map<uint64_t, Handler> expected_;
  uint64_t next_ = 1;
  bool over_ = false;
  std::thread::id callbacks_;  // the thread's, once it is there
  std::thread thread_;
};

}  // namespace dlpu::larod
