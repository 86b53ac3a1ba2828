// SPDX-License-Identifier: Apache-2.0
// Client: one application at the daemon's socket. Its requests are answered in order, on the thread
// that calls Serve; the results of queued loads and jobs go to a second socket, which the
// application brings along, from the session's callback thread. What is wrong with a message is
// said in its reply; what is no message ends the connection. Either way only this application
// notices.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "larod/daemon/descriptors.h"
#include "larod/outcome.h"
#include "larod/service.h"
#include "larod/wire/channel.h"
#include "larod/wire/message.h"

namespace dlpu::larod {

// What all clients of a daemon share.
struct DaemonShared {
  std::atomic<uint64_t> connections{0};  // ever
  std::atomic<uint64_t> refused{0};      // messages
  int64_t most_descriptors = 1024;       // of one application
  std::function<std::string()> metrics;
};

class Client {
 public:
  Client(std::shared_ptr<Service> service, Fd socket, uint64_t number, DaemonShared& shared);

  // Until the application leaves. What it had is gone afterwards.
  void Serve();
  // Makes Serve end soon. Any thread, at any time in the Client's life.
  void Shutdown();
  // For the metrics. Any thread.
  const std::string& name() const { return name_; }
  bool greeted() const { return greeted_.load(); }
  int64_t held_descriptors() const { return descriptors_.held(); }
  int64_t queued() const { return queued_.load(); }

 private:
  using Answer = Outcome<Nothing>;

  // False: the connection is over.
  bool ServeOne();
  bool Reply(const Outcome<Nothing>& answer, const Writer& value, std::span<const int> fds = {});
  // The answer to a message; its value goes to `value`, a file to `file`.
  Answer Dispatch(Message& message, Writer& value, Fd* file);
  Answer Hello(Message& message, Writer& value);
  Answer Load(Message& message, Writer& value);
  Answer LoadLater(Message& message);
  Answer ModelById(Message& message, Writer& value);
  Answer ListModels(Message& message, Writer& value);
  Answer Delete(Message& message);
  Answer Export(Message& message, Fd* file);
  Answer Run(Message& message);
  Answer RunLater(Message& message);
  Answer Keep(Message& message);
  Answer Forget(Message& message);
  Answer Close();

  Outcome<Job> TakeJob(Reader& reader, Message& message);
  // One more load or job whose event is to come.
  Outcome<Nothing> BeginLater();
  void SendDone(uint64_t tag, const Failure* failure, const ModelInfo* model);
  Answer Refused(const char* why);
  // Logs what went wrong, for the one who looks after the daemon.
  void Note(const Failure& failure) const;

  const std::shared_ptr<Service> service_;
  const uint64_t number_;
  DaemonShared& shared_;
  Channel channel_;
  std::mutex mutex_;  // of what follows
  Channel events_;    // set once

  const std::string name_;            // "larod-client (pid 4711)"
  std::shared_ptr<Session> session_;  // none before kHello
  std::atomic<bool> greeted_{false};
  bool closed_ = false;
  Descriptors descriptors_;
  std::atomic<int64_t> queued_{0};  // loads and jobs without an event yet
};

}  // namespace dlpu::larod
