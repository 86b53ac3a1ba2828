// SPDX-License-Identifier: Apache-2.0
// Applications that share a daemon: results, models, priorities, the end.
#include <fcntl.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "larod/daemon/daemon_testing.h"

namespace dlpu::larod {
namespace {

// Counts the results of queued jobs.
struct Results {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<int> order;  // tags of jobs, as they were done
  int failed = 0, last_code = 0;

  JobCallback Tagged(int tag) {
    return [this, tag](const Outcome<Nothing>& done) {
      const std::lock_guard lock(mutex);
      order.push_back(tag);
      if (!done.ok()) ++failed, last_code = done.failure().code;
      changed.notify_all();
    };
  }
  void Wait(size_t count) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return order.size() >= count; });
  }
};

TEST(Daemon, EightApplicationsRunThreeModelsSideBySide) {
  constexpr int kApplications = 8, kJobs = 200;
  TestDaemon daemon;
  std::vector<std::thread> threads;
  std::vector<int> right(kApplications);
  for (int a = 0; a < kApplications; ++a) {
    threads.emplace_back([&, a] {
      Application application(daemon.path(), static_cast<uint32_t>(100 * a));
      int& count = right[static_cast<size_t>(a)];
      for (size_t model = 0; model < kTestModels; ++model) {
        for (int i = 0; i < kJobs / 2; ++i) count += application.RunRight(model) ? 1 : 0;
      }
      // The other half is queued, all models at once.
      Results results;
      for (int i = 0; i < kJobs / 2; ++i) {
        for (size_t model = 0; model < kTestModels; ++model) {
          Job& job = application.jobs[model];
          job.priority = static_cast<uint8_t>(i % 101);
          if (i == 0) (void)ftruncate(job.outputs[0].fd, 0);
          if (!application.session->RunAsync(job, results.Tagged(0)).ok()) return;
        }
      }
      results.Wait(kTestModels * kJobs / 2);
      count += static_cast<int>(results.order.size()) - results.failed;
      for (size_t model = 0; model < kTestModels; ++model) {
        EXPECT_EQ(application.Output(model), application.expected[model]);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const int count : right) EXPECT_EQ(count, static_cast<int>(kTestModels) * kJobs);
  for (const char* device : {"axis-a8-dlpu-tflite", "cpu-tflite", "cpu-proc"}) {
    const std::string label = std::string("{device=\"") + device + "\",result=\"";
    EXPECT_EQ(daemon.Metric("dlpu_larod_jobs_total" + label + "done\"}"), kApplications * kJobs);
    EXPECT_EQ(daemon.Metric("dlpu_larod_jobs_total" + label + "failed\"}"), 0);
  }
  EXPECT_TRUE(daemon.Becomes("dlpu_larod_sessions", 0));
  EXPECT_EQ(daemon.Metric("dlpu_larod_models"), 0);
}

// What the device does not get to is queued in the order of priorities, then of age.
TEST(Daemon, HigherPrioritiesGoFirstWithinASession) {
  TestDaemon daemon;
  const auto session = OpenOrFail(daemon.path());
  const Fd file = DigitsFile();
  auto model = session->Load(DigitsRequest(file.get(), DeviceNamed(*session, "cpu-tflite")));
  ASSERT_TRUE(model.ok());
  Job job{
      model->id, {BufferOf(model->inputs[0], Bytes(784))}, {BufferOf(model->outputs[0], {})}, {}};
  Results results;
  Busy busy(daemon.server().service(), "cpu-tflite");
  std::vector<int> expected;
  for (int i = 0; i < 30; ++i) {
    job.priority = static_cast<uint8_t>(10 + 40 * (i % 3));
    ASSERT_TRUE(session->RunAsync(job, results.Tagged(i)).ok());
  }
  for (const int third : {2, 1, 0}) {
    for (int i = third; i < 30; i += 3) expected.push_back(i);
  }
  EXPECT_EQ(daemon.Metric("dlpu_larod_waiting{device=\"cpu-tflite\"}"), 30);
  busy.Release();
  results.Wait(30);
  EXPECT_EQ(results.failed, 0);
  EXPECT_EQ(results.order, expected);
}

TEST(Daemon, PrivateModelsAreSeenPublicOnesAreShared) {
  TestDaemon daemon;
  Application owner(daemon.path(), 1);
  const auto other = OpenOrFail(daemon.path());
  EXPECT_EQ(*other->CountSessions(), 2u);
  auto models = other->Models();
  ASSERT_TRUE(models.ok());
  EXPECT_EQ(models->size(), kTestModels);
  const auto seen = other->Model(owner.models[0].id);
  ASSERT_TRUE(seen.ok());
  EXPECT_EQ((*seen).name, "digits");
  EXPECT_EQ((*seen).inputs[0].bytes, 784u);
  EXPECT_EQ((*seen).inputs[0].name, owner.models[0].inputs[0].name);
  EXPECT_EQ(other->Run(owner.jobs[0]).failure().code, LAROD_ERROR_PERMISSION);
  EXPECT_EQ(other->Delete(owner.models[0].id).failure().code, LAROD_ERROR_PERMISSION);
  EXPECT_EQ(other->Model(999).failure().code, LAROD_ERROR_MODEL_NOT_FOUND);
  // A public model is everyone's and outlives the session that loaded it.
  uint64_t id = 0;
  {
    const auto giver = OpenOrFail(daemon.path());
    const Fd file = DigitsFile();
    LoadRequest request = DigitsRequest(file.get(), DeviceNamed(*giver, "axis-a8-dlpu-tflite"));
    request.access = LAROD_ACCESS_PUBLIC;
    auto model = giver->Load(request);
    ASSERT_TRUE(model.ok());
    id = model->id;
    EXPECT_TRUE(giver->Close().ok());
  }
  Job job = owner.jobs[0];
  job.model = id;
  EXPECT_TRUE(other->Run(job).ok());
  EXPECT_EQ(owner.Output(0), owner.expected[0]);
  EXPECT_TRUE(other->Delete(id).ok());
  EXPECT_EQ(other->Run(job).failure().code, LAROD_ERROR_MODEL_NOT_FOUND);
  EXPECT_TRUE(owner.RunRight(0));
}

TEST(Daemon, KeptFilesAreSentOnceAndGivenBack) {
  TestDaemon daemon;
  Application application(daemon.path(), 7);
  const size_t before = OpenDescriptors();
  const std::string held = "dlpu_larod_session_descriptors";
  const auto count = [&] {
    const std::string text = daemon.server().Metrics();
    const size_t at = text.find(held);
    return std::stod(text.substr(text.find("} ", at) + 2));
  };
  EXPECT_EQ(count(), 0);
  {
    Job job = application.jobs[0];
    for (auto* buffers : {&job.inputs, &job.outputs}) {
      auto own = application.session->Keep((*buffers)[0].fd);
      ASSERT_TRUE(own.ok()) << own.failure().message;
      (*buffers)[0].own = *own;
    }
    EXPECT_EQ(count(), 2);
    for (int i = 0; i < 20; ++i) EXPECT_TRUE(application.session->Run(job).ok());
    EXPECT_EQ(application.Output(0), application.expected[0]);
    Results results;
    for (int i = 0; i < 20; ++i) {
      EXPECT_TRUE(application.session->RunAsync(job, results.Tagged(i)).ok());
    }
    results.Wait(20);
    EXPECT_EQ(results.failed, 0);
    EXPECT_EQ(count(), 2);
  }
  // The last job may still be putting its things away.
  EXPECT_TRUE(Eventually([&] { return count() == 0; }));
  EXPECT_TRUE(Eventually([&] { return OpenDescriptors() == before; }));
  EXPECT_EQ(application.session->Keep(-1).failure().code, LAROD_ERROR_FD);
}

TEST(Daemon, FailuresHaveTheirCauses) {
  TestDaemon daemon;
  Application application(daemon.path(), 3);
  Job job = application.jobs[0];
  job.inputs[0] = BufferOf(job.inputs[0].spec, Bytes(100));
  const auto done = application.session->Run(job);
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.failure().message,
            "Could not run job: Could only read 100 out of 784 bytes from file descriptor");
  EXPECT_NE(done.failure().cause.find("784 bytes"), std::string::npos) << done.failure().cause;
  job.inputs[0].own = nullptr;
  job.inputs[0].fd = 9999;
  EXPECT_EQ(application.session->Run(job).failure().code, LAROD_ERROR_FD);
  EXPECT_TRUE(application.RunRight(0)) << "a closed descriptor ends no session";
  const Fd folder(open("/tmp", O_RDONLY | O_CLOEXEC));
  EXPECT_EQ(application.session->Load(DigitsRequest(folder.get(), 0)).failure().code,
            LAROD_ERROR_FD);
}

TEST(Daemon, LoadsCanBeQueued) {
  TestDaemon daemon;
  const auto session = OpenOrFail(daemon.path());
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<Outcome<ModelInfo>> loaded;
  const auto callback = [&](const Outcome<ModelInfo>& model) {
    const std::lock_guard lock(mutex);
    EXPECT_TRUE(session->InCallback());
    loaded.push_back(model);
    changed.notify_all();
  };
  {
    const Fd file = DigitsFile();  // closed before it is read
    ASSERT_TRUE(session->LoadAsync(DigitsRequest(file.get(), 0), callback).ok());
  }
  const Fd wrong = std::move(*MemoryFile("wrong", 100));
  ASSERT_TRUE(session->LoadAsync(DigitsRequest(wrong.get(), 0), callback).ok());
  std::unique_lock lock(mutex);
  changed.wait(lock, [&] { return loaded.size() == 2; });
  EXPECT_FALSE(session->InCallback());
  ASSERT_TRUE(loaded[0].ok());
  EXPECT_EQ(loaded[0]->inputs.size(), 1u);
  EXPECT_EQ(loaded[1].failure().code, LAROD_ERROR_LOAD_MODEL);
}

TEST(Daemon, QueuedJobsEndWithTheirSession) {
  TestDaemon daemon;
  Results results;
  {
    Application application(daemon.path(), 3);
    const Busy busy(daemon.server().service(), "axis-a8-dlpu-tflite");
    for (int i = 0; i < 50; ++i) {
      ASSERT_TRUE(application.session->RunAsync(application.jobs[0], results.Tagged(i)).ok());
    }
    EXPECT_TRUE(application.session->Close().ok());
    EXPECT_EQ(results.order.size(), 50u) << "every callback came before the end";
    EXPECT_EQ(results.failed, 50);
    EXPECT_EQ(results.last_code, LAROD_ERROR_CONNECTION);
    EXPECT_EQ(application.session->Run(application.jobs[0]).failure().code, LAROD_ERROR_CONNECTION);
  }
  EXPECT_TRUE(daemon.Becomes("dlpu_larod_sessions", 0));
}

TEST(Daemon, ItsEndIsALostConnection) {
  TestDaemon daemon;
  const Busy busy(daemon.server().service(), "cpu-tflite");
  const auto session = OpenOrFail(daemon.path());
  const Fd file = DigitsFile();
  auto model = session->Load(DigitsRequest(file.get(), DeviceNamed(*session, "cpu-tflite")));
  ASSERT_TRUE(model.ok());
  const Job job{
      model->id, {BufferOf(model->inputs[0], Bytes(784))}, {BufferOf(model->outputs[0], {})}, {}};
  Results results;
  for (int i = 0; i < 30; ++i) ASSERT_TRUE(session->RunAsync(job, results.Tagged(i)).ok());
  daemon.Stop();
  results.Wait(30);
  EXPECT_EQ(results.failed, 30);
  EXPECT_EQ(results.last_code, LAROD_ERROR_CONNECTION);
  const auto run = session->Run(job);
  EXPECT_EQ(run.failure().code, LAROD_ERROR_CONNECTION);
  EXPECT_EQ(run.failure().message, "Could not run job: Asynchronous connection has been closed");
  EXPECT_FALSE(session->RunAsync(job, results.Tagged(0)).ok());
  EXPECT_EQ(session->Close().failure().code, LAROD_ERROR_KILL_SESSION);
  EXPECT_EQ(OpenRemoteSession(daemon.path()).failure().code, LAROD_ERROR_CREATE_SESSION);
}

TEST(Daemon, IsOfOneProductAndHasOneSocket) {
  TestDaemon daemon;
  setenv("DLPU_PRODUCT", "artpec8", 1);
  EXPECT_TRUE(OpenRemoteSession(daemon.path()).ok());
  setenv("DLPU_PRODUCT", "artpec9", 1);
  const auto other = OpenRemoteSession(daemon.path());
  ASSERT_FALSE(other.ok());
  EXPECT_EQ(other.failure().code, LAROD_ERROR_CREATE_SESSION);
  EXPECT_NE(other.failure().cause.find("DLPU_PRODUCT"), std::string::npos);
  unsetenv("DLPU_PRODUCT");
  EXPECT_FALSE(Server::Start(daemon.path(), {"artpec8", false, {}}).ok()) << "it is served";
  EXPECT_FALSE(Server::Start("/tmp", {"artpec8", false, {}}).ok());
  EXPECT_FALSE(Server::Start(std::string(200, 'a'), {"artpec8", false, {}}).ok());
  EXPECT_FALSE(Server::Start(daemon.path() + "2", {"AXIS 9999", false, {}}).ok());
  EXPECT_NE(OpenOrFail(daemon.path()), nullptr) << "and it still is";
}

}  // namespace
}  // namespace dlpu::larod
