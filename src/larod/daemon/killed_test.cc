// SPDX-License-Identifier: Apache-2.0
// Applications that are killed at some point of a job: the others are unharmed, and descriptors and
// memory come back.
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "larod/daemon/daemon_testing.h"

namespace dlpu::larod {
namespace {

enum Point {
  kConnected,
  kLoading,
  kLoaded,
  kKept,
  kRunning,
  kQueued,
  kInCallback,
  kQueuedLoad,
  kClosing,
  kPoints
};

[[noreturn]] void Die() {
  raise(SIGKILL);
  _exit(1);
}

// Tells the parent that this application is in the midst of what it does over and over.
void Tell(int parent) {
  if (write(parent, "x", 1) != 1) _exit(5);
}

// What a killed application does until then. In a process of its own.
[[noreturn]] void LiveUntil(Point point, const std::string& path, int parent) {
  const auto opened = OpenRemoteSession(path);
  if (!opened.ok()) _exit(2);
  const std::shared_ptr<Session> session = *opened;
  if (point == kConnected) Die();
  const Fd file = DigitsFile();
  const LoadRequest request = DigitsRequest(file.get(), DeviceNamed(*session, "cpu-tflite"));
  // The parent kills at some time after the first.
  for (bool first = true; point == kLoading; first = false) {
    (void)session->Load(request);
    if (first) Tell(parent);
  }
  const auto loaded = session->Load(request);
  if (!loaded.ok()) _exit(3);
  if (point == kLoaded) Die();
  const ModelInfo& model = *loaded;
  Job job{model.id, {BufferOf(model.inputs[0], Bytes(784))}, {BufferOf(model.outputs[0], {})}, {}};
  if (point == kKept) job.inputs[0].own = *session->Keep(job.inputs[0].fd);
  if (point == kKept && session->Run(job).ok()) Die();
  for (bool first = true; point == kRunning; first = false) {
    (void)session->Run(job);
    if (first) Tell(parent);
  }
  const auto ignore = [](const Outcome<Nothing>&) {};
  for (int i = 0; i < 100; ++i) {
    if (point == kInCallback) {
      (void)session->RunAsync(job, [](const Outcome<Nothing>&) { Die(); });
    } else if (point == kQueuedLoad) {
      (void)session->LoadAsync(request, [](const Outcome<ModelInfo>&) {});
    } else {
      (void)session->RunAsync(job, ignore);
    }
  }
  if (point == kQueued || point == kQueuedLoad) Die();
  if (point == kInCallback) pause();
  (void)session->Close();
  Die();
}

// Waits for the word, then lives. Forked while the test has one thread only.
pid_t Fork(Point point, const std::string& path, int gate) {
  const pid_t pid = fork();
  if (pid != 0) return pid;
  char word;
  if (read(gate, &word, 1) == 1) LiveUntil(point, path, gate);
  _exit(4);
}

size_t ResidentMemory() {
  std::unique_ptr<FILE, int (*)(FILE*)> file(fopen("/proc/self/statm", "r"), fclose);
  size_t all = 0, resident = 0;
  if (file == nullptr || fscanf(file.get(), "%zu %zu", &all, &resident) != 2) return 0;
  return resident * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

TEST(Killed, ApplicationsDieAtEveryPointOfAJobAndTheOthersGoOn) {
  constexpr int kRounds = 8;
  const std::string path =
      ::testing::TempDir() + "larod-killed-" + std::to_string(getpid()) + ".sock";
  setenv("DLPU_LAROD_LOG", "none", 1);
  struct Doomed {
    Point point;
    pid_t pid;
    int gate;
  };
  std::vector<Doomed> doomed;
  for (int round = 0; round < kRounds; ++round) {
    for (int point = 0; point < kPoints; ++point) {
      int gate[2];  // words go both ways
      ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, gate), 0);
      const pid_t pid = Fork(static_cast<Point>(point), path, gate[0]);
      ASSERT_GT(pid, 0);
      close(gate[0]);
      doomed.push_back({static_cast<Point>(point), pid, gate[1]});
    }
  }
  TestDaemon daemon({"artpec8", false, {}}, path);
  Application application(daemon.path(), 5);
  const size_t gates = doomed.size();
  const size_t before = OpenDescriptors();
  std::atomic<bool> stop{false};
  std::atomic<int> right{0}, wrong{0};
  std::thread other([&] {
    for (size_t i = 0; !stop; ++i) (application.RunRight(i % kTestModels) ? right : wrong)++;
  });
  size_t memory = 0;
  int round = 0;
  for (const Doomed& one : doomed) {
    ASSERT_EQ(write(one.gate, "x", 1), 1);
    const bool forever = one.point == kLoading || one.point == kRunning;
    if (forever) {
      char word;
      EXPECT_EQ(read(one.gate, &word, 1), 1);
      usleep(static_cast<useconds_t>(1300 * round));  // wherever that is
      kill(one.pid, SIGKILL);
    }
    close(one.gate);
    int status = 0;
    ASSERT_EQ(waitpid(one.pid, &status, 0), one.pid);
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
        << "point " << one.point << ", status " << status;
    if (one.point + 1 == kPoints && ++round == kRounds / 2) {
      EXPECT_TRUE(daemon.Becomes("dlpu_larod_sessions", 1));
      memory = ResidentMemory();
    }
  }
  EXPECT_TRUE(daemon.Becomes("dlpu_larod_sessions", 1));
  EXPECT_EQ(daemon.Metric("dlpu_larod_models"), kTestModels);
  const int jobs = right;
  while (right < jobs + 10 && wrong == 0) std::this_thread::yield();
  stop = true;
  other.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_TRUE(Eventually([&] { return OpenDescriptors() == before - gates; }));
  const size_t after = ResidentMemory();
  RecordProperty("resident_halfway", std::to_string(memory));
  RecordProperty("resident_at_the_end", std::to_string(after));
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  EXPECT_LT(after, memory + (size_t{8} << 20));
#endif
}

// $DLPU_SOAK_JOBS: how many; the growth is printed.
TEST(Soak, JobsLeaveNothingBehind) {
  const char* given = std::getenv("DLPU_SOAK_JOBS");
  const long jobs = given == nullptr ? 2000 : std::atol(given);
  ASSERT_GT(jobs, 0);
  TestDaemon daemon;
  const long part = std::max(jobs / 10, 1L);
  const size_t descriptors = OpenDescriptors();
  size_t first_memory = 0, memory = 0;
  long done = 0;
  for (long i = 1; done < jobs; ++i) {
    {
      // Some jobs of a session that comes and goes: with files passed, kept, and queued.
      Application application(daemon.path(), static_cast<uint32_t>(i));
      Job kept = application.jobs[0];
      kept.inputs[0].own = *application.session->Keep(kept.inputs[0].fd);
      std::atomic<long> queued{0};
      for (long j = 0; j < part / 2; ++j) {
        const bool other = j % 8 == 0;
        ASSERT_TRUE(other ? application.RunRight(static_cast<size_t>(j / 8) % kTestModels)
                          : application.session->Run(kept).ok());
        ++queued;
        ASSERT_TRUE(application.session
                        ->RunAsync(application.jobs[static_cast<size_t>(j) % kTestModels],
                                   [&](const Outcome<Nothing>& result) {
                                     EXPECT_TRUE(result.ok());
                                     --queued;
                                   })
                        .ok());
        while (queued > 64) std::this_thread::yield();
        done += 2;
      }
      while (queued > 0) std::this_thread::yield();
    }
    ASSERT_TRUE(daemon.Becomes("dlpu_larod_sessions", 0));
    // The daemon closes those of a session a moment after it is gone.
    EXPECT_TRUE(Eventually([&] { return OpenDescriptors() == descriptors; }));
    memory = ResidentMemory();
    std::printf("%9ld jobs: %6.2f MiB resident, %zu descriptors\n", done,
                static_cast<double>(memory) / 1048576, OpenDescriptors());
    if (first_memory == 0) first_memory = memory;
  }
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  EXPECT_LT(memory, first_memory + (size_t{8} << 20));
#endif
}

}  // namespace
}  // namespace dlpu::larod
