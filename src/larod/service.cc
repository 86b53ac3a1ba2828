// SPDX-License-Identifier: Apache-2.0
// Models, access rights and the way of a job to its device.
#include "larod/service.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <functional>
#include <string_view>
#include <thread>

#include "larod/log.h"

namespace dlpu::larod {
namespace {

constexpr size_t kLargestModel = size_t{2} << 30;
constexpr const char* kNotLoaded = "Could not load model: ";
constexpr const char* kNotRun = "Could not run job: ";

// Where an open file lies, as the kernel knows it; empty for a file in memory.
std::string PathOf(int fd) {
  std::error_code error;
  const auto path = std::filesystem::read_symlink(fmt::format("/proc/self/fd/{}", fd), error);
  return error || !std::filesystem::exists(path, error) ? "" : path.string();
}

}  // namespace

Outcome<std::shared_ptr<Service>> Service::Make(const ServiceOptions& options) {
  LAROD_TRY(Catalogue catalogue, MakeCatalogue(options.product));
  return std::shared_ptr<Service>(new Service(std::move(catalogue), options));
}

Service::Service(Catalogue catalogue, const ServiceOptions& options)
    : catalogue_(std::move(catalogue)), options_(options) {
  std::map<std::string, size_t> lane_of;
  for (const VirtualDevice& device : catalogue_.devices) {
    devices_.push_back(device.info);
    const auto [lane, is_new] = lane_of.try_emplace(device.lane, lanes_.size());
    if (is_new) lanes_.push_back(std::make_unique<PacedLane>(options.spin));
    device_lanes_.push_back(lane->second);
    counts_.push_back(std::make_unique<Counts>());
    compiled_.emplace_back(device.cache);
  }
}

uint64_t Service::BeginSession() {
  const std::lock_guard lock(mutex_);
  ++sessions_;
  return next_session_++;
}

void Service::EndSession(uint64_t session) {
  const std::lock_guard lock(mutex_);
  --sessions_;
  std::erase_if(models_, [&](const auto& model) {
    return model.second->session == session && model.second->info.access != LAROD_ACCESS_PUBLIC;
  });
}

uint64_t Service::CountSessions() {
  const std::lock_guard lock(mutex_);
  return sessions_;
}

bool Service::HasModels() {
  const std::lock_guard lock(mutex_);
  return !models_.empty();
}

Outcome<std::unique_ptr<Executable>> Service::MakeExecutable(const LoadRequest& request,
                                                             size_t* bytes, uint64_t* hash) {
  const VirtualDevice& device = catalogue_.devices[request.device];
  if (device.facts.runs == "preprocess") {
    if (request.fd >= 0) {
      return Failure{
          LAROD_ERROR_LOAD_MODEL, "Device takes parameters, not a model file",
          fmt::format("{} preprocesses: give file descriptor -1 and a map", device.info.name)};
    }
    return LoadPicture(device, request.params);
  }
  if (request.fd < 0) {
    return Failure{LAROD_ERROR_FD, "Device needs a model file",
                   fmt::format("{} does not run on parameters alone", device.info.name)};
  }
  LAROD_TRY(std::vector<uint8_t> file, ReadWhole(request.fd, kLargestModel));
  *bytes = file.size();
  *hash = std::hash<std::string_view>()({reinterpret_cast<const char*>(file.data()), file.size()});
  return LoadNetwork(catalogue_, device, std::move(file), PathOf(request.fd), request.params,
                     options_.realtime);
}

Outcome<ModelInfo> Service::Load(uint64_t session, const LoadRequest& request) {
  auto model = LoadNow(session, request);
  Counts& counts = *counts_[request.device];
  ++(model.ok() ? counts.loads : counts.loads_failed);
  return model;
}

Outcome<ModelInfo> Service::LoadNow(uint64_t session, const LoadRequest& request) {
  auto model = std::make_shared<Loaded>();
  const auto begin = Pacer::Clock::now();
  if (const auto struck = Strike(session); !struck.ok()) {
    return Prefixed(kNotLoaded, struck.failure());
  }
  uint64_t hash = 0;
  auto executable = MakeExecutable(request, &model->info.bytes, &hash);
  if (!executable.ok()) return Prefixed(kNotLoaded, executable.failure());
  if (const auto fits = Fits(**executable); !fits.ok()) return Prefixed(kNotLoaded, fits.failure());
  if (options_.realtime) {
    PaceLoad(**executable, request.device, hash, model->info.bytes, begin);
  }
  model->executable = std::move(*executable);
  model->session = session;
  model->info.name = request.name;
  model->info.device = request.device;
  model->info.access = request.access;
  model->info.inputs = model->executable->inputs();
  model->info.outputs = model->executable->outputs();
  const std::lock_guard lock(mutex_);
  model->info.id = next_model_++;
  models_[model->info.id] = model;
  return model->info;
}

Outcome<Nothing> Service::Fits(const Executable& executable) {
  std::optional<double> ram = options_.ram_mb;
  if (!ram.has_value() && catalogue_.known_product.has_value()) {
    ram = catalogue_.known_product->ram_mb;
  }
  if (!ram.has_value()) return Nothing();
  size_t bytes = executable.MemoryBytes();
  const std::lock_guard lock(mutex_);
  for (const auto& [id, model] : models_) bytes += model->executable->MemoryBytes();
  if (static_cast<double>(bytes) <= *ram * 1048576.0) return Nothing();
  return Failure{
      LAROD_ERROR_LOAD_MODEL, "Could not allocate tensors",
      fmt::format("with this model, weights and activations of the {} models loaded take "
                  "{:.1f} MiB, and the camera has {:g}: delete models, or choose a "
                  "product with more memory (dlpu products --min-ram MB)",
                  models_.size() + 1, static_cast<double>(bytes) / 1048576, *ram)};
}

Outcome<std::vector<uint8_t>> Service::Export(const LoadRequest& request) {
  constexpr const char* kNotExported = "Could not export model: ";
  const VirtualDevice& device = catalogue_.devices[request.device];
  if (request.fd < 0) {
    return Failure{LAROD_ERROR_FD, std::string(kNotExported) + "No model file is given", ""};
  }
  auto file = ReadWhole(request.fd, kLargestModel);
  if (!file.ok()) return Prefixed(kNotExported, file.failure());
  auto program = ExportNetwork(catalogue_, device, *file, PathOf(request.fd));
  if (!program.ok()) return Prefixed(kNotExported, program.failure());
  Log(fmt::format("exported for {}: virtual devices run the file, cameras make their own",
                  device.info.name));
  return program;
}

Outcome<ModelInfo> Service::Model(uint64_t id) {
  const std::lock_guard lock(mutex_);
  const auto found = models_.find(id);
  if (found == models_.end()) {
    return Failure{LAROD_ERROR_MODEL_NOT_FOUND, fmt::format("Could not find model {}", id), ""};
  }
  return found->second->info;
}

std::vector<ModelInfo> Service::Models() {
  const std::lock_guard lock(mutex_);
  std::vector<ModelInfo> infos;
  for (const auto& [id, model] : models_) infos.push_back(model->info);
  return infos;
}

Outcome<std::shared_ptr<Service::Loaded>> Service::Usable(uint64_t session, uint64_t id) {
  LAROD_RETURN_IF_FAILED(Alive(session));
  const std::lock_guard lock(mutex_);
  const auto found = models_.find(id);
  if (found == models_.end()) {
    return Failure{LAROD_ERROR_MODEL_NOT_FOUND, fmt::format("Could not find model {}", id),
                   "it was deleted, or its private owner disconnected"};
  }
  const Loaded& model = *found->second;
  if (model.session != session && model.info.access != LAROD_ACCESS_PUBLIC) {
    return Failure{LAROD_ERROR_PERMISSION, fmt::format("No permission to use model {}", id),
                   "it is private to the session that loaded it"};
  }
  return found->second;
}

Outcome<Nothing> Service::Delete(uint64_t session, uint64_t id) {
  auto model = Usable(session, id);
  if (!model.ok()) return Prefixed("Could not delete model: ", model.failure());
  const std::lock_guard lock(mutex_);
  models_.erase(id);
  return Nothing();
}

Outcome<Nothing> Service::Alive(uint64_t session) {
  const std::lock_guard lock(mutex_);
  if (session > crashed_) return Nothing();
  return Failure{LAROD_ERROR_CONNECTION, "Asynchronous connection has been closed",
                 "the service crashed, as asked for; connect again"};
}

Outcome<Nothing> Service::Strike(uint64_t session) {
  LAROD_RETURN_IF_FAILED(Alive(session));
  if (!options_.fault.has_value()) return Nothing();
  const Fault fault = *options_.fault;
  {
    const std::lock_guard lock(mutex_);
    ++strikes_;
    if (fault.kind == FaultKind::kPower && strikes_ <= fault.n) {
      return Failure{LAROD_ERROR_POWER_NOT_AVAILABLE, "Power not available",
                     "a fault that was asked for; applications try again after a while"};
    }
    if (fault.kind == FaultKind::kCrash && strikes_ == fault.n) {
      crashed_ = next_session_ - 1;
      models_.clear();
    }
  }
  if (fault.kind == FaultKind::kTimeout) {
    std::this_thread::sleep_for(std::chrono::seconds(fault.n));
    return Failure{ETIMEDOUT, "Connection timed out", "a fault that was asked for"};
  }
  return Alive(session);
}

// REQUIRES: the model's lane is held.
void Service::Pace(const Loaded& model, const Job& job, Pacer::Clock::time_point begin) {
  const bool slow = options_.fault.has_value() && options_.fault->kind == FaultKind::kSlow;
  if (!options_.realtime && !slow) return;
  Pacer::Milliseconds duration = Pacer::Clock::now() - begin;
  if (options_.realtime) {
    const std::optional<double> predicted = model.executable->CameraTime(job);
    if (!predicted.has_value() && !slow) return;
    if (predicted.has_value()) duration = Pacer::Milliseconds(*predicted);
  }
  if (slow) duration *= static_cast<double>(options_.fault->n);
  LaneOf(model.info.device).pacer.Wait(begin, duration);
}

void Service::PaceLoad(const Executable& executable, size_t device, uint64_t hash, size_t bytes,
                       Pacer::Clock::time_point begin) {
  bool cached = false;
  {
    const std::lock_guard lock(mutex_);
    cached = compiled_[device].Use(hash, bytes);
  }
  const std::optional<double> duration = executable.CameraLoadTime(cached);
  if (!duration.has_value()) return;
  if (!cached) Log(fmt::format("the camera loads the model for {:.1f} s", *duration / 1000));
  Pacer().Wait(begin, Pacer::Milliseconds(*duration));
}

// REQUIRES: the lane of the job's device is held.
Outcome<Nothing> Service::Compute(uint64_t session, const Job& job) {
  auto model = Usable(session, job.model);
  if (!model.ok()) return Prefixed(kNotRun, model.failure());
  Counts& counts = *counts_[(*model)->info.device];
  const auto begin = Pacer::Clock::now();
  const auto done = ComputeNow(session, job, **model);
  const auto took =
      std::chrono::duration_cast<std::chrono::microseconds>(Pacer::Clock::now() - begin);
  ++(done.ok() ? counts.jobs : counts.jobs_failed);
  counts.microseconds += static_cast<uint64_t>(took.count());
  return done.ok() ? done : Prefixed(kNotRun, done.failure());
}

Outcome<Nothing> Service::ComputeNow(uint64_t session, const Job& job, const Loaded& model) {
  LAROD_RETURN_IF_FAILED(CheckTensors(job, model.info, devices_[model.info.device]));
  const auto begin = Pacer::Clock::now();
  LAROD_RETURN_IF_FAILED(Strike(session));
  LAROD_RETURN_IF_FAILED(model.executable->Run(job));
  Pace(model, job, begin);
  return Nothing();
}

Outcome<Nothing> Service::Run(uint64_t session, const Job& job) {
  auto model = Usable(session, job.model);
  if (!model.ok()) return Prefixed(kNotRun, model.failure());
  Outcome<Nothing> result = Nothing();
  LaneOf((*model)->info.device).lane.RunHere(session, kDefaultPriority, [&] {
    result = Compute(session, job);
  });
  return result;
}

Outcome<Nothing> Service::Queue(uint64_t session, Job job, JobCallback callback) {
  auto model = Usable(session, job.model);
  if (!model.ok()) return Prefixed(kNotRun, model.failure());
  const uint8_t priority = job.priority;
  LaneOf((*model)->info.device)
      .lane.Queue(
          session, priority,
          [this, session, job = std::move(job), callback = std::move(callback)](bool cancelled) {
            callback(cancelled ? Failure{LAROD_ERROR_CONNECTION,
                                         "Asynchronous connection has been closed",
                                         "the session ended before the job began"}
                               : Compute(session, job));
          });
  return Nothing();
}

void Service::Occupy(size_t device, const std::function<void()>& work) {
  constexpr uint64_t kNobody = 0;  // sessions count from 1
  LaneOf(device).lane.RunHere(kNobody, kHighestPriority, work);
}

void Service::CancelQueued(uint64_t session) {
  for (const auto& lane : lanes_) lane->lane.Cancel(session);
}

}  // namespace dlpu::larod
