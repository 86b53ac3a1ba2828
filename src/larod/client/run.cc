// SPDX-License-Identifier: Apache-2.0
// Loads a model, fills its inputs, runs it for some rounds and writes the outputs.
#include "larod/client/run.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <mutex>
#include <random>

namespace larod_client {
namespace {

using Clock = std::chrono::steady_clock;

std::string Format(const char* format, auto... values) {
  char text[1024];
  std::snprintf(text, sizeof text, format, values...);
  return text;
}

std::string Stamp() {
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  tm local;
  localtime_r(&now.tv_sec, &local);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &local);
  return Format("%s.%03d ", text, static_cast<int>(now.tv_nsec / 1000000));
}

std::string BaseName(const std::string& path) { return path.substr(path.rfind('/') + 1); }

// One job and all it needs; frees it.
class Run {
 public:
  Run(larodConnection* conn, const Options& options) : conn_(conn), options_(options) {}
  Run(const Run&) = delete;
  ~Run();
  bool Load();
  bool MakeTensors();
  bool FillInputs();
  bool RunRounds();
  bool SaveOutputs();

 private:
  bool Failed(const char* when);
  bool FillInput(size_t i, const std::string& file);
  bool MakeFiles(larodTensor** tensors, size_t count, bool allocated, bool track);
  bool Round(uint64_t rounds, double* milliseconds);
  bool Queued(uint64_t rounds, double* milliseconds);
  larodMap* MakeMap(const std::vector<std::pair<std::string, std::string>>& params);
  std::string OutputName(size_t i) const;
  uint64_t Seed();

  larodConnection* const conn_;
  const Options& options_;
  larodError* error_ = nullptr;
  larodModel* model_ = nullptr;
  larodMap* job_params_ = nullptr;
  larodTensor **inputs_ = nullptr, **outputs_ = nullptr;
  size_t num_inputs_ = 0, num_outputs_ = 0;
  larodJobRequest* request_ = nullptr;
  std::vector<int> files_;
  std::optional<uint64_t> seed_;
};

Run::~Run() {
  larodDestroyJobRequest(&request_);
  larodDestroyMap(&job_params_);
  larodDestroyTensors(conn_, &inputs_, num_inputs_, nullptr);
  larodDestroyTensors(conn_, &outputs_, num_outputs_, nullptr);
  larodDestroyModel(&model_);
  larodClearError(&error_);
  for (const int file : files_) close(file);
}

bool Run::Failed(const char* when) {
  Complain(Format("When %s (%d): %s", when, error_ == nullptr ? 0 : error_->code,
                  error_ == nullptr ? "unknown" : error_->msg));
  larodClearError(&error_);
  return false;
}

larodMap* Run::MakeMap(const std::vector<std::pair<std::string, std::string>>& params) {
  larodMap* map = larodCreateMap(&error_);
  for (const auto& entry : params) {
    if (map != nullptr && !SetMap(map, entry, &error_)) larodDestroyMap(&map);
  }
  return map;
}

bool Run::Load() {
  const larodDevice* device = larodGetDevice(conn_, options_.device.c_str(), 0, &error_);
  if (device == nullptr) return Failed("getting device");
  int file = -1;
  if (options_.model.has_value()) {
    file = open(options_.model->c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) {
      Complain(Format("Could not open %s: %s", options_.model->c_str(), std::strerror(errno)));
      return false;
    }
  }
  larodMap* params = nullptr;
  if (!options_.model_params.empty()) {
    params = MakeMap(options_.model_params);
    if (params == nullptr) return Failed("setting model parameters");
  }
  const std::string name = BaseName(options_.model.value_or("preprocessing"));
  model_ = larodLoadModel(conn_, file, device, LAROD_ACCESS_PRIVATE, name.c_str(), params, &error_);
  larodDestroyMap(&params);
  if (file >= 0) close(file);
  if (model_ == nullptr) return Failed("loading model synchronously");
  Say("Model " + name + " loaded");
  return true;
}

// Gives tensors files of their own, or learns those that were allocated; tracks them if asked to.
bool Run::MakeFiles(larodTensor** tensors, size_t count, bool allocated, bool track) {
  for (size_t i = 0; i < count; ++i) {
    if (!allocated) {
      const int file = memfd_create("larod-client", MFD_CLOEXEC);
      size_t bytes = 0;
      if (!larodGetTensorByteSize(tensors[i], &bytes, &error_))
        return Failed("getting tensor size");
      if (file < 0 || ftruncate(file, static_cast<off_t>(bytes)) != 0) {
        Complain("Could not make a file in memory");
        return false;
      }
      files_.push_back(file);
      if (!larodSetTensorFd(tensors[i], file, &error_)) return Failed("setting tensor fd");
    }
    // What the service allocates it tracks by itself.
    if (track && !allocated && !larodTrackTensor(conn_, tensors[i], &error_)) {
      return Failed("tracking tensor");
    }
  }
  return true;
}

bool Run::MakeTensors() {
  inputs_ = options_.dma_inputs
                ? larodAllocModelInputs(conn_, model_, 0, &num_inputs_, nullptr, &error_)
                : larodCreateModelInputs(model_, &num_inputs_, &error_);
  if (inputs_ == nullptr) return Failed("creating input tensors");
  outputs_ = options_.dma_outputs
                 ? larodAllocModelOutputs(conn_, model_, 0, &num_outputs_, nullptr, &error_)
                 : larodCreateModelOutputs(model_, &num_outputs_, &error_);
  if (outputs_ == nullptr) return Failed("creating output tensors");
  return MakeFiles(inputs_, num_inputs_, options_.dma_inputs, options_.track_inputs) &&
         MakeFiles(outputs_, num_outputs_, options_.dma_outputs, options_.track_outputs);
}

uint64_t Run::Seed() {
  if (!seed_.has_value()) {
    seed_ = options_.seed.value_or(static_cast<uint64_t>(
        std::chrono::system_clock::now().time_since_epoch() / std::chrono::microseconds(1)));
  }
  return *seed_;
}

bool WriteAll(int file, const std::vector<char>& bytes) {
  size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t n =
        pwrite(file, bytes.data() + done, bytes.size() - done, static_cast<off_t>(done));
    if (n <= 0) return false;
    done += static_cast<size_t>(n);
  }
  return true;
}

