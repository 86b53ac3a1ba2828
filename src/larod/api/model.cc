// SPDX-License-Identifier: Apache-2.0
// larod.h: models.
#include <fmt/format.h>

#include "larod/api/handles.h"
#include "larod/log.h"

using namespace dlpu::larod;  // NOLINT: the API is global, what it is made of is not

namespace {

constexpr larodModel* kNoModel = nullptr;

Outcome<LoadRequest> MakeRequest(int fd, size_t device, larodAccess access, const char* name,
                                 const larodMap* params) {
  if (access != LAROD_ACCESS_PRIVATE && access != LAROD_ACCESS_PUBLIC &&
      access != LAROD_ACCESS_USER_PROTECTED) {
    return Failure{LAROD_ERROR_INVALID_ACCESS,
                   fmt::format("Access specifier {} is invalid", static_cast<int>(access)), ""};
  }
  if (params != nullptr && !Lives(params)) return BadHandle("Map", params);
  if (fd < 0 && params == nullptr) {
    return BadArgument(fmt::format("File descriptor {} is invalid", fd),
                       "only preprocessing models have none, and those have a map");
  }
  LoadRequest request{fd, device, access, name == nullptr ? "" : name, {}};
  if (params != nullptr) request.params = params->params;
  return request;
}

size_t* ByteSizes(const larodModel* model, const std::vector<TensorSpec>& specs, size_t* count) {
  auto* sizes = static_cast<size_t*>(std::calloc(specs.size() + 1, sizeof(size_t)));
  DLPU_CHECK(model != nullptr && sizes != nullptr);
  for (size_t i = 0; i < specs.size(); ++i) sizes[i] = specs[i].bytes;
  if (count != nullptr) *count = specs.size();
  return sizes;
}

}  // namespace

namespace dlpu::larod {

larodModel* LoadModelOn(larodConnection* conn, int fd, size_t device, larodAccess access,
                        const char* name, const larodMap* params, larodError** error) {
  if (WaitsForItself(conn, "larodLoadModel", error)) return nullptr;
  auto request = MakeRequest(fd, device, access, name, params);
  if (!request.ok()) return Fail(error, request.failure(), kNoModel);
  auto model = conn->session->Load(*request);
  if (!model.ok()) return Fail(error, model.failure(), kNoModel);
  return NewModel(*conn, std::move(*model));
}

bool LoadModelOnAsync(larodConnection* conn, int fd, size_t device, larodAccess access,
                      const char* name, const larodMap* params, larodLoadModelCallback callback,
                      void* data, larodError** error) {
  if (callback == nullptr) return Fail(error, BadHandle("Callback", nullptr), false);
  auto request = MakeRequest(fd, device, access, name, params);
  if (!request.ok()) return Fail(error, request.failure(), false);
  const auto queued = conn->session->LoadAsync(
      *request, [devices = std::weak_ptr(conn->devices), callback, data](Outcome<ModelInfo> info) {
        if (!info.ok()) {
          LogFailure(info.failure());
          larodError* failed = NewError(info.failure());
          callback(nullptr, data, failed);
          larodClearError(&failed);
          return;
        }
        auto* model = new larodModel{*info, devices};
        Registry<larodModel>::Get().Add(model);
        callback(model, data, nullptr);
      });
  return queued.ok() ? true : Fail(error, queued.failure(), false);
}

}  // namespace dlpu::larod

larodModel* larodLoadModel(larodConnection* conn, const int fd, const larodDevice* dev,
                           const larodAccess access, const char* name, const larodMap* params,
                           larodError** error) {
  LAROD_NEED_CONNECTION(conn, kNoModel);
  LAROD_NEED("Device", dev, kNoModel);
  return LoadModelOn(conn, fd, dev->index, access, name, params, error);
}

bool larodLoadModelAsync(larodConnection* conn, const int inFd, const larodDevice* dev,
                         const larodAccess access, const char* name, const larodMap* params,
                         larodLoadModelCallback callback, void* userData, larodError** error) {
  LAROD_NEED_CONNECTION(conn, false);
  LAROD_NEED("Device", dev, false);
  return LoadModelOnAsync(conn, inFd, dev->index, access, name, params, callback, userData, error);
}

larodModel* larodGetModel(larodConnection* conn, const uint64_t modelId, larodError** error) {
  LAROD_NEED_CONNECTION(conn, kNoModel);
  auto model = conn->session->Model(modelId);
  if (!model.ok()) return Fail(error, model.failure(), kNoModel);
  return NewModel(*conn, std::move(*model));
}

