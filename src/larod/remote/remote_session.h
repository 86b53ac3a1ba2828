// SPDX-License-Identifier: Apache-2.0
// RemoteSession: a session with the service of `dlpu serve`, in another process. Calls go one after
// another over a socket; results of queued work come by another (events.h). When the daemon goes
// away everything fails with -6, until the application connects again. Any thread.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "larod/remote/events.h"
#include "larod/session.h"
#include "larod/wire/channel.h"

namespace dlpu::larod {

class RemoteSession final : public Session, public std::enable_shared_from_this<RemoteSession> {
 public:
  static Outcome<std::shared_ptr<Session>> Open(const std::string& path);
  ~RemoteSession() override { (void)RemoteSession::Close(); }

  const std::vector<DeviceInfo>& devices() const override { return devices_; }
  Outcome<uint64_t> CountSessions() override;
  Outcome<ModelInfo> Load(const LoadRequest& request) override;
  Outcome<Nothing> LoadAsync(const LoadRequest& request, LoadCallback callback) override;
  Outcome<ModelInfo> Model(uint64_t id) override;
  Outcome<std::vector<ModelInfo>> Models() override;
  Outcome<Nothing> Delete(uint64_t id) override;
  Outcome<std::vector<uint8_t>> Export(const LoadRequest& request) override;
  Outcome<std::shared_ptr<const Fd>> Keep(int fd) override;
  Outcome<Nothing> Run(const Job& job) override;
  Outcome<Nothing> RunAsync(const Job& job, JobCallback callback) override;
  Outcome<Nothing> Close() override;
  bool InCallback() const override { return events_.IsCurrent(); }

 private:
  RemoteSession(Fd socket, Fd events) : channel_(std::move(socket)), events_(std::move(events)) {}

  // Sends a request and waits for its answer, which begins behind the status. `prefix` goes before
  // the text of a lost connection: "Could not run job: ".
  Outcome<Message> Call(MessageType type, const Writer& contents, std::span<const int> fds,
                        const char* prefix = "");
  // The same, of a job or load whose result is to come.
  Outcome<Nothing> CallLater(MessageType type, Writer contents, std::span<const int> fds,
                             uint64_t number, const char* prefix);
  void PutJobOf(Writer& writer, const Job& job, std::vector<int>* fds);
  void Release(uint64_t number, const Fd* file);

  std::vector<DeviceInfo> devices_;
  std::mutex call_mutex_;  // of the socket's one conversation
  Channel channel_;
  bool lost_ = false;
  std::mutex kept_mutex_;
  std::map<const Fd*, uint64_t> kept_;  // files the daemon has too, by their number there
  uint64_t next_kept_ = 1;
  std::mutex close_mutex_;
  bool closed_ = false;
  Events events_;
};

}  // namespace dlpu::larod
