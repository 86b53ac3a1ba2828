// SPDX-License-Identifier: Apache-2.0
// Queued jobs: callbacks, pipelining, priorities, sessions side by side, ends of sessions.
#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "larod_testing.h"

namespace dlpu::larod_testing {
namespace {

// Counts callbacks; a tag is noted when its job is done.
struct Record {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<int> order;
  int done = 0, failed = 0, last_code = 0;
  std::thread::id thread;
  void Wait(int count) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return done + failed == count; });
  }
};
struct Tagged {
  Record* record;
  int tag;
};

void OnDone(void* data, larodError* error) {
  const auto* tagged = static_cast<Tagged*>(data);
  Record& record = *tagged->record;
  const std::lock_guard lock(record.mutex);
  record.order.push_back(tagged->tag);
  ++(error == nullptr ? record.done : record.failed);
  if (error != nullptr) record.last_code = error->code;
  record.thread = std::this_thread::get_id();
  record.changed.notify_all();
}

TEST(LarodAsync, CallbackComesOnceFromAnotherThread) {
  Camera camera("cpu");
  const std::vector<Bytes> in = {Noise(784, 5)};
  Job job(camera, camera.Load(DigitsModel(), "cpu-tflite"));
  job.UseFiles(in);
  ASSERT_TRUE(job.MakeRequest());
  Record record;
  Tagged tagged{&record, 1};
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(larodRunJobAsync(camera.conn, job.request, OnDone, &tagged, camera.error));
  }
  record.Wait(100);
  EXPECT_EQ(record.done, 100);
  EXPECT_NE(record.thread, std::this_thread::get_id());
  EXPECT_EQ(job.Outputs(), RunPlainly(DigitsModel(), in, "cpu"));
  EXPECT_FALSE(larodRunJobAsync(camera.conn, job.request, nullptr, nullptr, camera.error));
  EXPECT_FALSE(larodRunJobAsync(camera.conn, nullptr, OnDone, &tagged, camera.error));
  EXPECT_FALSE(larodRunJobAsync(nullptr, job.request, OnDone, &tagged, camera.error));
}

TEST(LarodAsync, FailuresReachTheCallback) {
  Camera camera("cpu");
  Job job(camera, camera.Load(DigitsModel(), "cpu-tflite"));
  job.UseFiles({Bytes(100)});
  ASSERT_TRUE(job.MakeRequest());
  Record record;
  Tagged tagged{&record, 1};
  ASSERT_TRUE(larodRunJobAsync(camera.conn, job.request, OnDone, &tagged, camera.error));
  record.Wait(1);
  EXPECT_EQ(record.failed, 1);
  EXPECT_EQ(record.last_code, LAROD_ERROR_JOB);
}

TEST(LarodAsync, DescriptorsMayBeClosedAtOnce) {
  Camera camera("cpu");
  const std::vector<Bytes> in = {Noise(784, 5)};
  Job job(camera, camera.Load(DigitsModel(), "cpu-tflite"));
  job.UseFiles({Bytes(784)});
  Record record;
  Tagged tagged{&record, 1};
  for (int i = 0; i < 50; ++i) {
    const File input(in[0]);
    ASSERT_TRUE(larodSetTensorFd(job.inputs[0], input.fd(), camera.error));
    ASSERT_TRUE(job.MakeRequest());
    ASSERT_TRUE(larodRunJobAsync(camera.conn, job.request, OnDone, &tagged, camera.error));
  }
  record.Wait(50);
  EXPECT_EQ(record.done, 50);
  EXPECT_EQ(job.Outputs(), RunPlainly(DigitsModel(), in, "cpu"));
}

// Three priorities, the lowest queued first. However fast the device is, no job begins before one
// of a higher priority that was queued earlier, nor before an older one of its own.
TEST(LarodAsync, HigherPrioritiesGoFirst) {
  constexpr int kJobs = 30;
  Camera camera("cpu");
  Job slow(camera, camera.Load(FloatPictureModel(), "cpu-tflite"));
  slow.UseFiles({Bytes(786432)});
  ASSERT_TRUE(slow.MakeRequest());
  ASSERT_TRUE(larodSetJobRequestPriority(slow.request, 100, camera.error));
  Job job(camera, camera.Load(DigitsModel(), "cpu-tflite"));
  job.UseFiles({Bytes(784)});
  ASSERT_TRUE(job.MakeRequest());
  bool overtaken = false;
  // A device that got idle before all were queued shows no overtaking: then again, kept busy
  // longer.
  for (int gates = 20; !overtaken && gates <= 1280; gates *= 2) {
    Record record;
    Tagged gate{&record, -1};
    std::vector<Tagged> tags;
    for (int i = 0; i < kJobs; ++i) tags.push_back({&record, i});
    for (int i = 0; i < gates; ++i) {
      ASSERT_TRUE(larodRunJobAsync(camera.conn, slow.request, OnDone, &gate, camera.error));
    }
    const auto priority = [](int tag) { return tag / 10 * 30; };
    for (Tagged& tag : tags) {
      ASSERT_TRUE(larodSetJobRequestPriority(job.request, static_cast<uint8_t>(priority(tag.tag)),
                                             camera.error));
      ASSERT_TRUE(larodRunJobAsync(camera.conn, job.request, OnDone, &tag, camera.error));
    }
    record.Wait(gates + kJobs);
    EXPECT_EQ(record.done, gates + kJobs);
    std::vector<int> order = record.order;
    std::erase(order, -1);
    ASSERT_EQ(order.size(), static_cast<size_t>(kJobs));
    for (size_t first = 0; first < order.size(); ++first) {
      for (size_t later = first + 1; later < order.size(); ++later) {
        if (order[later] > order[first]) continue;  // it was queued later
        EXPECT_GT(priority(order[first]), priority(order[later]));
        overtaken = true;
      }
    }
  }
  EXPECT_TRUE(overtaken);
}

