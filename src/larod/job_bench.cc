// SPDX-License-Identifier: Apache-2.0
// What larod adds to a job: the built-in classifier by the plain runner, with its inputs and
// outputs copied from and to memory, by the service of this process through files, and by a daemon
// in a process of its own, with files that go along with each job and with files that it keeps.
#include <benchmark/benchmark.h>
#include <sys/wait.h>
#include <unistd.h>

#include <condition_variable>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <mutex>

#include "base/file.h"
#include "formats/tflite.h"
#include "larod/daemon/server.h"
#include "larod/session.h"
#include "passes/compile.h"
#include "run/runner.h"

namespace dlpu::larod {
namespace {

constexpr const char* kModel = "data/models/digits_int8.tflite";
constexpr size_t kInputBytes = 784, kOutputBytes = 10;

void PlainRunner(benchmark::State& state) {
  auto graph = ReadTflite(*ReadFile(kModel), kModel);
  auto runner = Runner::Load(*Compile(*std::move(graph), {}), {});
  uint8_t in[kInputBytes] = {}, out[kOutputBytes];
  for (auto _ : state) {
    std::memcpy((*runner)->input(0).data(), in, sizeof in);
    (void)(*runner)->Run();
    std::memcpy(out, (*runner)->output(0).data(), sizeof out);
    benchmark::DoNotOptimize(out);
  }
}
BENCHMARK(PlainRunner)->UseRealTime();

// A session with the model loaded, and a job on files in memory.
struct Setup {
  explicit Setup(std::shared_ptr<Session> with, bool keep = false) : session(std::move(with)) {
    const auto bytes = *ReadFile(kModel);
    const Fd file = std::move(*MemoryFile("model", 0));
    (void)WriteAt(file.get(), 0, bytes);
    const ModelInfo model = *session->Load({file.get(), 0, LAROD_ACCESS_PRIVATE, "", {}});
    job.model = model.id;
    for (const bool input : {true, false}) {
      Buffer buffer;
      buffer.spec = input ? model.inputs[0] : model.outputs[0];
      files.push_back(std::move(*MemoryFile("tensor", input ? kInputBytes : kOutputBytes)));
      buffer.fd = files.back().get();
      if (keep) buffer.own = *session->Keep(buffer.fd);
      (input ? job.inputs : job.outputs).push_back(buffer);
    }
  }
  std::shared_ptr<Session> session;
  std::vector<Fd> files;
  Job job;
};

std::shared_ptr<Session> InThisProcess() {
  setenv("DLPU_PRODUCT", "cpu", 1);
  return *OpenLocalSession();
}

// A daemon until the benchmark ends.
class DaemonProcess {
 public:
  DaemonProcess() {
    int ready[2];
    if (pipe(ready) != 0) std::abort();
    pid_ = fork();
    if (pid_ == 0) {
      setenv("DLPU_LAROD_LOG", "none", 1);
      const auto server = Server::Start(path_, {"cpu", false, {}});
      if (server.ok() && write(ready[1], "x", 1) == 1) pause();
      _exit(1);
    }
    char word;
    if (read(ready[0], &word, 1) != 1) std::abort();
  }
  ~DaemonProcess() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    unlink(path_.c_str());
  }
  std::shared_ptr<Session> Open() const {
    unsetenv("DLPU_PRODUCT");
    return *OpenRemoteSession(path_);
  }

 private:
  const std::string path_ = "/tmp/dlpu-larod-bench-" + std::to_string(getpid()) + ".sock";
  pid_t pid_ = 0;
};

void RunJobs(benchmark::State& state, const Setup& setup) {
  for (auto _ : state) {
    if (!setup.session->Run(setup.job).ok()) state.SkipWithError("the job failed");
  }
}

void RunJob(benchmark::State& state) { RunJobs(state, Setup(InThisProcess())); }
BENCHMARK(RunJob)->UseRealTime();

void DaemonJob(benchmark::State& state) {
  const DaemonProcess daemon;
  RunJobs(state, Setup(daemon.Open()));
}
BENCHMARK(DaemonJob)->UseRealTime();

void DaemonJobTracked(benchmark::State& state) {
  const DaemonProcess daemon;
  RunJobs(state, Setup(daemon.Open(), /*keep=*/true));
}
BENCHMARK(DaemonJobTracked)->UseRealTime();

// Each job is queued when the one before is done.
void RunJobsAsync(benchmark::State& state, const Setup& setup) {
  std::mutex mutex;
  std::condition_variable changed;
  bool done = false;
  for (auto _ : state) {
    done = false;
    (void)setup.session->RunAsync(setup.job, [&](Outcome<Nothing>) {
      const std::lock_guard lock(mutex);
      done = true;
      changed.notify_one();
    });
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return done; });
  }
}

void RunJobAsync(benchmark::State& state) { RunJobsAsync(state, Setup(InThisProcess())); }
BENCHMARK(RunJobAsync)->UseRealTime();

void DaemonJobAsync(benchmark::State& state) {
  const DaemonProcess daemon;
  RunJobsAsync(state, Setup(daemon.Open()));
}
BENCHMARK(DaemonJobAsync)->UseRealTime();

}  // namespace
}  // namespace dlpu::larod
