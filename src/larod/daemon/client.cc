// SPDX-License-Identifier: Apache-2.0
// The life of an application's connection: hello, requests, the end.
#include "larod/daemon/client.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "base/file.h"
#include "larod/log.h"
#include "larod/wire/codec.h"

namespace dlpu::larod {
namespace {

constexpr int64_t kMostQueued = 65536;  // loads and jobs of one application

// "larod-client (pid 4711)", as the kernel knows the other end.
std::string NameOfPeer(int socket) {
  ucred peer = {};
  socklen_t size = sizeof peer;
  if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return "unknown";
  auto name = ReadTextFile(fmt::format("/proc/{}/comm", peer.pid));
  std::string text = name.ok() ? *name : "";
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return fmt::format("{} (pid {})", text.empty() ? "unknown" : text, peer.pid);
}

}  // namespace

Client::Client(std::shared_ptr<Service> service, Fd socket, uint64_t number, DaemonShared& shared)
    : service_(std::move(service)),
      number_(number),
      shared_(shared),
      channel_(std::move(socket)),
      name_(NameOfPeer(channel_.fd())),
      descriptors_(shared.most_descriptors) {}

void Client::Note(const Failure& failure) const {
  Log(fmt::format("Session {}: {} ({}){}{}", number_, failure.message, failure.code,
                  failure.cause.empty() ? "" : ". Cause: ", failure.cause));
}

Client::Answer Client::Refused(const char* why) {
  ++shared_.refused;
  return Failure{EINVAL, "Message is malformed", why};
}

void Client::Serve() {
  while (ServeOne()) {
  }
  // Events that nobody reads any more must not hold up the end.
  Shutdown();
  if (session_ != nullptr) {
    (void)session_->Close();
    Log(fmt::format("Session {}: ended", number_));
  }
}

void Client::Shutdown() {
  channel_.Shutdown();
  const std::lock_guard lock(mutex_);
  events_.Shutdown();
}

bool Client::ServeOne() {
  Result<Message> message = channel_.Receive();
  if (!message.ok()) {
    if (message.error().code == ErrorCode::kIo) return false;
    ++shared_.refused;
    const Failure failure{LAROD_ERROR_CONNECTION, "Connection is refused", message.error().message};
    Note(failure);
    (void)Reply(failure, {});
    return false;
  }
  Writer value;
  Fd file;
  const Answer answer = Dispatch(*message, value, &file);
  if (!answer.ok()) Note(answer.failure());
  const int fd = file.get();
  const auto files = fd >= 0 ? std::span(&fd, 1) : std::span<const int>();
  return Reply(answer, value, files) && !closed_ &&
         (session_ != nullptr || message->type == MessageType::kMetrics);
}

bool Client::Reply(const Answer& answer, const Writer& value, std::span<const int> fds) {
  Writer reply;
  PutStatus(reply, answer.ok() ? nullptr : &answer.failure());
  if (answer.ok()) reply.Append(value);
  Status sent = channel_.Send(MessageType::kReply, reply, fds);
  if (sent.ok() || sent.error().code != ErrorCode::kExhausted) return sent.ok();
  Writer instead;
  const Failure failure{LAROD_ERROR_JOB, "The answer is too large", sent.error().message};
  PutStatus(instead, &failure);
  Note(failure);
  return channel_.Send(MessageType::kReply, instead).ok();
}

Client::Answer Client::Hello(Message& message, Writer& value) {
  Reader reader(message.contents);
  const std::string product = reader.GetText(4096);
  if (!reader.Done() || message.descriptors.size() != 1) return Refused("a greeting, but how?");
  if (!product.empty()) {
    LAROD_TRY(const Catalogue wanted, MakeCatalogue(product));
    const std::string& served = service_->catalogue().product;
    if (wanted.product != served) {
      return Failure{LAROD_ERROR_CREATE_SESSION,
                     fmt::format("Could not create session: the service is of {}", served),
                     fmt::format("the application asks for {} ($DLPU_PRODUCT); unset that, or give "
                                 "dlpu serve the product",
                                 wanted.product)};
    }
  }
  {
    const std::lock_guard lock(mutex_);
    events_ = Channel(std::move(message.descriptors[0]));
  }
  session_ = service_->NewSession();
  greeted_ = true;
  Log(fmt::format("Session {}: {}", number_, name_));
  value.Put(number_);
  PutDevices(value, session_->devices());
  return Nothing();
}

Client::Answer Client::Close() {
  // The application waits for its events. One that says so and does not read them has had them.
  const timeval patience = {10, 0};
  (void)setsockopt(events_.fd(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  closed_ = true;
  Answer closed = session_->Close();
  events_.Shutdown();
  return closed;
}

Outcome<Nothing> Client::BeginLater() {
  if (queued_.fetch_add(1) < kMostQueued) return Nothing();
  queued_.fetch_sub(1);
  return Failure{LAROD_ERROR_JOB, "Could not run job: too many jobs are queued",
                 fmt::format("{} wait for their callbacks", kMostQueued)};
}

void Client::SendDone(uint64_t tag, const Failure* failure, const ModelInfo* model) {
  if (failure != nullptr) Note(*failure);
  Writer event;
  event.Put(tag);
  PutStatus(event, failure);
  if (failure == nullptr && model != nullptr) PutModel(event, *model);
  // When the application is gone, its other socket says so.
  (void)events_.Send(MessageType::kDone, event);
  queued_.fetch_sub(1);
}

}  // namespace dlpu::larod
