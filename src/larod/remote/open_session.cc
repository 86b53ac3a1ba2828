// SPDX-License-Identifier: Apache-2.0
// The beginning and the end of a session with the daemon, and the files it keeps meanwhile.
#include <fmt/format.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "larod/log.h"
#include "larod/remote/remote_session.h"
#include "larod/wire/codec.h"

namespace dlpu::larod {
namespace {

std::string Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

Failure NoService(const std::string& why) {
  return {LAROD_ERROR_CREATE_SESSION, "Could not create session: the service is not there",
          why + " ($DLPU_LAROD_SOCKET); start dlpu serve, or unset the variable"};
}

}  // namespace

Outcome<std::shared_ptr<Session>> RemoteSession::Open(const std::string& path) {
  Result<Fd> socket = ConnectTo(path);
  if (!socket.ok()) return NoService(socket.error().message);
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
    return NoService(std::strerror(errno));
  }
  const Fd theirs(pair[1]);
  std::shared_ptr<RemoteSession> session(new RemoteSession(*std::move(socket), Fd(pair[0])));
  Writer contents;
  contents.PutText(Variable("DLPU_PRODUCT"));
  const int fd = theirs.get();
  auto answer = session->Call(MessageType::kHello, contents, std::span(&fd, 1));
  if (!answer.ok() && answer.failure().code == LAROD_ERROR_CONNECTION) {
    return NoService(answer.failure().cause);
  }
  if (!answer.ok()) return answer.failure();
  Reader reader(answer->contents);
  (void)GetStatus(reader);
  (void)reader.Get<uint64_t>();  // the session's number, for people
  session->devices_ = GetDevices(reader);
  if (!reader.Done()) return NoService("what answers there is not of this release");
  for (const char* name : {"DLPU_REALTIME", "DLPU_FAULT"}) {
    if (!Variable(name).empty()) {
      Log(fmt::format("{} has no effect here: dlpu serve decides", name));
    }
  }
  return std::shared_ptr<Session>(std::move(session));
}

Outcome<std::shared_ptr<const Fd>> RemoteSession::Keep(int fd) {
  LAROD_TRY(Fd own, Duplicate(fd));
  uint64_t number;
  {
    const std::lock_guard lock(kept_mutex_);
    number = next_kept_++;
  }
  Writer contents;
  contents.Put(number);
  const int sent = own.get();
  LAROD_RETURN_IF_FAILED(Call(MessageType::kKeep, contents, std::span(&sent, 1)));
  const auto* file = new Fd(std::move(own));
  {
    const std::lock_guard lock(kept_mutex_);
    kept_[file] = number;
  }
  return std::shared_ptr<const Fd>(file, [session = weak_from_this(), number](const Fd* last) {
    if (const auto alive = session.lock()) alive->Release(number, last);
    delete last;
  });
}

void RemoteSession::Release(uint64_t number, const Fd* file) {
  {
    const std::lock_guard lock(kept_mutex_);
    kept_.erase(file);
  }
  Writer contents;
  contents.Put(number);
  (void)Call(MessageType::kForget, contents, {});
}

Outcome<Nothing> RemoteSession::Close() {
  {
    const std::lock_guard lock(close_mutex_);
    if (closed_) return Nothing();
    closed_ = true;
  }
  const auto answer = Call(MessageType::kClose, {}, {});
  if (!answer.ok()) events_.Shutdown();
  events_.Finish();
  channel_.Shutdown();
  {
    const std::lock_guard lock(call_mutex_);
    lost_ = true;
  }
  if (!answer.ok()) {
    return Failure{LAROD_ERROR_KILL_SESSION, "Could not kill session: the service is gone",
                   answer.failure().cause};
  }
  return Nothing();
}

Outcome<std::shared_ptr<Session>> OpenRemoteSession(const std::string& socket) {
  return RemoteSession::Open(socket);
}

Outcome<std::shared_ptr<Session>> OpenSession() {
  const std::string socket = Variable("DLPU_LAROD_SOCKET");
  return socket.empty() ? OpenLocalSession() : OpenRemoteSession(socket);
}

}  // namespace dlpu::larod
