// SPDX-License-Identifier: Apache-2.0
// larod.h: errors, connections, devices.
#include <fmt/format.h>

#include <thread>

#include "larod/api/handles.h"

using namespace dlpu::larod;  // NOLINT: the API is global, what it is made of is not

void larodClearError(larodError** error) {
  if (error == nullptr || *error == nullptr) return;
  std::free(*error);
  *error = nullptr;
}

bool larodConnect(larodConnection** conn, larodError** error) {
  if (conn == nullptr) return Fail(error, BadHandle("Connection", conn), false);
  auto session = OpenSession();
  if (!session.ok()) {
    *conn = nullptr;
    return Fail(error, session.failure(), false);
  }
  auto made = std::make_unique<larodConnection>();
  made->session = *session;
  made->devices = std::make_shared<std::vector<larodDevice>>();
  for (const DeviceInfo& info : made->session->devices()) {
    made->devices->push_back({info, made->devices->size()});
  }
  for (const larodDevice& device : *made->devices) {
    made->device_list.push_back(&device);
    Registry<larodDevice>::Get().Add(&device);
  }
  *conn = made.release();
  Registry<larodConnection>::Get().Add(*conn);
  return true;
}

bool larodDisconnect(larodConnection** conn, larodError** error) {
  if (conn == nullptr || *conn == nullptr) return true;
  larodConnection* const old = *conn;
  *conn = nullptr;
  if (!Registry<larodConnection>::Get().Remove(old)) return Fail(error, BadConnection(old), false);
  const std::unique_ptr<larodConnection> owner(old);
  while (!old->tracked.empty()) {
    larodTensor& tensor = **old->tracked.begin();
    tensor.buffer.own = nullptr;
    Untrack(tensor);
  }
  for (const larodDevice* device : old->device_list) Registry<larodDevice>::Get().Remove(device);
  if (old->session->InCallback()) {
    // The session ends when this callback has returned.
    std::thread([session = old->session] { (void)session->Close(); }).detach();
    return true;
  }
  const auto closed = old->session->Close();
  return closed.ok() ? true : Fail(error, closed.failure(), false);
}

bool larodGetNumSessions(larodConnection* conn, uint64_t* numSessions, larodError** error) {
  LAROD_NEED_CONNECTION(conn, false);
  if (numSessions == nullptr) return Fail(error, BadHandle("Number of sessions", nullptr), false);
  auto count = conn->session->CountSessions();
  if (!count.ok()) return Fail(error, count.failure(), false);
  *numSessions = *count;
  return true;
}

const larodDevice* larodGetDevice(const larodConnection* conn, const char* name,
                                  const uint32_t instance, larodError** error) {
  constexpr const larodDevice* kNone = nullptr;
  LAROD_NEED_CONNECTION(conn, kNone);
  if (name == nullptr) return Fail(error, BadHandle("Device name", name), kNone);
  std::string names;
  for (const larodDevice& device : *conn->devices) {
    if (device.info.name == name && device.info.instance == instance) return &device;
    names += (names.empty() ? "" : ", ") + device.info.name;
  }
  return Fail(
      error,
      Failure{LAROD_ERROR_INVALID_CHIP_ID,
              fmt::format("Could not find device name \"{}\" and instance {}", name, instance),
              fmt::format("this camera has {}; $DLPU_PRODUCT chooses the camera", names)},
      kNone);
}

const char* larodGetDeviceName(const larodDevice* dev, larodError** error) {
  LAROD_NEED("Device", dev, static_cast<const char*>(nullptr));
  return dev->info.name.c_str();
}

bool larodGetDeviceInstance(const larodDevice* dev, uint32_t* instance, larodError** error) {
  LAROD_NEED("Device", dev, false);
  if (instance == nullptr) return Fail(error, BadHandle("Instance", instance), false);
  *instance = dev->info.instance;
  return true;
}

const larodDevice** larodListDevices(larodConnection* conn, size_t* numDevices,
                                     larodError** error) {
  LAROD_NEED_CONNECTION(conn, static_cast<const larodDevice**>(nullptr));
  if (numDevices != nullptr) *numDevices = conn->device_list.size();
  return conn->device_list.data();
}
