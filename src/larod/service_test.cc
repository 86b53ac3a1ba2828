// SPDX-License-Identifier: Apache-2.0
// The service by itself: what waits for what. A device that a test keeps busy shows it, however
// fast or slow the machine is.
#include "larod/service.h"

#include <gtest/gtest.h>

#include <future>

#include "larod/daemon/daemon_testing.h"

namespace dlpu::larod {
namespace {

// A job of the built-in classifier, loaded on a device, and its end.
struct Queued {
  Queued(Session& with, const char* device) : session(with) {
    const Fd file = DigitsFile();
    auto model = session.Load(DigitsRequest(file.get(), DeviceNamed(session, device)));
    EXPECT_TRUE(model.ok());
    id = model->id;
    job = {id, {BufferOf(model->inputs[0], Bytes(784))}, {BufferOf(model->outputs[0], {})}, {}};
  }
  void Queue() {
    EXPECT_TRUE(
        session.RunAsync(job, [this](const Outcome<Nothing>& done) { ended.set_value(done); })
            .ok());
  }
  Session& session;
  uint64_t id = 0;
  Job job;
  std::promise<Outcome<Nothing>> ended;
};

double Waiting(Service& service, const std::string& device) {
  const std::string text = service.Metrics();
  const std::string name = "dlpu_larod_waiting{device=\"" + device + "\"} ";
  const size_t at = text.find(name);
  EXPECT_NE(at, std::string::npos) << text;
  return at == std::string::npos ? -1 : std::stod(text.substr(at + name.size()));
}

class ServiceTest : public ::testing::Test {
 protected:
  ServiceTest() {
    setenv("DLPU_LAROD_LOG", "none", 1);
    auto made = Service::Make({"artpec8", false, {}});
    EXPECT_TRUE(made.ok());
    service = *made;
    session = service->NewSession();
  }
  std::shared_ptr<Service> service;
  std::shared_ptr<Session> session;
};

// On ARTPEC-8 the DLPU waits for the GPU and for its own preprocessing, not for the CPU.
TEST_F(ServiceTest, DlpuWaitsForGpuAndNotForCpu) {
  for (const char* device : {"axis-a8-gpu-proc", "axis-a8-dlpu-proc"}) {
    Queued job(*session, "axis-a8-dlpu-tflite");
    Busy busy(service, device);
    job.Queue();
    EXPECT_EQ(Waiting(*service, "axis-a8-dlpu-tflite"), 1) << device;
    busy.Release();
    EXPECT_TRUE(job.ended.get_future().get().ok());
  }
  for (const char* device : {"cpu-proc", "axis-ace-proc", "cpu-tflite"}) {
    Queued job(*session, "axis-a8-dlpu-tflite");
    const Busy busy(service, device);
    job.Queue();  // its end is not that of the other device
    EXPECT_TRUE(job.ended.get_future().get().ok()) << device;
  }
}

TEST_F(ServiceTest, ModelDeletedWhileAJobIsQueued) {
  Queued job(*session, "cpu-tflite");
  Busy busy(service, "cpu-tflite");
  job.Queue();
  EXPECT_TRUE(session->Delete(job.id).ok());
  busy.Release();
  const auto done = job.ended.get_future().get();
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.failure().code, LAROD_ERROR_MODEL_NOT_FOUND);
}

TEST_F(ServiceTest, SessionsTakeTurns) {
  const auto other = service->NewSession();
  std::vector<std::unique_ptr<Queued>> jobs;
  for (int i = 0; i < 6; ++i) {
    jobs.push_back(std::make_unique<Queued>(i < 3 ? *session : *other, "cpu-tflite"));
  }
  std::mutex mutex;
  std::vector<int> order;
  Busy busy(service, "cpu-tflite");
  for (int i = 0; i < 6; ++i) {
    Queued& job = *jobs[static_cast<size_t>(i)];
    job.job.priority = i < 3 ? 100 : 0;  // priorities of sessions are not compared
    // Begun is what counts; callbacks of two sessions come on two threads.
    const uint64_t number = i < 3 ? 1 : 2;
    EXPECT_TRUE(service
                    ->Queue(number, job.job,
                            [&, i](const Outcome<Nothing>& done) {
                              EXPECT_TRUE(done.ok());
                              const std::lock_guard lock(mutex);
                              order.push_back(i);
                              if (order.size() == 6) jobs[0]->ended.set_value(Nothing());
                            })
                    .ok());
  }
  busy.Release();
  EXPECT_TRUE(jobs[0]->ended.get_future().get().ok());
  EXPECT_EQ(order, (std::vector<int>{0, 3, 1, 4, 2, 5}));
}

// All models together must fit the camera's memory, whoever loaded them.
TEST_F(ServiceTest, MemoryOfAllModelsIsLimited) {
  ServiceOptions options{"artpec8", false, {}};
  options.ram_mb = 0.5;
  service = *Service::Make(options);
  session = service->NewSession();
  const auto other = service->NewSession();
  const Fd file = DigitsFile();
  std::vector<ModelInfo> loaded;
  std::optional<Failure> full;
  while (!full.has_value() && loaded.size() < 1000) {
    Session& with = loaded.size() % 2 == 0 ? *session : *other;
    auto model = with.Load(DigitsRequest(file.get(), 0));
    if (model.ok()) loaded.push_back(*model);
    if (!model.ok()) full = model.failure();
  }
  ASSERT_TRUE(full.has_value()) << "1000 models fit half a megabyte";
  ASSERT_GE(loaded.size(), 2u);
  EXPECT_EQ(full->code, LAROD_ERROR_LOAD_MODEL);
  EXPECT_EQ(full->message, "Could not load model: Could not allocate tensors");
  EXPECT_NE(full->cause.find("the camera has 0.5"), std::string::npos) << full->cause;
  EXPECT_TRUE(session->Delete(loaded[0].id).ok());
  EXPECT_TRUE(other->Load(DigitsRequest(file.get(), 0)).ok()) << "there is room again";
}

TEST(CompiledCache, ForgetsWhatWasUsedLongestAgo) {
  CompiledCache cache({100, 3});
  EXPECT_FALSE(cache.Use(1, 10));
  EXPECT_TRUE(cache.Use(1, 10));
  EXPECT_FALSE(cache.Use(2, 10));
  EXPECT_FALSE(cache.Use(3, 10));
  EXPECT_TRUE(cache.Use(1, 10));
  EXPECT_FALSE(cache.Use(4, 10)) << "the fourth file";
  EXPECT_FALSE(cache.Use(2, 10)) << "was forgotten for it";
  EXPECT_TRUE(cache.Use(1, 10));
  EXPECT_FALSE(cache.Use(5, 95)) << "all but this have to go";
  EXPECT_FALSE(cache.Use(1, 10));
  EXPECT_FALSE(cache.Use(5, 95));
  EXPECT_FALSE(cache.Use(6, 101)) << "larger than the cache: compiled each time";
  EXPECT_FALSE(cache.Use(6, 101));
  EXPECT_TRUE(cache.Use(5, 95)) << "and nothing is forgotten for it";
}

}  // namespace
}  // namespace dlpu::larod
