// SPDX-License-Identifier: Apache-2.0
// larod.h for LAROD_API_VERSION_2: chips in place of devices. Version 1 shares the lists.
#include <fmt/format.h>

// What version 2 renames is declared under its full name here, so that the plain names stay those
// of version 3.
#define LAROD_API_VERSION_2
#include "larod/api/handles.h"
#undef larodRunJob
#undef larodRunJobAsync

using namespace dlpu::larod;  // NOLINT: the API is global, what it is made of is not

namespace {

struct ChipName {
  larodChip chip;
  const char* name;
};
constexpr ChipName kChipNames[] = {
    {LAROD_CHIP_DEBUG, "Debug"},
    {LAROD_CHIP_TFLITE_CPU, "CPU with TensorFlow Lite"},
    {LAROD_CHIP_TPU, "Google TPU"},
    {LAROD_CHIP_CVFLOW_NN, "Ambarella CVFlow (NN)"},
    {LAROD_CHIP_TFLITE_GLGPU, "GPU with TensorFlow Lite"},
    {LAROD_CHIP_CVFLOW_PROC, "Ambarella CVFlow (proc)"},
    {LAROD_CHIP_ACE, "Axis Compute Engine"},
    {LAROD_CHIP_LIBYUV, "CPU with libyuv"},
    {LAROD_CHIP_TFLITE_ARTPEC8DLPU, "ARTPEC-8 DLPU with TensorFlow Lite"},
    {LAROD_CHIP_OPENCL, "OpenCL"},
};

// SIZE_MAX and an error when the camera has no such chip.
size_t FindChip(larodConnection* conn, larodChip chip, larodError** error) {
  const size_t device = DeviceOfChip(*conn, chip);
  if (device != SIZE_MAX) return device;
  return Fail(
      error,
      Failure{LAROD_ERROR_INVALID_CHIP_ID,
              fmt::format("Could not load model: Could not find chip {}", static_cast<int>(chip)),
              "this camera has no such device; larodListChips lists what it has"},
      SIZE_MAX);
}

}  // namespace

const char* larodGetChipName(const larodChip chip) {
  for (const ChipName& row : kChipNames) {
    if (row.chip == chip) return row.name;
  }
  return "Invalid";
}

bool larodListChips(larodConnection* conn, larodChip** chips, size_t* numChips,
                    larodError** error) {
  LAROD_NEED_CONNECTION(conn, false);
  if (chips == nullptr) return Fail(error, BadHandle("Chips", chips), false);
  auto* list = static_cast<larodChip*>(std::calloc(conn->devices->size() + 1, sizeof(larodChip)));
  DLPU_CHECK(list != nullptr);
  size_t count = 0;
  for (const larodDevice& device : *conn->devices) {
    // A chip that several devices share is listed once.
    if (device.info.chip != 0 && DeviceOfChip(*conn, device.info.chip) == device.index) {
      list[count++] = static_cast<larodChip>(device.info.chip);
    }
  }
  *chips = list;
  if (numChips != nullptr) *numChips = count;
  return true;
}

larodChip larodGetModelChip(const larodModel* model, larodError** error) {
  const larodDevice* device = larodGetModelDevice(model, error);
  if (device == nullptr) return LAROD_CHIP_INVALID;
  if (device->info.chip == 0) {
    return Fail(error,
                Failure{LAROD_ERROR_INVALID_CHIP_ID, "The model's device has no chip number",
                        device->info.name + " is newer than chip numbers"},
                LAROD_CHIP_INVALID);
  }
  return static_cast<larodChip>(device->info.chip);
}

larodModel* larodLoadModel_API_VERSION_2(larodConnection* conn, const int fd, const larodChip chip,
                                         const larodAccess access, const char* name,
                                         const larodMap* params, larodError** error) {
  LAROD_NEED_CONNECTION(conn, static_cast<larodModel*>(nullptr));
  const size_t device = FindChip(conn, chip, error);
  if (device == SIZE_MAX) return nullptr;
  return LoadModelOn(conn, fd, device, access, name, params, error);
}

bool larodLoadModelAsync_API_VERSION_2(larodConnection* conn, const int inFd, const larodChip chip,
                                       const larodAccess access, const char* name,
                                       const larodMap* params, larodLoadModelCallback callback,
                                       void* userData, larodError** error) {
  LAROD_NEED_CONNECTION(conn, false);
  const size_t device = FindChip(conn, chip, error);
  if (device == SIZE_MAX) return false;
  return LoadModelOnAsync(conn, inFd, device, access, name, params, callback, userData, error);
}

// Version 2 differs from 3 in who synchronises the caches of a dma-buf, which a PC need not.
bool larodRunJob_API_VERSION_2(larodConnection* conn, const larodJobRequest* jobReq,
                               larodError** error) {
  return larodRunJob(conn, jobReq, error);
}

bool larodRunJobAsync_API_VERSION_2(larodConnection* conn, const larodJobRequest* jobReq,
                                    larodRunJobCallback callback, void* userData,
                                    larodError** error) {
  return larodRunJobAsync(conn, jobReq, callback, userData, error);
}
