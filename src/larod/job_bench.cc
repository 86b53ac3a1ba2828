// SPDX-License-Identifier: Apache-2.0
// What larod adds to a job: the built-in classifier by the plain runner, with its inputs and
// outputs copied from and to memory, and by the service of this process through files.
#include <benchmark/benchmark.h>

#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <mutex>

#include "base/file.h"
#include "formats/tflite.h"
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
  Setup() {
    setenv("DLPU_PRODUCT", "cpu", 1);
    session = *OpenSession();
    const auto bytes = *ReadFile(kModel);
    const Fd file = std::move(*MemoryFile("model", 0));
    (void)WriteAt(file.get(), 0, bytes);
    const ModelInfo model = *session->Load({file.get(), 0, LAROD_ACCESS_PRIVATE, "", {}});
    job.model = model.id;
    for (const bool input : {true, false}) {
      Buffer buffer;
      buffer.spec = input ? model.inputs[0] : model.outputs[0];
      buffer.own = std::make_shared<Fd>(
          std::move(*MemoryFile("tensor", input ? kInputBytes : kOutputBytes)));
      buffer.fd = buffer.own->get();
      (input ? job.inputs : job.outputs).push_back(buffer);
    }
  }
  std::shared_ptr<Session> session;
  Job job;
};

void RunJob(benchmark::State& state) {
  Setup setup;
  for (auto _ : state) {
    if (!setup.session->Run(setup.job).ok()) state.SkipWithError("the job failed");
  }
}
BENCHMARK(RunJob)->UseRealTime();

// Each job is queued when the one before is done.
void RunJobAsync(benchmark::State& state) {
  Setup setup;
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
BENCHMARK(RunJobAsync)->UseRealTime();

}  // namespace
}  // namespace dlpu::larod
