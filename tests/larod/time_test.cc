// SPDX-License-Identifier: Apache-2.0
// A camera's time and its faults.
#include <cerrno>
#include <chrono>
#include <string>
#include <vector>

#include "larod_testing.h"

namespace dlpu::larod_testing {
namespace {

using Clock = std::chrono::steady_clock;

// Sets a variable for as long as it lives.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) { setenv(name, value, 1); }
  Variable(const Variable&) = delete;
  ~Variable() { unsetenv(name_); }

 private:
  const char* name_;
};

TEST(LarodFault, PowerIsDeniedForAWhile) {
  const Variable fault("DLPU_FAULT", "power:3");
  Camera camera("artpec8");
  EXPECT_EQ(camera.Load(DigitsModel(), "axis-a8-dlpu-tflite"), nullptr);
  EXPECT_EQ(camera.error.code(), LAROD_ERROR_POWER_NOT_AVAILABLE);
  EXPECT_EQ(camera.Load(DigitsModel(), "axis-a8-dlpu-tflite"), nullptr);
  EXPECT_EQ(camera.Load(DigitsModel(), "axis-a8-dlpu-tflite"), nullptr);
  Job job(camera, camera.Load(DigitsModel(), "axis-a8-dlpu-tflite"));
  job.UseFiles({Bytes(784)});
  EXPECT_TRUE(job.Run()) << camera.error.text();
}

TEST(LarodFault, CrashEndsTheConnection) {
  const Variable fault("DLPU_FAULT", "crash:3");
  Camera camera("artpec8");
  Camera other(nullptr);
  Job job(camera, camera.Load(DigitsModel(), "axis-a8-dlpu-tflite"));
  job.UseFiles({Bytes(784)});
  EXPECT_TRUE(job.Run()) << camera.error.text();
  EXPECT_FALSE(job.Run());
  EXPECT_EQ(camera.error.code(), LAROD_ERROR_CONNECTION);
  EXPECT_EQ(camera.error.text(), "Could not run job: Asynchronous connection has been closed");
  EXPECT_FALSE(job.Run());
  EXPECT_EQ(other.Load(DigitsModel(), "cpu-tflite"), nullptr);
  EXPECT_EQ(other.error.text(), "Could not load model: Asynchronous connection has been closed");
  // The service is there again for those who connect anew.
  Camera again(nullptr);
  larodModel* model = again.Load(DigitsModel(), "cpu-tflite");
  EXPECT_NE(model, nullptr) << again.error.text();
  larodDestroyModel(&model);
}

TEST(LarodFault, JobsHang) {
  const Variable fault("DLPU_FAULT", "timeout:1");
  Camera camera("cpu");
  const auto begin = Clock::now();
  EXPECT_EQ(camera.Load(DigitsModel(), "cpu-tflite"), nullptr);
  EXPECT_EQ(camera.error.code(), ETIMEDOUT);
  EXPECT_GE(Clock::now() - begin, std::chrono::seconds(1));
}

TEST(LarodFault, UnknownOnesAreNoSession) {
  for (const char* text : {"nonsense", "power:", "power:0", "slow:x", "crash:99999999"}) {
    const Variable fault("DLPU_FAULT", text);
    larodConnection* conn = nullptr;
    Error error;
    EXPECT_FALSE(larodConnect(&conn, error)) << text;
    EXPECT_EQ(error.code(), LAROD_ERROR_CREATE_SESSION);
  }
}

// What the log says that a job takes on the camera, in milliseconds.
double PredictedTime(const std::string& log) {
  const auto text = ReadTextFile(log);
  EXPECT_TRUE(text.ok());
  if (!text.ok()) return 0;
  const size_t end = text->find(" ms a job are predicted");
  EXPECT_NE(end, std::string::npos) << *text;
  if (end == std::string::npos) return 0;
  return std::stod(text->substr(text->rfind(' ', end - 1) + 1));
}

// Loading compiles on the camera; a second time the compiled model is in its cache.
TEST(LarodTime, FirstLoadsTakeACamerasTimeAndLaterOnesAreCached) {
  const Variable realtime("DLPU_REALTIME", "1");
  const std::string log = ::testing::TempDir() + "larod_load_log";
  unlink(log.c_str());
  Camera camera("artpec8");
  setenv("DLPU_LAROD_LOG", log.c_str(), 1);
  for (const char* device : {"axis-a8-dlpu-tflite", "cpu-tflite"}) {
    for (const bool first : {true, false}) {
      unlink(log.c_str());
      const auto begin = Clock::now();
      larodModel* model = camera.Load(DigitsModel(), device);
      const std::chrono::duration<double> took = Clock::now() - begin;
      EXPECT_NE(model, nullptr) << camera.error.text();
      larodDestroyModel(&model);
      const auto text = ReadTextFile(log);
      ASSERT_TRUE(text.ok());
      const std::string words = "the camera loads the model for ";
      const size_t at = text->find(words);
      EXPECT_EQ(at != std::string::npos, first) << *text;
      if (at == std::string::npos) continue;
      const double seconds = std::stod(text->substr(at + words.size()));
      EXPECT_GT(seconds, 0);
      EXPECT_GE(took.count(), seconds - 0.05) << "it is rounded";
    }
  }
  setenv("DLPU_LAROD_LOG", "none", 1);
  unlink(log.c_str());
}

// Only a least time can be relied on: a busy machine takes longer.
TEST(LarodTime, JobsTakeTheTimeThatIsPredictedAndSlowOnesManyTimesThat) {
  const Variable realtime("DLPU_REALTIME", "1");
  const std::string log = ::testing::TempDir() + "larod_time_log";
  for (const int times : {1, 200}) {
    unlink(log.c_str());
    const std::string fault = "slow:" + std::to_string(times);
    const Variable slow("DLPU_FAULT", fault.c_str());
    Camera camera("artpec8");
    setenv("DLPU_LAROD_LOG", log.c_str(), 1);
    Job job(camera, camera.Load(DigitsModel(), "axis-a8-dlpu-tflite"));
    job.UseFiles({Bytes(784)});
    const double predicted = PredictedTime(log) - 0.005;  // it is rounded
    EXPECT_GT(predicted, 0);
    const int count = times == 1 ? 200 : 3;
    const auto begin = Clock::now();
    for (int i = 0; i < count; ++i) EXPECT_TRUE(job.Run()) << job.camera.error.text();
    const std::chrono::duration<double, std::milli> took = Clock::now() - begin;
    EXPECT_GE(took.count(), count * times * predicted);
    RecordProperty("took_" + std::to_string(times), std::to_string(took.count()));
    setenv("DLPU_LAROD_LOG", "none", 1);
  }
  unlink(log.c_str());
}

}  // namespace
}  // namespace dlpu::larod_testing
