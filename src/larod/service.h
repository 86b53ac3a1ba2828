// SPDX-License-Identifier: Apache-2.0
// Service: the virtual camera's larod. It has the devices of one product, the loaded models of all
// sessions and a lane for each piece of hardware. Owned by its sessions; any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "larod/catalogue.h"
#include "larod/executable.h"
#include "larod/lane.h"
#include "larod/outcome.h"
#include "larod/pacer.h"
#include "larod/service_options.h"
#include "larod/session.h"
#include "larod/types.h"

namespace dlpu::larod {

class Service : public std::enable_shared_from_this<Service> {
 public:
  // -7 for an unknown product.
  static Outcome<std::shared_ptr<Service>> Make(const ServiceOptions& options);

  std::shared_ptr<Session> NewSession();

  const Catalogue& catalogue() const { return catalogue_; }
  const std::vector<DeviceInfo>& devices() const { return devices_; }
  bool spin() const { return options_.spin; }

  // For sessions; `session` is the caller's number.
  uint64_t BeginSession();
  void EndSession(uint64_t session);  // unloads its private models
  uint64_t CountSessions();
  bool HasModels();

  Outcome<ModelInfo> Load(uint64_t session, const LoadRequest& request);
  Outcome<ModelInfo> Model(uint64_t id);
  std::vector<ModelInfo> Models();
  Outcome<Nothing> Delete(uint64_t session, uint64_t id);
  Outcome<std::vector<uint8_t>> Export(const LoadRequest& request);
  // What happened so far, in the text format of Prometheus.
  std::string Metrics();
  // Waits for the device, then computes on this thread.
  Outcome<Nothing> Run(uint64_t session, const Job& job);
  // `callback` comes from the lane's thread.
  Outcome<Nothing> Queue(uint64_t session, Job job, JobCallback callback);
  void CancelQueued(uint64_t session);
  // Runs `work` on this thread while the device, and what shares its hardware, does nothing else.
  void Occupy(size_t device, const std::function<void()>& work);

 private:
  struct Loaded {
    ModelInfo info;
    uint64_t session;  // that loaded it
    std::shared_ptr<Executable> executable;
  };

  struct Counts {  // of a device
    std::atomic<uint64_t> loads{0}, loads_failed{0}, jobs{0}, jobs_failed{0}, microseconds{0};
  };

  // Hardware, and the pace of its jobs.
  struct PacedLane {
    explicit PacedLane(bool spin) : lane(spin) {}
    Lane lane;
    Pacer pacer;  // of who holds the lane
  };

  Service(Catalogue catalogue, const ServiceOptions& options);
  PacedLane& LaneOf(size_t device) { return *lanes_[device_lanes_[device]]; }
  Outcome<std::unique_ptr<Executable>> MakeExecutable(const LoadRequest& request, size_t* bytes,
                                                      uint64_t* hash);
  // The model a session may run or delete.
  Outcome<std::shared_ptr<Loaded>> Usable(uint64_t session, uint64_t id);
  Outcome<Nothing> Compute(uint64_t session, const Job& job);
  Outcome<ModelInfo> LoadNow(uint64_t session, const LoadRequest& request);
  Outcome<Nothing> ComputeNow(uint64_t session, const Job& job, const Loaded& model);
  // What the fault that was asked for does to this load or job.
  Outcome<Nothing> Strike(uint64_t session);
  // -6 for a session whose service has crashed.
  Outcome<Nothing> Alive(uint64_t session);
  void Pace(const Loaded& model, const Job& job, Pacer::Clock::time_point begin);
  void PaceLoad(const Executable& executable, size_t device, uint64_t hash, size_t bytes,
                Pacer::Clock::time_point begin);
  // Whether the camera has memory for one more model.
  Outcome<Nothing> Fits(const Executable& executable);

  const Catalogue catalogue_;
  const ServiceOptions options_;
  std::vector<DeviceInfo> devices_;
  std::vector<std::unique_ptr<PacedLane>> lanes_;
  std::vector<size_t> device_lanes_;             // of each device
  std::vector<std::unique_ptr<Counts>> counts_;  // of each device

  std::mutex mutex_;  // of what follows
  std::map<uint64_t, std::shared_ptr<Loaded>> models_;
  uint64_t next_model_ = 1, next_session_ = 1, sessions_ = 0;
  int64_t strikes_ = 0;                  // loads and jobs so far
  uint64_t crashed_ = 0;                 // sessions up to this number are dead
  std::vector<CompiledCache> compiled_;  // of each device
};

}  // namespace dlpu::larod
