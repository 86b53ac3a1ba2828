// SPDX-License-Identifier: Apache-2.0
// What the daemon does for each kind of message.
#include <fmt/format.h>

#include "larod/daemon/client.h"
#include "larod/wire/codec.h"

namespace dlpu::larod {

Client::Answer Client::Dispatch(Message& message, Writer& value, Fd* file) {
  if (message.type == MessageType::kMetrics) {
    value.PutText(shared_.metrics());
    return Nothing();
  }
  if (message.type == MessageType::kHello) {
    return session_ == nullptr ? Hello(message, value) : Refused("a second greeting");
  }
  if (session_ == nullptr) return Refused("no greeting came first");
  switch (message.type) {
    case MessageType::kCountSessions: {
      LAROD_TRY(const uint64_t count, session_->CountSessions());
      value.Put(count);
      return Nothing();
    }
    case MessageType::kLoad:
      return Load(message, value);
    case MessageType::kLoadAsync:
      return LoadLater(message);
    case MessageType::kModel:
      return ModelById(message, value);
    case MessageType::kModels:
      return ListModels(message, value);
    case MessageType::kDelete:
      return Delete(message);
    case MessageType::kExport:
      return Export(message, file);
    case MessageType::kRun:
      return Run(message);
    case MessageType::kRunAsync:
      return RunLater(message);
    case MessageType::kKeep:
      return Keep(message);
    case MessageType::kForget:
      return Forget(message);
    case MessageType::kClose:
      return Close();
    default:
      return Refused("messages of this type are not requests");
  }
}

Client::Answer Client::Load(Message& message, Writer& value) {
  Reader reader(message.contents);
  const LoadRequest request = GetLoad(reader, session_->devices().size(), message.descriptors);
  if (!reader.Done()) return Refused("a load request, but what of?");
  LAROD_TRY(const ModelInfo model, session_->Load(request));
  PutModel(value, model);
  return Nothing();
}

Client::Answer Client::LoadLater(Message& message) {
  Reader reader(message.contents);
  const auto tag = reader.Get<uint64_t>();
  const LoadRequest request = GetLoad(reader, session_->devices().size(), message.descriptors);
  if (!reader.Done()) return Refused("a load request, but what of?");
  LAROD_RETURN_IF_FAILED(BeginLater());
  Answer queued = session_->LoadAsync(request, [this, tag](Outcome<ModelInfo> model) {
    SendDone(tag, model.ok() ? nullptr : &model.failure(), model.ok() ? &*model : nullptr);
  });
  if (!queued.ok()) queued_.fetch_sub(1);
  return queued;
}

Client::Answer Client::ModelById(Message& message, Writer& value) {
  Reader reader(message.contents);
  const auto id = reader.Get<uint64_t>();
  if (!reader.Done()) return Refused("a model, but which?");
  LAROD_TRY(const ModelInfo model, session_->Model(id));
  PutModel(value, model);
  return Nothing();
}

Client::Answer Client::ListModels(Message& message, Writer& value) {
  if (!message.contents.empty()) return Refused("models need no more words");
  LAROD_TRY(const std::vector<ModelInfo> models, session_->Models());
  value.Put(static_cast<uint32_t>(models.size()));
  for (const ModelInfo& model : models) value.Put(model.id);
  return Nothing();
}

Client::Answer Client::Delete(Message& message) {
  Reader reader(message.contents);
  const auto id = reader.Get<uint64_t>();
  if (!reader.Done()) return Refused("a model, but which?");
  return session_->Delete(id);
}

Client::Answer Client::Export(Message& message, Fd* file) {
  Reader reader(message.contents);
  const LoadRequest request = GetLoad(reader, session_->devices().size(), message.descriptors);
  if (!reader.Done()) return Refused("a load request, but what of?");
  LAROD_TRY(const std::vector<uint8_t> bytes, session_->Export(request));
  LAROD_TRY(*file, MemoryFile("larod-export", 0));
  return WriteAt(file->get(), 0, bytes);
}

Outcome<Job> Client::TakeJob(Reader& reader, Message& message) {
  auto held = descriptors_.Hold(std::move(message.descriptors));
  if (!held.has_value()) {
    return Failure{LAROD_ERROR_JOB, "Could not run job: too many file descriptors are queued",
                   fmt::format("{} are in use; wait for callbacks, or track the tensors",
                               descriptors_.held())};
  }
  Job job = GetJob(reader, *held, [&](uint64_t number) { return descriptors_.Kept(number); });
  if (!reader.Done()) return Refused("a job, but which?").failure();
  return job;
}

Client::Answer Client::Run(Message& message) {
  Reader reader(message.contents);
  LAROD_TRY(const Job job, TakeJob(reader, message));
  return session_->Run(job);
}

Client::Answer Client::RunLater(Message& message) {
  Reader reader(message.contents);
  const auto tag = reader.Get<uint64_t>();
  LAROD_TRY(const Job job, TakeJob(reader, message));
  LAROD_RETURN_IF_FAILED(BeginLater());
  Answer queued = session_->RunAsync(job, [this, tag](Outcome<Nothing> done) {
    SendDone(tag, done.ok() ? nullptr : &done.failure(), nullptr);
  });
  if (!queued.ok()) queued_.fetch_sub(1);
  return queued;
}

Client::Answer Client::Keep(Message& message) {
  Reader reader(message.contents);
  const auto number = reader.Get<uint64_t>();
  if (!reader.Done() || message.descriptors.size() != 1) return Refused("a file to keep, but how?");
  auto held = descriptors_.Hold(std::move(message.descriptors));
  if (!held.has_value()) {
    return Failure{LAROD_ERROR_ALLOC, "Too many file descriptors are in use", ""};
  }
  descriptors_.Keep(number, (*held)[0]);
  return Nothing();
}

Client::Answer Client::Forget(Message& message) {
  Reader reader(message.contents);
  const auto number = reader.Get<uint64_t>();
  if (!reader.Done()) return Refused("a file to forget, but which?");
  descriptors_.Forget(number);
  return Nothing();
}

}  // namespace dlpu::larod