struct Chain {
  larodConnection* conn;
  larodJobRequest* request;
  Record* record;
  int left;
  int waited_code = 0;
};

void Next(void* data, larodError* error) {
  auto* chain = static_cast<Chain*>(data);
  if (error == nullptr && --chain->left > 0) {
    // Queueing from a callback is the usual pipeline; waiting is forbidden.
    larodError* refused = nullptr;
    if (!larodRunJob(chain->conn, chain->request, &refused)) chain->waited_code = refused->code;
    larodClearError(&refused);
    if (larodRunJobAsync(chain->conn, chain->request, Next, chain, nullptr)) return;
  }
  Tagged tagged{chain->record, 0};
  OnDone(&tagged, error);
}

TEST(LarodAsync, CallbacksMayQueueAndMustNotWait) {
  Camera camera("cpu");
  Job job(camera, camera.Load(DigitsModel(), "cpu-tflite"));
  job.UseFiles({Bytes(784)});
  ASSERT_TRUE(job.MakeRequest());
  Record record;
  Chain chain{camera.conn, job.request, &record, 20};
  ASSERT_TRUE(larodRunJobAsync(camera.conn, job.request, Next, &chain, camera.error));
  record.Wait(1);
  EXPECT_EQ(chain.left, 0);
  EXPECT_EQ(chain.waited_code, EDEADLK);
}

TEST(LarodAsync, DisconnectEndsWhatIsQueued) {
  Record record;
  Tagged tagged{&record, 0};
  {
    Camera camera("cpu");
    Job job(camera, camera.Load(FloatPictureModel(), "cpu-tflite"));
    job.UseFiles({Bytes(786432)});
    ASSERT_TRUE(job.MakeRequest());
    for (int i = 0; i < 200; ++i) {
      ASSERT_TRUE(larodRunJobAsync(camera.conn, job.request, OnDone, &tagged, camera.error));
    }
    EXPECT_TRUE(larodDisconnect(&camera.conn, camera.error));
    EXPECT_EQ(record.done + record.failed, 200) << "every callback came before the end";
  }
  if (record.failed != 0) {
    EXPECT_EQ(record.last_code, LAROD_ERROR_CONNECTION);
  }
}

// Queued over and over until it fails, there is always one in the queue that the deletion meets.
struct Endless {
  Camera* camera;
  larodJobRequest* request;
  Record* record;
};

void Again(void* data, larodError* error) {
  const auto* endless = static_cast<Endless*>(data);
  Error refused;
  if (error == nullptr &&
      larodRunJobAsync(endless->camera->conn, endless->request, Again, data, refused)) {
    return;
  }
  larodError own = {static_cast<larodErrorCode>(refused.code()), ""};
  Tagged tagged{endless->record, error == nullptr ? 1 : 0};
  OnDone(&tagged, error == nullptr ? &own : error);
}

TEST(LarodAsync, DeletedWhileQueuedIsNotFound) {
  constexpr int kQueued = 50;
  Camera camera("cpu");
  Job job(camera, camera.Load(DigitsModel(), "cpu-tflite"));
  job.UseFiles({Bytes(784)});
  ASSERT_TRUE(job.MakeRequest());
  Record record;
  Endless endless{&camera, job.request, &record};
  for (int i = 0; i < kQueued; ++i) {
    ASSERT_TRUE(larodRunJobAsync(camera.conn, job.request, Again, &endless, camera.error));
  }
  EXPECT_TRUE(larodDeleteModel(camera.conn, job.model, camera.error));
  record.Wait(kQueued);
  EXPECT_EQ(record.failed, kQueued);
  EXPECT_EQ(record.last_code, LAROD_ERROR_MODEL_NOT_FOUND);
}

TEST(LarodAsync, SessionsSideBySide) {
  constexpr int kThreads = 4, kJobs = 100;
  Camera keep("artpec8");  // the service stays the same
  std::vector<std::thread> threads;
  std::vector<int> right(kThreads);
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([t, &right] {
      Camera camera(nullptr);
      const std::vector<Bytes> in = {Noise(784, static_cast<uint32_t>(t) + 1)};
      const std::vector<Bytes> expected = RunPlainly(DigitsModel(), in, "artpec8");
      Job job(camera,
              camera.Load(DigitsModel(), t % 2 == 0 ? "axis-a8-dlpu-tflite" : "cpu-tflite"));
      job.UseAllocated(in);
      Record record;
      Tagged tagged{&record, t};
      for (int i = 0; i < kJobs; ++i) {
        right[static_cast<size_t>(t)] += job.Run() && job.Outputs() == expected ? 1 : 0;
        if (!larodRunJobAsync(camera.conn, job.request, OnDone, &tagged, camera.error)) break;
        record.Wait(i + 1);
      }
      right[static_cast<size_t>(t)] += record.done;
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const int count : right) EXPECT_EQ(count, 2 * kJobs);
}

}  // namespace
}  // namespace dlpu::larod_testing
