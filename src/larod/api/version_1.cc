// SPDX-License-Identifier: Apache-2.0
// larod.h for LAROD_API_VERSION_1: a connection has a current chip, jobs are called inferences.
#define LAROD_API_VERSION_1
#include <fmt/format.h>

#include "larod/api/handles.h"

using namespace dlpu::larod;  // NOLINT: the API is global, what it is made of is not

namespace {

// Ids are numbers of the service that mean nothing else: the device's place in the list, from 1.
size_t CurrentDevice(const larodConnection* conn) { return static_cast<size_t>(conn->chip) - 1; }

bool HasChip(larodConnection* conn, larodError** error) {
  LAROD_NEED_CONNECTION(conn, false);
  if (conn->chip != 0) return true;
  return Fail(error,
              Failure{LAROD_ERROR_INVALID_CHIP_ID, "No chip is selected",
                      "larodSetChip or larodSetChipId comes first"},
              false);
}

}  // namespace

larodModel* larodLoadModel_API_VERSION_1(larodConnection* conn, const int fd,
                                         const larodAccess access, const char* name,
                                         larodError** error) {
  if (!HasChip(conn, error)) return nullptr;
  return LoadModelOn(conn, fd, CurrentDevice(conn), access, name, nullptr, error);
}

bool larodLoadModelAsync_API_VERSION_1(larodConnection* conn, const int inFd,
                                       const larodAccess access, const char* name,
                                       larodLoadModelCallback callback, void* userData,
                                       larodError** error) {
  if (!HasChip(conn, error)) return false;
  return LoadModelOnAsync(conn, inFd, CurrentDevice(conn), access, name, nullptr, callback,
                          userData, error);
}

larodInferenceRequest* larodCreateInferenceRequest(const larodModel* model,
                                                   larodTensor** inputTensors, size_t numInputs,
                                                   larodTensor** outputTensors, size_t numOutputs,
                                                   larodError** error) {
  return larodCreateJobRequest(model, inputTensors, numInputs, outputTensors, numOutputs, nullptr,
                               error);
}

bool larodRunInference(larodConnection* conn, const larodInferenceRequest* infReq,
                       larodError** error) {
  return larodRunJob(conn, infReq, error);
}

bool larodRunInferenceAsync(larodConnection* conn, const larodInferenceRequest* infReq,
                            larodRunInferenceCallback callback, void* userData,
                            larodError** error) {
  return larodRunJobAsync(conn, infReq, callback, userData, error);
}

bool larodGetChipId(larodConnection* conn, uint64_t* chipId, larodError** error) {
  if (!HasChip(conn, error)) return false;
  if (chipId == nullptr) return Fail(error, BadHandle("Chip id", chipId), false);
  *chipId = conn->chip;
  return true;
}

bool larodSetChipId(larodConnection* conn, const uint64_t chipId, larodError** error) {
  LAROD_NEED_CONNECTION(conn, false);
  if (chipId == 0 || chipId > conn->devices->size() ||
      (*conn->devices)[static_cast<size_t>(chipId) - 1].info.chip == 0) {
    return Fail(error,
                Failure{LAROD_ERROR_INVALID_CHIP_ID,
                        fmt::format("Could not select chip with id {}", chipId), ""},
                false);
  }
  conn->chip = chipId;
  return true;
}

bool larodSetChip(larodConnection* conn, const larodChip chip, larodError** error) {
  LAROD_NEED_CONNECTION(conn, false);
  const size_t device = DeviceOfChip(*conn, chip);
  if (device == SIZE_MAX) {
    return Fail(error,
                Failure{LAROD_ERROR_INVALID_CHIP_ID,
                        fmt::format("Could not select chip {0}: Could not find chip {0}",
                                    static_cast<int>(chip)),
                        "this camera has no such device; larodListChips lists what it has"},
                false);
  }
  conn->chip = device + 1;
  return true;
}

bool larodGetChipType(larodConnection* conn, larodChip* chip, larodError** error) {
  if (!HasChip(conn, error)) return false;
  if (chip == nullptr) return Fail(error, BadHandle("Chip", chip), false);
  *chip = static_cast<larodChip>((*conn->devices)[CurrentDevice(conn)].info.chip);
  return true;
}
