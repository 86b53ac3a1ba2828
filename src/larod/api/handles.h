// SPDX-License-Identifier: Apache-2.0
// What the opaque pointers of larod.h point to, and how the functions behind it check their
// arguments: every handle that exists is registered, so a NULL or destroyed one is an error and no
// crash. Any thread may use different handles.
#pragma once

#include <sys/stat.h>

#include <cerrno>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "larod.h"
#include "larod/outcome.h"
#include "larod/session.h"
#include "larod/types.h"

struct larodDevice {
  dlpu::larod::DeviceInfo info;
  size_t index = 0;
};

struct larodConnection {
  std::shared_ptr<dlpu::larod::Session> session;
  // Shared with the models of the connection, which may live longer.
  std::shared_ptr<std::vector<larodDevice>> devices;
  std::vector<const larodDevice*> device_list;
  std::set<larodTensor*> tracked;  // also those that were allocated
  uint64_t chip = 0;               // of API version 1: a device's index plus 1; 0: none chosen
};

struct larodModel {
  dlpu::larod::ModelInfo info;
  std::weak_ptr<std::vector<larodDevice>> devices;  // of its connection
};

struct larodTensor {
  dlpu::larod::Buffer buffer;
  larodConnection* connection = nullptr;  // that tracks it
  bool allocated = false;                 // the descriptor was made by us...
  struct stat file = {};                  // ...for this file
};

struct larodMap {
  dlpu::larod::Params params;
};

struct larodJobRequest {
  dlpu::larod::Job job;
};

namespace dlpu::larod {

// The handles of one kind that exist; for arrays with their number of entries.
template <typename T>
class Registry {
 public:
  static Registry& Get() {
    static auto* const registry = new Registry;  // never destroyed: handles may outlive main
    return *registry;
  }
  void Add(const T* handle, size_t count = 1) {
    const std::lock_guard lock(mutex_);
    handles_[handle] = count;
  }
  // Whether it was there.
  bool Remove(const T* handle) {
    const std::lock_guard lock(mutex_);
    return handles_.erase(handle) != 0;
  }
  // 0: there is no such handle.
  size_t Count(const T* handle) {
    const std::lock_guard lock(mutex_);
    const auto found = handles_.find(handle);
    return found == handles_.end() ? 0 : found->second;
  }

 private:
  std::mutex mutex_;
  std::unordered_map<const T*, size_t> handles_;
};

template <typename T>
bool Lives(const T* handle) {
  return handle != nullptr && Registry<T>::Get().Count(handle) != 0;
}

// Sets *error when there is an error pointer, and logs the cause.
void SetError(larodError** error, const Failure& failure);
larodError* NewError(const Failure& failure);

// Sets the error and returns a function's value for failure: return Fail(error, failure, false).
template <typename T>
T Fail(larodError** error, const Failure& failure, T value) {
  SetError(error, failure);
  return value;
}

inline Failure BadArgument(std::string message, std::string cause = "") {
  return {EINVAL, std::move(message), std::move(cause)};
}
// Of a handle that is not one: "Tensor is null", "Tensor does not exist".
Failure BadHandle(const char* what, const void* handle);
Failure BadConnection(const larodConnection* conn);

// New registered handles.
larodModel* NewModel(larodConnection& conn, ModelInfo info);
void FreeModel(larodModel* model);
// An array of tensors, as larodDestroyTensors frees it.
larodTensor** NewTensorArray(std::vector<std::unique_ptr<larodTensor>> tensors);
// Stops tracking. REQUIRES: the tensor is tracked.
void Untrack(larodTensor& tensor);

// A function of the API that waits, called from a callback, would wait for itself.
bool WaitsForItself(larodConnection* conn, const char* function, larodError** error);

// A device of the connection by chip number; SIZE_MAX without one.
size_t DeviceOfChip(const larodConnection& conn, int chip);

// What the loading functions of all API versions do after checking their own arguments.
larodModel* LoadModelOn(larodConnection* conn, int fd, size_t device, larodAccess access,
                        const char* name, const larodMap* params, larodError** error);
bool LoadModelOnAsync(larodConnection* conn, int fd, size_t device, larodAccess access,
                      const char* name, const larodMap* params, larodLoadModelCallback callback,
                      void* data, larodError** error);

}  // namespace dlpu::larod

// Returns `value` from a function of the API unless the handle exists.
#define LAROD_NEED(what, handle, value)                                                 \
  do {                                                                                  \
    if (!::dlpu::larod::Lives(handle)) {                                                \
      return ::dlpu::larod::Fail(error, ::dlpu::larod::BadHandle(what, handle), value); \
    }                                                                                   \
  } while (false)
#define LAROD_NEED_CONNECTION(conn, value)                                          \
  do {                                                                              \
    if (!::dlpu::larod::Lives(conn)) {                                              \
      return ::dlpu::larod::Fail(error, ::dlpu::larod::BadConnection(conn), value); \
    }                                                                               \
  } while (false)
