// SPDX-License-Identifier: Apache-2.0
// Damaged models: each small model is cut off at every byte and has every byte flipped, and each
// time it is read, compiled, loaded and run. Allowed: an error that says something, or a result.
// Not allowed: a crash (the sanitizers' builds see the quiet ones), more than 2 seconds of CPU
// time, more memory than twice the file and what its shapes need.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "cases.h"
#include "formats/tflite.h"
#include "ir/program_file.h"
#include "memory_count.h"
#include "passes/compile.h"
#include "try_model.h"

namespace dlpu::hostile {
namespace {

using Bytes = std::vector<uint8_t>;

// With a sanitizer every byte; elsewhere a sample, because nothing new would be seen.
const size_t kStep = kCountsMemory ? 1 : 17;

// Every byte of a larger model flipped takes minutes, and most of its bytes are weights: a sample,
// unless DLPU_HOSTILE=all (as ./dev check sets it) asks for all.
size_t FlipStep(size_t file_bytes) {
  const char* which = std::getenv("DLPU_HOSTILE");
  const bool all = which != nullptr && std::string_view(which) == "all";
  return file_bytes <= 10000 || all ? kStep : kStep * 19;
}

struct Model {
  std::string name;
  Bytes bytes;
  bool program = false;  // a .dlpu file rather than a .tflite
};

// The checksum of a program would end every trial at once: it is made again after the damage.
constexpr size_t kSealBytes = 32;

void AddProgram(std::vector<Model>& models, const Model& source) {
  auto graph = ReadTflite(source.bytes, source.name);
  if (!graph.ok()) return;
  auto program = Compile(std::move(*graph), {});
  if (!program.ok()) return;
  Bytes bytes = WriteProgram(*program);
  bytes.resize(bytes.size() - kSealBytes);
  models.push_back({"program_" + source.name, std::move(bytes), true});
}

std::vector<Model> SmallModels() {
  std::vector<Model> models;
  for (const char* name : {"data/models/digits.tflite", "data/models/digits_int8.tflite"}) {
    auto bytes = ReadFile(name);
    EXPECT_TRUE(bytes.ok()) << bytes.error().message;
    if (bytes.ok()) models.push_back({name, *bytes});
  }
  const char* shared = std::getenv("DLPU_SHARED");
  const std::string folder = std::string(shared != nullptr ? shared : "../shared");
  for (const char* name : {"split_concat", "model_invoking_error", "keras_lstm_mnist_ptq"}) {
    auto bytes = ReadFile(folder + "/models/tflite/" + name + ".tflite");
    if (bytes.ok()) models.push_back({name, *bytes});
  }
  for (const peer::Generator& generator : peer::Generators()) {
    auto bytes = WriteTflite(peer::MakeCase(generator, 1, 0).graph);
    if (bytes.ok() && bytes->size() <= 6000) {
      models.push_back({std::string(generator.name), *bytes});
    }
  }
  // Inputs that once went wrong.
  for (const auto& entry : std::filesystem::directory_iterator("fuzz/corpus")) {
    auto bytes = ReadFile(entry.path().string());
    if (bytes.ok() && bytes->size() <= 6000) models.push_back({entry.path().filename(), *bytes});
  }
  const size_t count = models.size();
  for (size_t i = 0; i < count; ++i) AddProgram(models, models[i]);
  EXPECT_GT(models.size(), count + 10);
  return models;
}

// --- The 2 seconds of CPU time -----------------------------------------------------------------

char current_trial[256];

void OnTimeout(int) {
  static constexpr char kText[] = "more than 2 s of CPU time for ";
  [[maybe_unused]] ssize_t n = write(STDERR_FILENO, kText, sizeof kText - 1);
  n = write(STDERR_FILENO, current_trial, std::strlen(current_trial));
  n = write(STDERR_FILENO, "\n", 1);
  _exit(1);
}

void SetTimer(int seconds) {
  itimerval timer = {};
  timer.it_value.tv_sec = seconds;
  setitimer(ITIMER_PROF, &timer, nullptr);
}

// --- Trials ------------------------------------------------------------------------------------

struct Counts {
  int64_t trials = 0, refused = 0, ran = 0;
  int64_t largest_excess = 0;  // bytes of memory beyond the file's double and the shapes' need
};

// Twice the file, and four times the tensors: kernels keep weights in wider forms, and a resize
// keeps some words for each line of pixels it makes. Tables, the graph and messages take a fixed
// amount.
int64_t AllowedBytes(size_t file_bytes, int64_t shape_bytes) {
  return 2 * static_cast<int64_t>(file_bytes) + 4 * shape_bytes + (int64_t{2} << 20);
}

void TryOne(const Model& model, const Bytes& bytes, const std::string& what, Counts& counts) {
  std::snprintf(current_trial, sizeof current_trial, "%s, %s", model.name.c_str(), what.c_str());
  SetTimer(2);
  ResetPeakMemory();
  const Trial trial = model.program ? TryProgram(SealProgram(bytes)) : TryModel(bytes);
  const int64_t peak = PeakMemory();
  SetTimer(0);
  ++counts.trials;
  ++(trial.stage == Stage::kRan ? counts.ran : counts.refused);
  if (trial.stage != Stage::kRan) {
    EXPECT_FALSE(trial.error.empty()) << current_trial << ": refused without a reason";
  }
  const int64_t allowed = AllowedBytes(bytes.size(), trial.shape_bytes);
  EXPECT_LE(peak, allowed) << current_trial << ": a file of " << bytes.size()
                           << " bytes with tensors of " << trial.shape_bytes;
}

class Hostile : public testing::TestWithParam<Model> {
 protected:
  static void SetUpTestSuite() { signal(SIGPROF, OnTimeout); }
};

TEST_P(Hostile, CutOffAtEveryByte) {
  Counts counts;
  for (size_t size = 0; size < GetParam().bytes.size(); size += kStep) {
    // A vector of its own, so that a sanitizer sees the first byte read behind its end.
    const Bytes bytes(GetParam().bytes.begin(), GetParam().bytes.begin() + size);
    TryOne(GetParam(), bytes, fmt::format("cut off at byte {}", size), counts);
  }
  EXPECT_GT(counts.trials, 0);
  EXPECT_GT(counts.refused, 0);
}

TEST_P(Hostile, EveryByteFlipped) {
  Counts counts;
  Bytes bytes = GetParam().bytes;
  for (size_t at = 0; at < bytes.size(); at += FlipStep(bytes.size())) {
    for (const uint8_t mask : {0xff, 0x01}) {
      bytes[at] ^= mask;
      TryOne(GetParam(), bytes, fmt::format("byte {} flipped with {:#x}", at, mask), counts);
      bytes[at] ^= mask;
    }
  }
  EXPECT_GT(counts.refused, 0);
}

INSTANTIATE_TEST_SUITE_P(SmallModels, Hostile, testing::ValuesIn(SmallModels()),
                         [](const testing::TestParamInfo<Model>& info) {
                           std::string name = info.param.name;
                           for (char& c : name) {
                             if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
                           }
                           return fmt::format("{}_{}", info.index, name);
                         });

// --- Known-bad cases: the test sees what it is there to see ------------------------------------

TEST(HostileSelf, CountsMemory) {
  if (!kCountsMemory) GTEST_SKIP() << "memory is counted in builds with AddressSanitizer";
  ResetPeakMemory();
  { const Bytes large(10 << 20); }
  EXPECT_GE(PeakMemory(), 10 << 20);
  EXPECT_LT(AllowedBytes(1000, 1000), PeakMemory());
  ResetPeakMemory();
  EXPECT_LT(PeakMemory(), 1 << 20);
}

TEST(HostileSelfDeathTest, SeesAnEndlessLoop) {
  testing::FLAGS_gtest_death_test_style = "fast";
  EXPECT_EXIT(
      {
        signal(SIGPROF, OnTimeout);
        std::snprintf(current_trial, sizeof current_trial, "an endless loop");
        SetTimer(1);
        for (std::atomic<int> i = 0;;) ++i;
      },
      testing::ExitedWithCode(1), "more than 2 s of CPU time for an endless loop");
}

}  // namespace
}  // namespace dlpu::hostile
