// SPDX-License-Identifier: Apache-2.0
// larod.h: making and destroying tensors.
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "larod/api/handles.h"

using namespace dlpu::larod;  // NOLINT: the API is global, what it is made of is not

namespace {

constexpr size_t kMostTensors = 65536;  // at once; more is a mistake
constexpr larodTensor** kNoTensors = nullptr;

using Tensors = std::vector<std::unique_ptr<larodTensor>>;

Tensors DescribedBy(const std::vector<TensorSpec>& specs) {
  Tensors tensors;
  for (const TensorSpec& spec : specs) {
    tensors.push_back(std::make_unique<larodTensor>());
    tensors.back()->buffer.spec = spec;
  }
  return tensors;
}

larodTensor** Create(const larodModel* model, bool inputs, size_t* count, larodError** error) {
  LAROD_NEED("Model", model, kNoTensors);
  const std::vector<TensorSpec>& specs = inputs ? model->info.inputs : model->info.outputs;
  if (count != nullptr) *count = specs.size();
  return NewTensorArray(DescribedBy(specs));
}

// A buffer of its own for a tensor.
Outcome<Nothing> Allocate(Session& session, larodTensor& tensor, uint32_t props) {
  LAROD_TRY(Fd file, MemoryFile("larod-tensor", tensor.buffer.spec.bytes));
  LAROD_TRY(tensor.buffer.own, session.Keep(file.get()));
  tensor.buffer.fd = file.release();
  tensor.buffer.size = tensor.buffer.spec.bytes;
  tensor.buffer.props = props;
  tensor.allocated = fstat(tensor.buffer.fd, &tensor.file) == 0;
  return Nothing();
}

// Closes the descriptor that was handed out, unless the application did: the number may be another
// file's by now.
void CloseAllocated(const larodTensor& tensor) {
  struct stat now;
  if (fstat(tensor.buffer.fd, &now) == 0 && now.st_dev == tensor.file.st_dev &&
      now.st_ino == tensor.file.st_ino) {
    close(tensor.buffer.fd);
  }
}

larodTensor** Alloc(larodConnection* conn, const larodModel* model, bool inputs, uint32_t flags,
                    size_t* count, larodMap* params, larodError** error) {
  LAROD_NEED_CONNECTION(conn, kNoTensors);
  LAROD_NEED("Model", model, kNoTensors);
  if (params != nullptr) LAROD_NEED("Map", params, kNoTensors);
  const char* what = inputs ? "larodAllocModelInputs" : "larodAllocModelOutputs";
  if (WaitsForItself(conn, what, error)) return nullptr;
  const DeviceInfo& device = conn->session->devices()[model->info.device];
  uint32_t props = inputs ? device.alloc_input : device.alloc_output;
  // Anything but a dma-buf can also be read and written.
  if ((flags & LAROD_FD_PROP_READWRITE) != 0) props = LAROD_FD_TYPE_DISK;
  if ((flags & ~props) != 0) {
    return Fail(error,
                Failure{LAROD_ERROR_ALLOC,
                        fmt::format("Could not allocate tensors: device {} cannot allocate file "
                                    "descriptor properties {}",
                                    device.name, flags),
                        "properties: 1 read and write, 2 map, 4 dma-buf"},
                kNoTensors);
  }
  Tensors tensors = DescribedBy(inputs ? model->info.inputs : model->info.outputs);
  if (conn->tracked.size() + tensors.size() > kMostTracked) {
    return Fail(error,
                Failure{LAROD_ERROR_ALLOC,
                        fmt::format("Could not allocate tensors: more than {} would be tracked",
                                    kMostTracked),
                        "a connection can track no more; destroy tensors that are not needed"},
                kNoTensors);
  }
  for (size_t i = 0; i < tensors.size(); ++i) {
    const auto allocated = Allocate(*conn->session, *tensors[i], props);
    if (allocated.ok()) continue;
    for (size_t j = 0; j < i; ++j) close(tensors[j]->buffer.fd);
    return Fail(error, allocated.failure(), kNoTensors);
  }
  for (const auto& tensor : tensors) {
    tensor->connection = conn;
    conn->tracked.insert(tensor.get());
  }
  if (count != nullptr) *count = tensors.size();
  return NewTensorArray(std::move(tensors));
}

void FreeTensor(larodTensor* tensor) {
  if (!Registry<larodTensor>::Get().Remove(tensor)) return;
  const std::unique_ptr<larodTensor> owner(tensor);
  if (tensor->connection != nullptr) Untrack(*tensor);
  if (tensor->allocated) CloseAllocated(*tensor);
}

}  // namespace

larodTensor** larodCreateModelInputs(const larodModel* model, size_t* numTensors,
                                     larodError** error) {
  return Create(model, true, numTensors, error);
}

larodTensor** larodCreateModelOutputs(const larodModel* model, size_t* numTensors,
                                      larodError** error) {
  return Create(model, false, numTensors, error);
}

larodTensor** larodAllocModelInputs(larodConnection* conn, const larodModel* model,
                                    const uint32_t fdPropFlags, size_t* numTensors,
                                    larodMap* params, larodError** error) {
  return Alloc(conn, model, true, fdPropFlags, numTensors, params, error);
}

larodTensor** larodAllocModelOutputs(larodConnection* conn, const larodModel* model,
                                     const uint32_t fdPropFlags, size_t* numTensors,
                                     larodMap* params, larodError** error) {
  return Alloc(conn, model, false, fdPropFlags, numTensors, params, error);
}

larodTensor** larodCreateTensors(size_t numTensors, larodError** error) {
  if (numTensors == 0 || numTensors > kMostTensors) {
    return Fail(error,
                BadArgument(fmt::format("Could not create {} tensors", numTensors),
                            fmt::format("from 1 to {} can be created", kMostTensors)),
                kNoTensors);
  }
  return NewTensorArray(DescribedBy(std::vector<TensorSpec>(numTensors)));
}

bool larodDestroyTensors(larodConnection* conn, larodTensor*** tensors, size_t numTensors,
                         larodError** error) {
  if (tensors == nullptr || *tensors == nullptr) return true;
  larodTensor** const array = *tensors;
  const size_t registered = Registry<larodTensor*>::Get().Count(array);
  if (registered == 0) {
    *tensors = nullptr;
    return Fail(error, BadHandle("Tensor array", array), false);
  }
  if (conn != nullptr && Lives(conn) && WaitsForItself(conn, "larodDestroyTensors", error)) {
    return false;
  }
  *tensors = nullptr;
  Registry<larodTensor*>::Get().Remove(array);
  const size_t count = registered - 1;
  for (size_t i = 0; i < count; ++i) FreeTensor(array[i]);
  std::free(array);
  if (count == numTensors) return true;
  return Fail(error,
              BadArgument(fmt::format("Tensor array has {} tensors, not {}", count, numTensors),
                          "all of them were destroyed; a camera would lose or corrupt memory"),
              false);
}

// Declared in larod.h for versions 1 and 2 only.
extern "C" void larodDestroyTensors_API_VERSION_1(larodTensor*** tensors, size_t numTensors);
void larodDestroyTensors_API_VERSION_1(larodTensor*** tensors, size_t numTensors) {
  larodDestroyTensors(nullptr, tensors, numTensors, nullptr);
}