std::vector<char> ReadAll(int file) {
  struct stat status;
  if (fstat(file, &status) != 0) return {};
  std::vector<char> bytes(static_cast<size_t>(status.st_size));
  size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t n =
        pread(file, bytes.data() + done, bytes.size() - done, static_cast<off_t>(done));
    if (n <= 0) break;
    done += static_cast<size_t>(n);
  }
  bytes.resize(done);
  return bytes;
}

bool Run::FillInput(size_t i, const std::string& name) {
  std::vector<char> bytes;
  if (name.empty()) {
    size_t size = 0;
    if (!larodGetTensorByteSize(inputs_[i], &size, &error_)) return Failed("getting tensor size");
    bytes.resize(size);
    std::mt19937_64 random(Seed() + i);
    for (char& byte : bytes) byte = static_cast<char>(random());
  } else {
    const int file = open(name.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) {
      Complain(Format("Could not open %s: %s", name.c_str(), std::strerror(errno)));
      return false;
    }
    bytes = ReadAll(file);
    close(file);
  }
  const int to = larodGetTensorFd(inputs_[i], &error_);
  // The file as it is: one that is too short is for larod to refuse.
  if (to < 0 || ftruncate(to, static_cast<off_t>(bytes.size())) != 0 || !WriteAll(to, bytes)) {
    Complain(Format("Could not write input %zu", i));
    return false;
  }
  return true;
}

bool Run::FillInputs() {
  std::vector<std::string> names = options_.inputs;
  if (names.empty()) {
    Complain("No input: give -i FILE for each, or -i '' for random values");
    return false;
  }
  // A single '' stands for all inputs.
  if (names.size() == 1 && names[0].empty()) names.resize(num_inputs_);
  if (names.size() != num_inputs_) {
    Complain(Format("Model has %zu inputs but %zu were given", num_inputs_, names.size()));
    return false;
  }
  for (const std::string& name : names) {
    if (!name.empty()) continue;
    Say(Format("Setting up randomly generated input tensors using random seed %llu",
               static_cast<unsigned long long>(Seed())));
    break;
  }
  for (size_t i = 0; i < num_inputs_; ++i) {
    if (!FillInput(i, names[i])) return false;
  }
  return true;
}

// Waits for each round; the sum of their times.
bool Run::Round(uint64_t rounds, double* milliseconds) {
  for (uint64_t i = 0; rounds == 0 || i < rounds; ++i) {
    const auto begin = Clock::now();
    if (!larodRunJob(conn_, request_, &error_)) return Failed("running job synchronously");
    *milliseconds += std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
  }
  return true;
}

// Rounds that were queued and are not finished.
struct Pending {
  std::mutex mutex;
  std::condition_variable changed;
  uint64_t count = 0;
  std::string failed;
};

