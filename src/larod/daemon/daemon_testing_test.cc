// SPDX-License-Identifier: Apache-2.0
// Shared by the tests of the daemon.
#include "larod/daemon/daemon_testing.h"

#include <filesystem>
#include <thread>

#include "base/file.h"
#include "formats/tflite.h"
#include "passes/compile.h"
#include "run/runner.h"

namespace dlpu::larod {

::testing::AssertionResult Eventually(const std::function<bool()>& holds) {
  for (int i = 0; i < 30000; ++i) {
    if (holds()) return ::testing::AssertionSuccess();
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return ::testing::AssertionFailure() << "it did not come about";
}

Busy::Busy(std::shared_ptr<Service> service, const std::string& device) {
  size_t index = 0;
  while (index < service->devices().size() && service->devices()[index].name != device) ++index;
  EXPECT_LT(index, service->devices().size()) << "no device " << device;
  std::promise<void> occupied;
  thread_ = std::thread(
      [&occupied, service = std::move(service), index, released = release_.get_future()] {
        service->Occupy(index, [&] {
          occupied.set_value();
          released.wait();
        });
      });
  occupied.get_future().wait();
}

void Busy::Release() {
  if (!thread_.joinable()) return;
  release_.set_value();
  thread_.join();
}

TestDaemon::TestDaemon(const ServiceOptions& options, const std::string& path) : path_(path) {
  static int count = 0;
  setenv("DLPU_LAROD_LOG", "none", 1);
  unsetenv("DLPU_PRODUCT");
  if (path.empty()) {
    path_ = ::testing::TempDir() + "larod-" + std::to_string(getpid()) + "-" +
            std::to_string(++count) + ".sock";
  }
  auto started = Server::Start(path_, options);
  EXPECT_TRUE(started.ok()) << started.error().message;
  if (started.ok()) server_ = *std::move(started);
}

double TestDaemon::Metric(const std::string& name) const {
  const std::string text = server_->Metrics();
  const size_t at = text.find(name + " ");
  EXPECT_NE(at, std::string::npos) << name << "\n" << text;
  return at == std::string::npos ? -1 : std::stod(text.substr(at + name.size() + 1));
}

::testing::AssertionResult TestDaemon::Becomes(const std::string& name, double value) const {
  return Eventually([&] { return Metric(name) == value; })
         << ": " << name << " is " << Metric(name) << ", not " << value;
}

std::shared_ptr<Session> OpenOrFail(const std::string& path) {
  auto session = OpenRemoteSession(path);
  EXPECT_TRUE(session.ok()) << session.failure().message << ": " << session.failure().cause;
  return session.ok() ? *session : nullptr;
}

LoadRequest DigitsRequest(int fd, size_t device) {
  return {fd, device, LAROD_ACCESS_PRIVATE, "digits", {}};
}

Fd DigitsFile(const char* name) {
  const auto bytes = ReadFile(std::string("data/models/") + name + ".tflite");
  EXPECT_TRUE(bytes.ok()) << bytes.error().message;
  auto file = MemoryFile("model", 0);
  EXPECT_TRUE(file.ok() && WriteAt(file->get(), 0, *bytes).ok());
  return std::move(*file);
}

size_t DeviceNamed(const Session& session, const std::string& name) {
  for (size_t i = 0; i < session.devices().size(); ++i) {
    if (session.devices()[i].name == name) return i;
  }
  ADD_FAILURE() << "no device " << name;
  return 0;
}

Buffer BufferOf(const TensorSpec& spec, const Bytes& bytes) {
  Buffer buffer;
  buffer.spec = spec;
  auto file = MemoryFile("tensor", 0);
  EXPECT_TRUE(file.ok() && WriteAt(file->get(), 0, bytes).ok());
  buffer.own = std::make_shared<Fd>(std::move(*file));
  buffer.fd = buffer.own->get();
  return buffer;
}

Bytes Noise(size_t count, uint32_t seed) {
  Bytes bytes(count);
  for (uint8_t& byte : bytes) {
    seed = seed * 1664525u + 1013904223u;
    byte = static_cast<uint8_t>(seed >> 24);
  }
  return bytes;
}

size_t OpenDescriptors() {
  size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    ++count;
  }
  return count;
}

namespace {

// What the plain runner makes of the model's one input.
Bytes RunPlainly(const char* model, const Bytes& input, const char* target) {
  const std::string path = std::string("data/models/") + model + ".tflite";
  auto graph = ReadTflite(*ReadFile(path), path);
  CompileOptions options;
  const auto found = FindTarget(target);  // outlives the options
  if (found.ok()) options = OptionsFor(*found);
  auto runner = Runner::Load(*Compile(*std::move(graph), options), {});
  EXPECT_TRUE(runner.ok());
  EXPECT_EQ((*runner)->input(0).size(), input.size());
  std::copy(input.begin(), input.end(), (*runner)->input(0).begin());
  EXPECT_TRUE((*runner)->Run().ok());
  const auto output = (*runner)->output(0);
  return {output.begin(), output.end()};
}

LoadRequest PictureRequest(size_t device) {
  return {-1,
          device,
          LAROD_ACCESS_PRIVATE,
          "",
          {{"image.input.format", "nv12"},
           {"image.output.format", "rgb-interleaved"},
           {"image.input.size", std::array<int64_t, 2>{32, 16}},
           {"image.output.size", std::array<int64_t, 2>{32, 16}}}};
}

// The same job by a service of this process.
Bytes PictureInProcess(const Bytes& input) {
  auto service = Service::Make({"artpec8", false, {}});
  const std::shared_ptr<Session> session = (*service)->NewSession();
  auto model = session->Load(PictureRequest(DeviceNamed(*session, "cpu-proc")));
  EXPECT_TRUE(model.ok());
  Job job{model->id, {BufferOf(model->inputs[0], input)}, {BufferOf(model->outputs[0], {})}, {}};
  EXPECT_TRUE(session->Run(job).ok());
  return *ReadWhole(job.outputs[0].fd, SIZE_MAX);
}

}  // namespace

Application::Application(const std::string& path, uint32_t seed) : session(OpenOrFail(path)) {
  const Fd digits = DigitsFile(), floats = DigitsFile("digits");
  const LoadRequest requests[] = {
      DigitsRequest(digits.get(), DeviceNamed(*session, "axis-a8-dlpu-tflite")),
      DigitsRequest(floats.get(), DeviceNamed(*session, "cpu-tflite")),
      PictureRequest(DeviceNamed(*session, "cpu-proc"))};
  for (const LoadRequest& request : requests) {
    auto model = session->Load(request);
    EXPECT_TRUE(model.ok()) << model.failure().message << ": " << model.failure().cause;
    const Bytes input = Noise(model->inputs[0].bytes, seed + static_cast<uint32_t>(models.size()));
    switch (models.size()) {
      case 0:
        expected.push_back(RunPlainly("digits_int8", input, "artpec8"));
        break;
      case 1:
        expected.push_back(RunPlainly("digits", input, "cpu"));
        break;
      default:
        expected.push_back(PictureInProcess(input));
    }
    jobs.push_back(
        {model->id, {BufferOf(model->inputs[0], input)}, {BufferOf(model->outputs[0], {})}, {}});
    models.push_back(std::move(*model));
  }
}

Application::~Application() { EXPECT_TRUE(session->Close().ok()); }

Bytes Application::Output(size_t model) const {
  return *ReadWhole(jobs[model].outputs[0].fd, SIZE_MAX);
}

bool Application::RunRight(size_t model) {
  // What the last job left must not count.
  (void)ftruncate(jobs[model].outputs[0].fd, 0);
  return session->Run(jobs[model]).ok() && Output(model) == expected[model];
}

}  // namespace dlpu::larod
