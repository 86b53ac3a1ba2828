// SPDX-License-Identifier: Apache-2.0
// Real models on the devices of several cameras: what the plain runner computes for that target,
// byte for byte, through files of the application, buffers of the service and tracked tensors.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "larod_testing.h"

namespace dlpu::larod_testing {
namespace {

std::string SharedModels() {
  const char* given = std::getenv("DLPU_SHARED");
  return std::string(given != nullptr ? given : "../shared") + "/models/";
}

std::vector<std::filesystem::path> FilesOf(const std::string& folder) {
  std::vector<std::filesystem::path> files;
  if (!std::filesystem::exists(folder)) return files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

struct Place {
  const char* target;
  const char* device;
};

// By its name, as larod finds what belongs to a file.
larodModel* LoadPath(Camera& camera, const std::string& path, const char* device) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  larodModel* model = larodLoadModel(camera.conn, fd, camera.Device(device), LAROD_ACCESS_PRIVATE,
                                     "", nullptr, camera.error);
  close(fd);
  return model;
}

// Runs the file at `path` in every way; `source` is the model that it is or was made from. False:
// the device or the model itself refuses it.
bool SameInEveryWay(Camera& camera, const std::string& path, const Bytes& source,
                    const Place& place) {
  larodModel* model = LoadPath(camera, path, place.device);
  if (model == nullptr) {
    ::testing::Test::RecordProperty(std::filesystem::path(path).stem().string(),
                                    camera.error.text());
    EXPECT_NE(camera.error.text().find("Could not load model: "), std::string::npos);
    return false;
  }
  Job files(camera, model);
  size_t count = 0;
  size_t* sizes = larodGetModelInputByteSizes(model, &count, camera.error);
  std::vector<Bytes> in;
  for (size_t i = 0; i < count; ++i) in.push_back(Noise(sizes[i], static_cast<uint32_t>(i) + 9));
  free(sizes);
  files.UseFiles(in);
  if (!files.Run()) {  // model_invoking_error does what its name says
    EXPECT_EQ(camera.error.code(), LAROD_ERROR_JOB);
    return false;
  }
  const std::vector<Bytes> expected = RunPlainly(source, in, place.target);
  EXPECT_EQ(files.Outputs(), expected);
  // A model with state continues where it was: load it anew for each kind.
  Job allocated(camera, LoadPath(camera, path, place.device));
  allocated.UseAllocated(in);
  EXPECT_TRUE(allocated.Run()) << camera.error.text();
  EXPECT_EQ(allocated.Outputs(), expected);
  Job tracked(camera, LoadPath(camera, path, place.device));
  tracked.UseFiles(in);
  tracked.Track();
  EXPECT_TRUE(tracked.Run()) << camera.error.text();
  EXPECT_EQ(tracked.Outputs(), expected);
  return true;
}

class LarodSharedModels : public ::testing::TestWithParam<Place> {};

TEST_P(LarodSharedModels, GiveTheSameThroughEveryKindOfBuffer) {
  const auto models = FilesOf(SharedModels() + "tflite");
  if (models.empty()) GTEST_SKIP() << SharedModels() << " is not there";
  Camera camera(GetParam().target);
  int ran = 0;
  for (const auto& path : models) {
    SCOPED_TRACE(path.string());
    const auto file = ReadFile(path.string());
    ASSERT_TRUE(file.ok());
    ran += SameInEveryWay(camera, path.string(), *file, GetParam()) ? 1 : 0;
  }
  RecordProperty("models", ran);
  std::printf("%d of %zu models ran on %s\n", ran, models.size(), GetParam().device);
  EXPECT_GT(ran, 5) << "the test ran almost nothing";
}

INSTANTIATE_TEST_SUITE_P(Devices, LarodSharedModels,
                         ::testing::Values(Place{"cpu", "cpu-tflite"},
                                           Place{"artpec8", "axis-a8-dlpu-tflite"},
                                           Place{"artpec9", "a9-dlpu-tflite"}),
                         [](const auto& info) { return std::string(info.param.target); });

// Files compiled for the Edge TPU compute what their sources do.
TEST(LarodSharedEdgeTpuModels, GiveTheSameThroughEveryKindOfBuffer) {
  const auto models = FilesOf(SharedModels() + "edgetpu");
  if (models.empty()) GTEST_SKIP() << SharedModels() << " is not there";
  setenv("DLPU_SOURCES", (SharedModels() + "tflite").c_str(), 1);
  Camera camera("artpec7");
  int ran = 0;
  for (const auto& path : models) {
    SCOPED_TRACE(path.string());
    std::string name = path.filename().string();
    const size_t suffix = name.rfind("_edgetpu.tflite");
    if (suffix == std::string::npos) continue;
    const auto source = ReadFile(SharedModels() + "tflite/" + name.substr(0, suffix) + ".tflite");
    if (!source.ok()) continue;
    ran += SameInEveryWay(camera, path.string(), *source, {"artpec7", "google-edge-tpu-tflite"});
  }
  unsetenv("DLPU_SOURCES");
  RecordProperty("models", ran);
  std::printf("%d of %zu compiled models ran\n", ran, models.size());
  EXPECT_GT(ran, 2) << "the test ran almost nothing";
}

}  // namespace
}  // namespace dlpu::larod_testing
