// SPDX-License-Identifier: Apache-2.0
// Requests of a session with the daemon.
#include "larod/remote/remote_session.h"

#include <fmt/format.h>

#include <cerrno>

#include "larod/wire/codec.h"

namespace dlpu::larod {
namespace {

constexpr const char* kNotLoaded = "Could not load model: ";
constexpr const char* kNotRun = "Could not run job: ";
constexpr size_t kStatusBytes = sizeof(int32_t);  // of an answer that went well

Failure Lost(const char* prefix, const std::string& why) {
  return {LAROD_ERROR_CONNECTION, fmt::format("{}Asynchronous connection has been closed", prefix),
          fmt::format("dlpu serve is gone ({}); connect again when it is there", why)};
}

Failure Unintelligible() {
  return {LAROD_ERROR_CONNECTION, "Could not understand the service",
          "liblarod and dlpu serve are not of one release"};
}

// The part of an answer behind its status.
Reader ValueOf(const Message& answer) {
  return Reader(std::span(answer.contents).subspan(kStatusBytes));
}

}  // namespace

Outcome<Message> RemoteSession::Call(MessageType type, const Writer& contents,
                                     std::span<const int> fds, const char* prefix) {
  const std::lock_guard lock(call_mutex_);
  if (lost_) return Lost(prefix, "since an earlier call");
  const Status sent = channel_.Send(type, contents, fds);
  if (!sent.ok() && sent.error().code == ErrorCode::kInvalid) {
    return Failure{LAROD_ERROR_FD,
                   fmt::format("{}Could not use file descriptor: Bad file "
                               "descriptor",
                               prefix),
                   "the descriptor of a tensor or model is closed"};
  }
  if (!sent.ok() && sent.error().code == ErrorCode::kExhausted) {
    return Failure{EINVAL, fmt::format("{}Request is too large", prefix), sent.error().message};
  }
  Result<Message> answer = sent.ok() ? channel_.Receive() : Result<Message>(sent.error());
  if (!answer.ok()) {
    lost_ = true;
    return Lost(prefix, answer.error().message);
  }
  Reader reader(answer->contents);
  const std::optional<Failure> failure = GetStatus(reader);
  if (!reader.ok() || answer->type != MessageType::kReply) {
    lost_ = true;
    return Unintelligible();
  }
  if (failure.has_value()) return *failure;
  return *std::move(answer);
}

Outcome<Nothing> RemoteSession::CallLater(MessageType type, Writer contents,
                                          std::span<const int> fds, uint64_t number,
                                          const char* prefix) {
  const auto answer = Call(type, contents, fds, prefix);
  if (answer.ok()) return Nothing();
  events_.Forget(number);
  return answer.failure();
}

Outcome<uint64_t> RemoteSession::CountSessions() {
  LAROD_TRY(const Message answer, Call(MessageType::kCountSessions, {}, {}));
  Reader reader = ValueOf(answer);
  const auto count = reader.Get<uint64_t>();
  if (!reader.Done()) return Unintelligible();
  return count;
}

Outcome<ModelInfo> RemoteSession::Load(const LoadRequest& request) {
  Writer contents;
  PutLoad(contents, request);
  const auto fds = request.fd >= 0 ? std::span(&request.fd, 1) : std::span<const int>();
  LAROD_TRY(const Message answer, Call(MessageType::kLoad, contents, fds, kNotLoaded));
  Reader reader = ValueOf(answer);
  ModelInfo model = GetModel(reader, devices_.size());
  if (!reader.Done()) return Unintelligible();
  return model;
}

Outcome<Nothing> RemoteSession::LoadAsync(const LoadRequest& request, LoadCallback callback) {
  const auto number =
      events_.Expect([this, callback = std::move(callback)](const Failure* failure, Reader& value) {
        if (failure != nullptr) return callback(*failure);
        ModelInfo model = GetModel(value, devices_.size());
        if (!value.Done()) return callback(Unintelligible());
        callback(std::move(model));
      });
  if (!number.has_value()) return Lost(kNotLoaded, "since an earlier call");
  Writer contents;
  contents.Put(*number);
  PutLoad(contents, request);
  const auto fds = request.fd >= 0 ? std::span(&request.fd, 1) : std::span<const int>();
  return CallLater(MessageType::kLoadAsync, std::move(contents), fds, *number, kNotLoaded);
}

Outcome<ModelInfo> RemoteSession::Model(uint64_t id) {
  Writer contents;
  contents.Put(id);
  LAROD_TRY(const Message answer, Call(MessageType::kModel, contents, {}));
  Reader reader = ValueOf(answer);
  ModelInfo model = GetModel(reader, devices_.size());
  if (!reader.Done()) return Unintelligible();
  return model;
}

Outcome<std::vector<ModelInfo>> RemoteSession::Models() {
  LAROD_TRY(const Message answer, Call(MessageType::kModels, {}, {}));
  Reader reader = ValueOf(answer);
  std::vector<ModelInfo> models;
  for (size_t left = reader.GetCount(sizeof(uint64_t)); left > 0 && reader.ok(); --left) {
    auto model = Model(reader.Get<uint64_t>());
    if (model.ok()) {
      models.push_back(std::move(*model));
    } else if (model.failure().code != LAROD_ERROR_MODEL_NOT_FOUND) {  // deleted meanwhile
      return model.failure();
    }
  }
  if (!reader.Done()) return Unintelligible();
  return models;
}

Outcome<Nothing> RemoteSession::Delete(uint64_t id) {
  Writer contents;
  contents.Put(id);
  LAROD_RETURN_IF_FAILED(Call(MessageType::kDelete, contents, {}, "Could not delete model: "));
  return Nothing();
}

Outcome<std::vector<uint8_t>> RemoteSession::Export(const LoadRequest& request) {
  Writer contents;
  PutLoad(contents, request);
  const auto fds = request.fd >= 0 ? std::span(&request.fd, 1) : std::span<const int>();
  LAROD_TRY(const Message answer, Call(MessageType::kExport, contents, fds));
  if (answer.descriptors.size() != 1) return Unintelligible();
  return ReadWhole(answer.descriptors[0].get(), SIZE_MAX);
}

void RemoteSession::PutJobOf(Writer& writer, const Job& job, std::vector<int>* fds) {
  const std::lock_guard lock(kept_mutex_);
  const auto kept = [&](const Buffer& buffer) -> std::optional<uint64_t> {
    const auto found = kept_.find(buffer.own.get());
    return found == kept_.end() ? std::nullopt : std::optional(found->second);
  };
  PutJob(writer, job, kept, fds);
}

Outcome<Nothing> RemoteSession::Run(const Job& job) {
  Writer contents;
  std::vector<int> fds;
  PutJobOf(contents, job, &fds);
  LAROD_RETURN_IF_FAILED(Call(MessageType::kRun, contents, fds, kNotRun));
  return Nothing();
}

Outcome<Nothing> RemoteSession::RunAsync(const Job& job, JobCallback callback) {
  const auto number =
      events_.Expect([callback = std::move(callback)](const Failure* failure, Reader&) {
        callback(failure == nullptr ? Outcome<Nothing>(Nothing()) : *failure);
      });
  if (!number.has_value()) return Lost(kNotRun, "since an earlier call");
  Writer contents;
  contents.Put(*number);
  std::vector<int> fds;
  PutJobOf(contents, job, &fds);
  return CallLater(MessageType::kRunAsync, std::move(contents), fds, *number, kNotRun);
}

}  // namespace dlpu::larod
