// SPDX-License-Identifier: Apache-2.0
// What the tests of the daemon share: a daemon in this process, applications that use it over its
// socket as liblarod does, and what the plain runner computes.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "larod/daemon/server.h"
#include "larod/session.h"

namespace dlpu::larod {

using Bytes = std::vector<uint8_t>;

// Waits until that is so, for as long as a busy machine may need.
::testing::AssertionResult Eventually(const std::function<bool()>& holds);

// Keeps a device busy while it lives: what is queued meanwhile stays queued.
class Busy {
 public:
  Busy(std::shared_ptr<Service> service, const std::string& device);
  Busy(const Busy&) = delete;
  ~Busy() { Release(); }
  void Release();

 private:
  std::promise<void> release_;
  std::thread thread_;
};

// A daemon at a socket of its own; "artpec8" unless told otherwise.
class TestDaemon {
 public:
  explicit TestDaemon(const ServiceOptions& options = {"artpec8", false, {}},
                      const std::string& path = "");
  const std::string& path() const { return path_; }
  // A value of the metrics, for example "dlpu_larod_sessions".
  double Metric(const std::string& name) const;
  // Waits until the metric has that value.
  ::testing::AssertionResult Becomes(const std::string& name, double value) const;
  Server& server() { return *server_; }
  void Stop() { server_ = nullptr; }

 private:
  std::string path_;
  std::unique_ptr<Server> server_;
};

// One application: a session with three models and a job for each, with what must come out.
struct Application {
  // `seed` makes the inputs. Devices by their order on ARTPEC-8.
  Application(const std::string& path, uint32_t seed);
  ~Application();
  // Whether the job of that model went well and the result is the right one.
  bool RunRight(size_t model);
  // The output of a job.
  Bytes Output(size_t model) const;

  std::shared_ptr<Session> session;
  std::vector<ModelInfo> models;
  std::vector<Job> jobs;
  std::vector<Bytes> expected;
};

inline constexpr size_t kTestModels = 3;  // two networks, on DLPU and CPU, and a preprocessing
std::shared_ptr<Session> OpenOrFail(const std::string& path);
LoadRequest DigitsRequest(int fd, size_t device);
Fd DigitsFile(const char* name = "digits_int8");
// Device indices of ARTPEC-8 by name.
size_t DeviceNamed(const Session& session, const std::string& name);
// A buffer on a new file in memory that holds `bytes`.
Buffer BufferOf(const TensorSpec& spec, const Bytes& bytes);
Bytes Noise(size_t count, uint32_t seed);
// Descriptors that this process has open.
size_t OpenDescriptors();

}  // namespace dlpu::larod
