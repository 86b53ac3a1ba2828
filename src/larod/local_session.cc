// SPDX-License-Identifier: Apache-2.0
// A session with the service of this process, and that service itself.
#include <mutex>
#include <thread>

#include "larod/callback_thread.h"
#include "larod/service.h"

namespace dlpu::larod {
namespace {

// The one service of a process: made for the first session, kept for the sake of public models.
std::mutex& ServiceMutex() {
  static auto* const mutex = new std::mutex;  // never destroyed: sessions may end at exit
  return *mutex;
}
std::shared_ptr<Service>& TheService() {
  static auto* const service = new std::shared_ptr<Service>;
  return *service;
}

class LocalSession : public Session {
 public:
  explicit LocalSession(std::shared_ptr<Service> service)
      : service_(std::move(service)),
        number_(service_->BeginSession()),
        callbacks_(service_->spin()) {}
  ~LocalSession() override { (void)Close(); }

  const std::vector<DeviceInfo>& devices() const override { return service_->devices(); }
  Outcome<uint64_t> CountSessions() override { return service_->CountSessions(); }

  Outcome<ModelInfo> Load(const LoadRequest& request) override {
    return service_->Load(number_, request);
  }

  Outcome<Nothing> LoadAsync(const LoadRequest& request, LoadCallback callback) override {
    LoadRequest copy = request;
    auto file = std::make_shared<Fd>();
    if (request.fd >= 0) {
      LAROD_TRY(*file, Duplicate(request.fd));
      copy.fd = file->get();
    }
    callbacks_.Expect();
    // Loads follow each other; jobs go on meanwhile.
    loads_.Queue(
        number_, kDefaultPriority,
        [this, copy = std::move(copy), file, callback = std::move(callback)](bool gone) {
          Outcome<ModelInfo> model =
              gone ? Failure{LAROD_ERROR_CONNECTION,
                             "Could not load model: Asynchronous connection has been closed",
                             "the session ended before the load began"}
                   : service_->Load(number_, copy);
          callbacks_.Post([callback, model = std::move(model)] { callback(model); });
        });
    return Nothing();
  }

  Outcome<ModelInfo> Model(uint64_t id) override { return service_->Model(id); }
  Outcome<std::vector<ModelInfo>> Models() override { return service_->Models(); }
  Outcome<Nothing> Delete(uint64_t id) override { return service_->Delete(number_, id); }

  Outcome<std::vector<uint8_t>> Export(const LoadRequest& request) override {
    return service_->Export(request);
  }

  Outcome<std::shared_ptr<const Fd>> Keep(int fd) override {
    LAROD_TRY(Fd own, Duplicate(fd));
    return std::shared_ptr<const Fd>(std::make_shared<Fd>(std::move(own)));
  }

  Outcome<Nothing> Run(const Job& job) override { return service_->Run(number_, job); }

  Outcome<Nothing> RunAsync(const Job& job, JobCallback callback) override {
    Job copy = job;
    LAROD_RETURN_IF_FAILED(KeepOpen(copy.inputs));
    LAROD_RETURN_IF_FAILED(KeepOpen(copy.outputs));
    callbacks_.Expect();
    auto queued = service_->Queue(
        number_, std::move(copy), [this, callback = std::move(callback)](Outcome<Nothing> done) {
          callbacks_.Post([callback, done = std::move(done)] { callback(done); });
        });
    if (!queued.ok()) callbacks_.Forget();
    return queued;
  }

  Outcome<Nothing> Close() override {
    {
      const std::lock_guard lock(close_mutex_);
      if (closed_) return Nothing();
      closed_ = true;
    }
    loads_.Cancel(number_);
    service_->CancelQueued(number_);
    callbacks_.Stop();
    service_->EndSession(number_);
    const std::lock_guard lock(ServiceMutex());
    std::shared_ptr<Service>& the = TheService();
    if (the == service_ && the->CountSessions() == 0 && !the->HasModels()) the = nullptr;
    return Nothing();
  }

  bool InCallback() const override { return callbacks_.IsCurrent(); }

 private:
  // Gives each buffer a descriptor of its own. What is not open fails when the job runs.
  static Outcome<Nothing> KeepOpen(std::vector<Buffer>& buffers) {
    for (Buffer& buffer : buffers) {
      if (buffer.own != nullptr || buffer.fd < 0) continue;
      LAROD_TRY(Fd copy, Duplicate(buffer.fd));
      buffer.own = std::make_shared<Fd>(std::move(copy));
    }
    return Nothing();
  }

  const std::shared_ptr<Service> service_;
  const uint64_t number_;
  std::mutex close_mutex_;
  bool closed_ = false;
  CallbackThread callbacks_;
  Lane loads_{/*spin=*/false};  // destroyed first: its thread may still post
};

}  // namespace

std::shared_ptr<Session> Service::NewSession() {
  return std::make_shared<LocalSession>(shared_from_this());
}

Outcome<std::shared_ptr<Session>> OpenLocalSession() {
  const std::lock_guard lock(ServiceMutex());
  std::shared_ptr<Service>& the = TheService();
  if (the == nullptr) {
    LAROD_TRY(const ServiceOptions options, OptionsFromEnvironment());
    LAROD_TRY(the, Service::Make(options));
  }
  return the->NewSession();
}

}  // namespace dlpu::larod
