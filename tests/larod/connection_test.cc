// SPDX-License-Identifier: Apache-2.0
// Errors, connections, devices.
#include <cerrno>

#include "larod_testing.h"

namespace dlpu::larod_testing {
namespace {

std::vector<std::string> Devices(Camera& camera) {
  size_t count = 0;
  const larodDevice** devices = larodListDevices(camera.conn, &count, camera.error);
  std::vector<std::string> names;
  for (size_t i = 0; i < count; ++i) {
    uint32_t instance = 99;
    EXPECT_TRUE(larodGetDeviceInstance(devices[i], &instance, camera.error));
    EXPECT_EQ(instance, 0u);
    names.emplace_back(larodGetDeviceName(devices[i], camera.error));
    EXPECT_EQ(larodGetDevice(camera.conn, names.back().c_str(), 0, camera.error), devices[i]);
  }
  return names;
}

TEST(LarodDevices, AreThoseOfTheProductInItsOrder) {
  using Names = std::vector<std::string>;
  EXPECT_EQ(Devices(*std::make_unique<Camera>("AXIS Q1656-LE")),
            (Names{"cpu-tflite", "axis-ace-proc", "cpu-proc", "axis-a8-dlpu-tflite",
                   "axis-a8-dlpu-native", "axis-a8-dlpu-proc", "axis-a8-gpu-proc"}));
  EXPECT_EQ(Devices(*std::make_unique<Camera>("Q1728")),
            (Names{"cpu-tflite", "a9-dlpu-native", "armnn-cpu-tflite", "cpu-proc", "a9-dlpu-tflite",
                   "a9-gpu-proc"}));
  EXPECT_EQ(Devices(*std::make_unique<Camera>("cv25")),
            (Names{"ambarella-cvflow", "ambarella-cvflow-proc", "cpu-tflite", "cpu-proc"}));
  EXPECT_EQ(Devices(*std::make_unique<Camera>("cpu")), (Names{"cpu-tflite", "cpu-proc"}));
}

TEST(LarodDevices, AnotherCamerasDeviceIsNotFound) {
  Camera camera("artpec9");
  EXPECT_EQ(larodGetDevice(camera.conn, "axis-a8-dlpu-tflite", 0, camera.error), nullptr);
  EXPECT_EQ(camera.error.code(), LAROD_ERROR_INVALID_CHIP_ID);
  EXPECT_EQ(camera.error.text(),
            "Could not find device name \"axis-a8-dlpu-tflite\" and instance 0");
  EXPECT_EQ(larodGetDevice(camera.conn, "cpu-tflite", 1, camera.error), nullptr);
  // The NULL that an application did not look at.
  const File file;
  EXPECT_EQ(larodLoadModel(camera.conn, file.fd(), nullptr, LAROD_ACCESS_PRIVATE, "", nullptr,
                           camera.error),
            nullptr);
  EXPECT_EQ(camera.error.text(), "Device is null");
}

TEST(LarodConnection, UnknownProductIsNoSession) {
  setenv("DLPU_PRODUCT", "AXIS 9999", 1);
  larodConnection* conn = nullptr;
  Error error;
  EXPECT_FALSE(larodConnect(&conn, error));
  EXPECT_EQ(error.code(), LAROD_ERROR_CREATE_SESSION);
  EXPECT_EQ(conn, nullptr);
}

TEST(LarodConnection, SessionsAreCounted) {
  Camera first("cpu");
  uint64_t count = 0;
  EXPECT_TRUE(larodGetNumSessions(first.conn, &count, first.error));
  EXPECT_EQ(count, 1u);
  {
    Camera second("cpu");
    EXPECT_TRUE(larodGetNumSessions(first.conn, &count, first.error));
    EXPECT_EQ(count, 2u);
  }
  EXPECT_TRUE(larodGetNumSessions(first.conn, &count, first.error));
  EXPECT_EQ(count, 1u);
  EXPECT_FALSE(larodGetNumSessions(first.conn, nullptr, first.error));
}

TEST(LarodConnection, DisconnectedIsAnErrorAndNoCrash) {
  Camera camera("cpu");
  larodConnection* const old = camera.conn;
  const larodDevice* device = camera.Device("cpu-tflite");
  EXPECT_TRUE(larodDisconnect(&camera.conn, camera.error));
  EXPECT_EQ(camera.conn, nullptr);
  EXPECT_TRUE(larodDisconnect(&camera.conn, camera.error));
  EXPECT_TRUE(larodDisconnect(nullptr, nullptr));
  uint64_t count;
  EXPECT_FALSE(larodGetNumSessions(old, &count, camera.error));
  EXPECT_EQ(camera.error.code(), LAROD_ERROR_CONNECTION);
  EXPECT_EQ(larodGetDeviceName(device, camera.error), nullptr);
  EXPECT_EQ(larodListDevices(old, nullptr, camera.error), nullptr);
  larodConnection* twice = old;
  EXPECT_FALSE(larodDisconnect(&twice, camera.error));
  EXPECT_EQ(twice, nullptr);
}

TEST(LarodConnection, NullIsAnError) {
  Error error;
  EXPECT_FALSE(larodConnect(nullptr, error));
  EXPECT_EQ(error.code(), EINVAL);
  EXPECT_EQ(larodListDevices(nullptr, nullptr, error), nullptr);
  EXPECT_EQ(error.text(), "Connection is null");
  EXPECT_EQ(larodGetDevice(nullptr, "cpu-tflite", 0, nullptr), nullptr);
  EXPECT_EQ(larodGetDeviceName(nullptr, nullptr), nullptr);
  uint32_t instance;
  EXPECT_FALSE(larodGetDeviceInstance(nullptr, &instance, nullptr));
  larodClearError(nullptr);
}

TEST(LarodError, SuccessLeavesItAlone) {
  larodError* error = nullptr;
  EXPECT_FALSE(larodConnect(nullptr, &error));
  larodError* const before = error;
  larodMap* map = larodCreateMap(&error);
  EXPECT_EQ(error, before);
  // A failure writes over a stale one without freeing it.
  EXPECT_FALSE(larodMapSetInt(nullptr, "a", 1, &error));
  EXPECT_NE(error, before);
  larodError* stale = before;
  larodClearError(&stale);
  larodClearError(&error);
  EXPECT_EQ(error, nullptr);
  larodClearError(&error);
  larodDestroyMap(&map);
}

TEST(LarodMap, KeepsFourKindsOfValues) {
  Error error;
  larodMap* map = larodCreateMap(error);
  EXPECT_TRUE(larodMapSetStr(map, "str", "text", error));
  EXPECT_TRUE(larodMapSetInt(map, "int", -5, error));
  EXPECT_TRUE(larodMapSetIntArr2(map, "two", 1, 2, error));
  EXPECT_TRUE(larodMapSetIntArr4(map, "four", 1, 2, 3, 4, error));
  EXPECT_STREQ(larodMapGetStr(map, "str", error), "text");
  int64_t value = 0;
  EXPECT_TRUE(larodMapGetInt(map, "int", &value, error));
  EXPECT_EQ(value, -5);
  EXPECT_EQ(larodMapGetIntArr2(map, "two", error)[1], 2);
  EXPECT_EQ(larodMapGetIntArr4(map, "four", error)[3], 4);
  EXPECT_TRUE(larodMapSetStr(map, "str", "other", error));
  EXPECT_STREQ(larodMapGetStr(map, "str", error), "other");
  // Another kind, no such key, and the output stays.
  EXPECT_FALSE(larodMapSetInt(map, "str", 1, error));
  EXPECT_EQ(error.code(), EINVAL);
  EXPECT_FALSE(larodMapGetInt(map, "none", &value, error));
  EXPECT_FALSE(larodMapGetInt(map, "str", &value, error));
  EXPECT_EQ(value, -5);
  EXPECT_EQ(larodMapGetStr(map, "int", error), nullptr);
  larodDestroyMap(&map);
  EXPECT_EQ(map, nullptr);
  larodDestroyMap(&map);
  larodDestroyMap(nullptr);
}

TEST(LarodMap, TextsHaveAtMost127Characters) {
  Error error;
  larodMap* map = larodCreateMap(error);
  const std::string most(127, 'a'), more(128, 'a');
  EXPECT_TRUE(larodMapSetStr(map, most.c_str(), most.c_str(), error));
  EXPECT_FALSE(larodMapSetStr(map, more.c_str(), "value", error));
  EXPECT_EQ(error.code(), EINVAL);
  EXPECT_FALSE(larodMapSetStr(map, "key", more.c_str(), error));
  EXPECT_FALSE(larodMapSetStr(map, nullptr, "value", error));
  EXPECT_FALSE(larodMapSetStr(map, "key", nullptr, error));
  larodMap* const old = map;
  larodDestroyMap(&map);
  EXPECT_FALSE(larodMapSetInt(old, "key", 1, error));
  EXPECT_EQ(error.text(), "Map does not exist");
}

}  // namespace
}  // namespace dlpu::larod_testing
