// SPDX-License-Identifier: Apache-2.0
// Loading, listing, sharing and deleting models.
#include <cerrno>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <set>

#include "formats/compiled_sources.h"
#include "larod_testing.h"

namespace dlpu::larod_testing {
namespace {

TEST(LarodModel, SaysWhatItIs) {
  Camera camera("artpec8");
  const Bytes file = DigitsModel();
  larodModel* model = camera.Load(file, "axis-a8-dlpu-tflite");
  ASSERT_NE(model, nullptr) << camera.error.text();
  EXPECT_STREQ(larodGetModelName(model, camera.error), "model");
  EXPECT_EQ(larodGetModelSize(model, camera.error), file.size());
  EXPECT_EQ(larodGetModelAccess(model, camera.error), LAROD_ACCESS_PRIVATE);
  EXPECT_EQ(larodGetModelDevice(model, camera.error), camera.Device("axis-a8-dlpu-tflite"));
  EXPECT_EQ(larodGetModelNumInputs(model, camera.error), 1u);
  EXPECT_EQ(larodGetModelNumOutputs(model, camera.error), 1u);
  size_t count = 0;
  size_t* sizes = larodGetModelInputByteSizes(model, &count, camera.error);
  EXPECT_EQ(count, 1u);
  EXPECT_EQ(sizes[0], 784u);
  free(sizes);
  sizes = larodGetModelOutputByteSizes(model, nullptr, camera.error);
  EXPECT_EQ(sizes[0], 10u);
  free(sizes);
  // The same model by its number, as another handle.
  const uint64_t id = larodGetModelId(model, camera.error);
  larodModel* again = larodGetModel(camera.conn, id, camera.error);
  ASSERT_NE(again, nullptr);
  EXPECT_NE(again, model);
  larodDestroyModel(&model);
  EXPECT_EQ(model, nullptr);
  EXPECT_EQ(larodGetModelId(again, camera.error), id);
  EXPECT_TRUE(larodDeleteModel(camera.conn, again, camera.error));
  EXPECT_FALSE(larodDeleteModel(camera.conn, again, camera.error));
  EXPECT_EQ(camera.error.code(), LAROD_ERROR_MODEL_NOT_FOUND);
  EXPECT_EQ(larodGetModel(camera.conn, id, camera.error), nullptr);
  EXPECT_EQ(camera.error.code(), LAROD_ERROR_MODEL_NOT_FOUND);
  larodDestroyModel(&again);
}

TEST(LarodModel, PositionOfTheFileDoesNotMatter) {
  Camera camera("cpu");
  const File file(DigitsModel());
  lseek(file.fd(), 100, SEEK_SET);
  for (int i = 0; i < 2; ++i) {
    larodModel* model = larodLoadModel(camera.conn, file.fd(), camera.Device("cpu-tflite"),
                                       LAROD_ACCESS_PRIVATE, nullptr, nullptr, camera.error);
    EXPECT_NE(model, nullptr) << camera.error.text();
    EXPECT_STREQ(larodGetModelName(model, camera.error), "");
    larodDestroyModel(&model);
  }
}

TEST(LarodModel, OthersListPrivateModelsAndUsePublicOnes) {
  Camera owner("cpu"), other("cpu");
  larodModel* priv = owner.Load(AddModel(), "cpu-tflite");
  larodModel* pub = owner.Load(DigitsModel(), "cpu-tflite", LAROD_ACCESS_PUBLIC);
  size_t count = 99;
  larodModel** models = larodGetModels(other.conn, &count, other.error);
  ASSERT_NE(models, nullptr);
  EXPECT_EQ(count, 2u);
  larodDestroyModels(&models, count);
  EXPECT_EQ(models, nullptr);

  larodModel* seen = larodGetModel(other.conn, larodGetModelId(priv, nullptr), other.error);
  ASSERT_NE(seen, nullptr);
  EXPECT_FALSE(larodDeleteModel(other.conn, seen, other.error));
  EXPECT_EQ(other.error.code(), LAROD_ERROR_PERMISSION);
  {
    Job job(other, seen);
    job.UseFiles({Bytes(16), Bytes(16)});
    EXPECT_FALSE(job.Run());
    EXPECT_EQ(other.error.code(), LAROD_ERROR_PERMISSION);
  }
  // The owner goes: the private model with it, the public one stays.
  const uint64_t public_id = larodGetModelId(pub, nullptr);
  const uint64_t private_id = larodGetModelId(priv, nullptr);
  EXPECT_TRUE(larodDisconnect(&owner.conn, owner.error));
  EXPECT_EQ(larodGetModel(other.conn, private_id, other.error), nullptr);
  Job job(other, larodGetModel(other.conn, public_id, other.error));
  job.UseFiles({Noise(784, 1)});
  EXPECT_TRUE(job.Run()) << other.error.text();
  EXPECT_TRUE(larodDeleteModel(other.conn, job.model, other.error));
  // Handles outlive their connection.
  EXPECT_EQ(larodGetModelId(pub, nullptr), public_id);
  EXPECT_EQ(larodGetModelDevice(pub, owner.error), nullptr);
  EXPECT_EQ(owner.error.code(), LAROD_ERROR_CONNECTION);
  larodDestroyModel(&pub);
  larodDestroyModel(&priv);
}

TEST(LarodModel, NoModelsIsAnEmptyArray) {
  Camera camera("cpu");
  size_t count = 99;
  larodModel** models = larodGetModels(camera.conn, &count, camera.error);
  ASSERT_NE(models, nullptr);
  EXPECT_EQ(count, 0u);
  EXPECT_EQ(models[0], nullptr);
  larodDestroyModels(&models, count);
}

TEST(LarodModel, WrongArgumentsAreRefused) {
  Camera camera("artpec8");
  const File file(DigitsModel());
  const larodDevice* device = camera.Device("cpu-tflite");
  const auto load = [&](int fd, int access) {
    return larodLoadModel(camera.conn, fd, device, static_cast<larodAccess>(access), "", nullptr,
                          camera.error);
  };
  EXPECT_EQ(load(-1, LAROD_ACCESS_PRIVATE), nullptr);
  EXPECT_EQ(camera.error.code(), EINVAL);
  EXPECT_EQ(load(file.fd(), LAROD_ACCESS_INVALID), nullptr);
  EXPECT_EQ(camera.error.code(), LAROD_ERROR_INVALID_ACCESS);
  EXPECT_EQ(load(file.fd(), 17), nullptr);
  EXPECT_EQ(load(9999, LAROD_ACCESS_PRIVATE), nullptr);
  EXPECT_EQ(camera.error.code(), LAROD_ERROR_FD);
  const int write_only = open("/dev/null", O_WRONLY | O_CLOEXEC);
  EXPECT_EQ(load(write_only, LAROD_ACCESS_PRIVATE), nullptr);
  close(write_only);
  // Parameters do not replace the model of a device that runs models.
  larodMap* map = larodCreateMap(nullptr);
  EXPECT_EQ(larodLoadModel(camera.conn, -1, device, LAROD_ACCESS_PRIVATE, "", map, camera.error),
            nullptr);
  EXPECT_EQ(camera.error.code(), LAROD_ERROR_FD);
  larodDestroyMap(&map);
  EXPECT_FALSE(larodDeleteModel(camera.conn, nullptr, camera.error));
  EXPECT_EQ(camera.error.code(), EINVAL);
}

TEST(LarodModel, WhatADeviceDoesNotTakeIsRefusedAsOnCameras) {
  const Bytes text = {'h', 'e', 'l', 'l', 'o', '\n'};
  Bytes damaged = DigitsModel();
  damaged.resize(damaged.size() / 2);
  {
    Camera camera("artpec8");
    EXPECT_EQ(camera.Load(text, "axis-a8-dlpu-tflite"), nullptr);
    EXPECT_EQ(camera.error.code(), LAROD_ERROR_LOAD_MODEL);
    EXPECT_EQ(camera.error.text(), "Could not load model: Incorrect model format");
    EXPECT_EQ(camera.Load(DigitsModel(), "axis-a8-dlpu-native"), nullptr);
    EXPECT_EQ(camera.error.text(), "Could not load model: Incorrect model format");
    EXPECT_EQ(camera.Load(damaged, "cpu-tflite"), nullptr);
    EXPECT_EQ(camera.error.text(), "Could not load model: Could not allocate tensors");
    EXPECT_EQ(camera.Load({}, "cpu-tflite"), nullptr);
    EXPECT_EQ(camera.Load(DigitsModel(), "cpu-proc"), nullptr);
    EXPECT_EQ(camera.error.code(), LAROD_ERROR_LOAD_MODEL);
  }
  Camera camera("artpec7");
  EXPECT_EQ(camera.Load(DigitsModel(), "google-edge-tpu-tflite"), nullptr);
  EXPECT_EQ(camera.error.text(), "Could not load model: Could not allocate tensors");
}

TEST(LarodModel, TheLogSaysTheCause) {
  Camera camera("artpec7");
  const std::string path = ::testing::TempDir() + "larod_log";
  unlink(path.c_str());
  setenv("DLPU_LAROD_LOG", path.c_str(), 1);
  EXPECT_EQ(camera.Load(DigitsModel(), "google-edge-tpu-tflite"), nullptr);
  setenv("DLPU_LAROD_LOG", "none", 1);
  const auto log = ReadTextFile(path);
  ASSERT_TRUE(log.ok());
  EXPECT_NE(log->find("Could not allocate tensors (-2). Cause: the model did not go through the "
                      "Edge TPU compiler"),
            std::string::npos)
      << *log;
  unlink(path.c_str());
}

// A file compiled for the Edge TPU runs when the model it was made from is beside it.
TEST(LarodModel, CompiledForTheEdgeTpu) {
  const char* given = std::getenv("DLPU_SHARED");
  const std::string models = std::string(given != nullptr ? given : "../shared") + "/models/";
  const std::string name = "mobilenet_v1_0.25_128_quant";
  const auto compiled = ReadFile(models + "edgetpu/" + name + "_edgetpu.tflite");
  const auto source = ReadFile(models + "tflite/" + name + ".tflite");
  if (!compiled.ok() || !source.ok()) GTEST_SKIP() << models << " is not there";
  {
    Camera camera("artpec8");
    EXPECT_EQ(camera.Load(*compiled, "cpu-tflite"), nullptr);
    EXPECT_EQ(camera.error.text(), "Could not load model: Could not allocate tensors");
  }
  Camera camera("artpec7");
  EXPECT_EQ(camera.Load(*compiled, "google-edge-tpu-tflite"), nullptr) << "it has no name";
  // Without a name it runs where `dlpu compile` noted what it was made from.
  const std::string data = ::testing::TempDir() + "larod_model_data";
  setenv("XDG_DATA_HOME", data.c_str(), 1);
  ASSERT_TRUE(RegisterSource(*compiled, models + "tflite/" + name + ".tflite").ok());
  larodModel* noted = camera.Load(*compiled, "google-edge-tpu-tflite");
  EXPECT_NE(noted, nullptr) << camera.error.text();
  larodDestroyModel(&noted);
  std::filesystem::remove_all(data);
  const std::string path = models + "edgetpu/" + name + "_edgetpu.tflite";
  const auto load = [&] {
    const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    larodModel* model = larodLoadModel(camera.conn, fd, camera.Device("google-edge-tpu-tflite"),
                                       LAROD_ACCESS_PRIVATE, "", nullptr, camera.error);
    close(fd);
    return model;
  };
  EXPECT_EQ(load(), nullptr) << "the source is in another folder";
  EXPECT_EQ(camera.error.code(), LAROD_ERROR_LOAD_MODEL);
  setenv("DLPU_SOURCES", (models + "labels:" + models + "tflite").c_str(), 1);
  Job job(camera, load());
  unsetenv("DLPU_SOURCES");
  unsetenv("XDG_DATA_HOME");
  const std::vector<Bytes> in = {Noise(128 * 128 * 3, 6)};
  job.UseAllocated(in);
  uint32_t props = 0;
  EXPECT_TRUE(larodGetTensorFdProps(job.inputs[0], &props, camera.error));
  EXPECT_EQ(props, LAROD_FD_TYPE_DMA);
  EXPECT_TRUE(job.Run()) << camera.error.text();
  EXPECT_EQ(job.Outputs(), RunPlainly(*source, in, "artpec7"));
}

struct LoadResult {
  std::mutex mutex;
  std::condition_variable done;
  int calls = 0;
  larodModel* model = nullptr;
  int code = 0;
};

void OnLoaded(larodModel* model, void* data, larodError* error) {
  auto* result = static_cast<LoadResult*>(data);
  const std::lock_guard lock(result->mutex);
  ++result->calls;
  result->model = model;
  result->code = error == nullptr ? 0 : error->code;
  result->done.notify_all();
}

TEST(LarodModel, LoadsInTheBackground) {
  Camera camera("cpu");
  for (const bool good : {true, false}) {
    LoadResult result;
    {
      const File file(good ? DigitsModel() : Bytes{1, 2, 3});
      EXPECT_TRUE(larodLoadModelAsync(camera.conn, file.fd(), camera.Device("cpu-tflite"),
                                      LAROD_ACCESS_PRIVATE, "x", nullptr, OnLoaded, &result,
                                      camera.error));
    }  // closed before it is read
    std::unique_lock lock(result.mutex);
    result.done.wait(lock, [&] { return result.calls != 0; });
    EXPECT_EQ(result.calls, 1);
    EXPECT_EQ(result.model != nullptr, good);
    EXPECT_EQ(result.code, good ? 0 : LAROD_ERROR_LOAD_MODEL);
    larodDestroyModel(&result.model);
  }
  EXPECT_FALSE(larodLoadModelAsync(camera.conn, 0, camera.Device("cpu-tflite"),
                                   LAROD_ACCESS_PRIVATE, "", nullptr, nullptr, nullptr,
                                   camera.error));
}

}  // namespace
}  // namespace dlpu::larod_testing