void OnFinished(void* data, larodError* error) {
  auto* pending = static_cast<Pending*>(data);
  const std::lock_guard lock(pending->mutex);
  --pending->count;
  if (error != nullptr && pending->failed.empty()) {
    pending->failed = Format("When running job asynchronously (%d): %s", error->code, error->msg);
  }
  pending->changed.notify_all();
}

bool Run::Queued(uint64_t rounds, double* milliseconds) {
  constexpr uint64_t kMostQueued = 128;
  Pending pending;
  const auto begin = Clock::now();
  bool queued = true;
  for (uint64_t i = 0; queued && (rounds == 0 || i < rounds); ++i) {
    {
      std::unique_lock lock(pending.mutex);
      pending.changed.wait(lock, [&] { return pending.count < kMostQueued; });
      if (!pending.failed.empty()) break;
      ++pending.count;
    }
    queued = larodRunJobAsync(conn_, request_, OnFinished, &pending, &error_);
  }
  std::unique_lock lock(pending.mutex);
  if (!queued) --pending.count;
  pending.changed.wait(lock, [&] { return pending.count == 0; });
  *milliseconds = std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
  if (!queued) return Failed("queueing job");
  if (!pending.failed.empty()) Complain(pending.failed);
  return pending.failed.empty();
}

bool Run::RunRounds() {
  if (!options_.job_params.empty()) {
    job_params_ = MakeMap(options_.job_params);
    if (job_params_ == nullptr) return Failed("setting job parameters");
  }
  request_ = larodCreateJobRequest(model_, inputs_, num_inputs_, outputs_, num_outputs_,
                                   job_params_, &error_);
  if (request_ == nullptr) return Failed("creating job request");
  if (!larodSetJobRequestPriority(request_, options_.priority, &error_)) {
    return Failed("setting priority");
  }
  double ignored = 0, milliseconds = 0;
  if (options_.warm_up != 0 && !Round(options_.warm_up, &ignored)) return false;
  Say(Format("Running job for %llu round(s)...", static_cast<unsigned long long>(options_.rounds)));
  const bool ran = options_.queue ? Queued(options_.rounds, &milliseconds)
                                  : Round(options_.rounds, &milliseconds);
  if (!ran || !SaveOutputs()) return false;
  Say(Format("Mean execution time for job: %.2f ms",
             milliseconds / static_cast<double>(options_.rounds)));
  return true;
}

std::string Run::OutputName(size_t i) const {
  if (i < options_.outputs.size()) return options_.outputs[i];
  const std::string& input = options_.inputs[0];
  const std::string base = input.empty() ? std::to_string(*seed_) : BaseName(input);
  return base + ".out" + std::to_string(i);
}

bool Run::SaveOutputs() {
  Say("Output written to:");
  for (size_t i = 0; i < num_outputs_; ++i) {
    const int from = larodGetTensorFd(outputs_[i], &error_);
    const std::string name = OutputName(i);
    const int to = open(name.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    const bool written = to >= 0 && WriteAll(to, ReadAll(from));
    if (!written) Complain(Format("Could not write %s: %s", name.c_str(), std::strerror(errno)));
    if (to >= 0) close(to);
    if (!written) return false;
    Say("    " + name);
  }
  return true;
}

}  // namespace

void Say(const std::string& text) {
  std::printf("%s%s\n", Stamp().c_str(), text.c_str());
  std::fflush(stdout);
}

void Complain(const std::string& text) {
  std::fprintf(stderr, "%sERROR: %s\n", Stamp().c_str(), text.c_str());
}

bool ListDevices(larodConnection* conn) {
  larodError* error = nullptr;
  size_t count = 0;
  const larodDevice** devices = larodListDevices(conn, &count, &error);
  if (devices == nullptr) {
    Complain(Format("When listing devices (%d): %s", error->code, error->msg));
    larodClearError(&error);
    return false;
  }
  constexpr int kWidth = 43;
  const std::string under(kWidth, '_');
  std::string over;
  for (int i = 0; i < kWidth; ++i) over += "\u203e";
  std::printf("Devices:\n%s\n %-32s Instance\n%s\n", under.c_str(), "Name", over.c_str());
  for (size_t i = 0; i < count; ++i) {
    uint32_t instance = 0;
    larodGetDeviceInstance(devices[i], &instance, nullptr);
    std::printf(" %-32s %u\n", larodGetDeviceName(devices[i], nullptr), instance);
  }
  std::printf("%s\n", over.c_str());
  return true;
}

bool RunModel(larodConnection* conn, const Options& options) {
  Run run(conn, options);
  return run.Load() && run.MakeTensors() && run.FillInputs() && run.RunRounds();
}

}  // namespace larod_client
