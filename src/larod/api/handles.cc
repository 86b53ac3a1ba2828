// SPDX-License-Identifier: Apache-2.0
// Errors and handles.
#include "larod/api/handles.h"

#include <fmt/format.h>

#include <cstring>

#include "larod/log.h"

namespace dlpu::larod {

larodError* NewError(const Failure& failure) {
  // The text follows the struct in one allocation.
  void* memory = std::malloc(sizeof(larodError) + failure.message.size() + 1);
  DLPU_CHECK(memory != nullptr);
  char* text = static_cast<char*>(memory) + sizeof(larodError);
  std::memcpy(text, failure.message.c_str(), failure.message.size() + 1);
  auto* error = static_cast<larodError*>(memory);
  error->code = static_cast<larodErrorCode>(failure.code);
  error->msg = text;
  return error;
}

void SetError(larodError** error, const Failure& failure) {
  LogFailure(failure);
  if (error != nullptr) *error = NewError(failure);
}

Failure BadHandle(const char* what, const void* handle) {
  if (handle == nullptr) return BadArgument(fmt::format("{} is null", what));
  return BadArgument(fmt::format("{} does not exist", what),
                     "the pointer was destroyed already, or never came from larod");
}

Failure BadConnection(const larodConnection* conn) {
  if (conn == nullptr) return BadHandle("Connection", conn);
  return {LAROD_ERROR_CONNECTION, "Connection does not exist",
          "the connection was disconnected already, or never came from larodConnect"};
}

larodModel* NewModel(larodConnection& conn, ModelInfo info) {
  auto* model = new larodModel{std::move(info), conn.devices};
  Registry<larodModel>::Get().Add(model);
  return model;
}

void FreeModel(larodModel* model) {
  if (Registry<larodModel>::Get().Remove(model)) delete model;
}

larodTensor** NewTensorArray(std::vector<std::unique_ptr<larodTensor>> tensors) {
  auto** array = static_cast<larodTensor**>(std::calloc(tensors.size() + 1, sizeof(larodTensor*)));
  DLPU_CHECK(array != nullptr);
  for (size_t i = 0; i < tensors.size(); ++i) {
    array[i] = tensors[i].release();
    Registry<larodTensor>::Get().Add(array[i]);
  }
  // An array of none is registered too: its count is one more.
  Registry<larodTensor*>::Get().Add(array, tensors.size() + 1);
  return array;
}

void Untrack(larodTensor& tensor) {
  tensor.connection->tracked.erase(&tensor);
  tensor.connection = nullptr;
}

bool WaitsForItself(larodConnection* conn, const char* function, larodError** error) {
  if (!conn->session->InCallback()) return false;
  SetError(error, {EDEADLK, fmt::format("{} must not be called from a callback", function),
                   "on a camera the call would block the thread that callbacks come on; queue the "
                   "job, or hand over to a thread of your own"});
  return true;
}

size_t DeviceOfChip(const larodConnection& conn, int chip) {
  for (const larodDevice& device : *conn.devices) {
    if (chip != 0 && device.info.chip == chip) return device.index;
  }
  return SIZE_MAX;
}

}  // namespace dlpu::larod