larodModel** larodGetModels(larodConnection* conn, size_t* numModels, larodError** error) {
  LAROD_NEED_CONNECTION(conn, static_cast<larodModel**>(nullptr));
  auto models = conn->session->Models();
  if (!models.ok()) return Fail(error, models.failure(), static_cast<larodModel**>(nullptr));
  auto** array = static_cast<larodModel**>(std::calloc(models->size() + 1, sizeof(larodModel*)));
  DLPU_CHECK(array != nullptr);
  for (size_t i = 0; i < models->size(); ++i) array[i] = NewModel(*conn, (*models)[i]);
  Registry<larodModel*>::Get().Add(array, models->size() + 1);
  if (numModels != nullptr) *numModels = models->size();
  return array;
}

void larodDestroyModel(larodModel** model) {
  if (model == nullptr) return;
  if (*model != nullptr) FreeModel(*model);
  *model = nullptr;
}

void larodDestroyModels(larodModel*** models, size_t) {
  if (models == nullptr || *models == nullptr) return;
  larodModel** const array = *models;
  *models = nullptr;
  const size_t registered = Registry<larodModel*>::Get().Count(array);
  if (registered == 0) return;
  Registry<larodModel*>::Get().Remove(array);
  for (size_t i = 0; i + 1 < registered; ++i) {
    if (array[i] != nullptr) FreeModel(array[i]);
  }
  std::free(array);
}

bool larodDeleteModel(larodConnection* conn, larodModel* model, larodError** error) {
  LAROD_NEED_CONNECTION(conn, false);
  LAROD_NEED("Model", model, false);
  if (WaitsForItself(conn, "larodDeleteModel", error)) return false;
  const auto deleted = conn->session->Delete(model->info.id);
  return deleted.ok() ? true : Fail(error, deleted.failure(), false);
}

uint64_t larodGetModelId(const larodModel* model, larodError** error) {
  LAROD_NEED("Model", model, LAROD_INVALID_MODEL_ID);
  return model->info.id;
}

const larodDevice* larodGetModelDevice(const larodModel* model, larodError** error) {
  constexpr const larodDevice* kNone = nullptr;
  LAROD_NEED("Model", model, kNone);
  const auto devices = model->devices.lock();
  if (devices == nullptr) {
    return Fail(error,
                Failure{LAROD_ERROR_CONNECTION, "The connection of the model was disconnected", ""},
                kNone);
  }
  return &(*devices)[model->info.device];
}

size_t larodGetModelSize(const larodModel* model, larodError** error) {
  LAROD_NEED("Model", model, size_t{0});
  return model->info.bytes;
}

const char* larodGetModelName(const larodModel* model, larodError** error) {
  LAROD_NEED("Model", model, static_cast<const char*>(nullptr));
  return model->info.name.c_str();
}

larodAccess larodGetModelAccess(const larodModel* model, larodError** error) {
  LAROD_NEED("Model", model, LAROD_ACCESS_INVALID);
  return model->info.access;
}

size_t larodGetModelNumInputs(const larodModel* model, larodError** error) {
  LAROD_NEED("Model", model, size_t{0});
  return model->info.inputs.size();
}

size_t larodGetModelNumOutputs(const larodModel* model, larodError** error) {
  LAROD_NEED("Model", model, size_t{0});
  return model->info.outputs.size();
}

size_t* larodGetModelInputByteSizes(const larodModel* model, size_t* numInputs,
                                    larodError** error) {
  LAROD_NEED("Model", model, static_cast<size_t*>(nullptr));
  return ByteSizes(model, model->info.inputs, numInputs);
}

size_t* larodGetModelOutputByteSizes(const larodModel* model, size_t* numOutputs,
                                     larodError** error) {
  LAROD_NEED("Model", model, static_cast<size_t*>(nullptr));
  return ByteSizes(model, model->info.outputs, numOutputs);
}

bool larodExportModel(larodConnection* conn, int modelFd, int outputFd, const larodDevice* dev,
                      const larodMap* params, larodError** error) {
  LAROD_NEED_CONNECTION(conn, false);
  LAROD_NEED("Device", dev, false);
  auto request = MakeRequest(modelFd, dev->index, LAROD_ACCESS_PRIVATE, "", params);
  if (!request.ok()) return Fail(error, request.failure(), false);
  auto bytes = conn->session->Export(*request);
  if (!bytes.ok()) return Fail(error, bytes.failure(), false);
  const auto written = WriteAt(outputFd, 0, *bytes);
  return written.ok() ? true : Fail(error, written.failure(), false);
}
