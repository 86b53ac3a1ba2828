// SPDX-License-Identifier: Apache-2.0
// What the C API and the service exchange: devices, models, tensors, parameters, jobs. Plain
// values; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "larod.h"
#include "larod/fd.h"

namespace dlpu::larod {

// A larodMap.
using Value = std::variant<int64_t, std::string, std::array<int64_t, 2>, std::array<int64_t, 4>>;
using Params = std::map<std::string, Value>;

// Type, layout and place in memory of a tensor.
struct TensorSpec {
  std::string name;
  larodTensorDataType type = LAROD_TENSOR_DATA_TYPE_UNSPECIFIED;
  larodTensorLayout layout = LAROD_TENSOR_LAYOUT_UNSPECIFIED;
  larodTensorDims dims = {};        // len 0: a scalar, or not said
  larodTensorPitches pitches = {};  // bytes; len 0: a scalar, or not said
  size_t bytes = 0;                 // with padding; 0: not known
};

// Bytes of one element; 0 for UNSPECIFIED and values that are none.
size_t ElementBytes(larodTensorDataType type);
const char* TypeText(larodTensorDataType type);     // "float32"
std::string DimsText(const larodTensorDims& dims);  // "1x224x224x3"; "scalar"
// Product of the extents times the element's size; 0 when it is not known or too large.
size_t PackedBytes(const TensorSpec& spec);
// Pitches without padding. REQUIRES: ElementBytes(type) > 0.
larodTensorPitches TightPitches(larodTensorDataType type, const larodTensorDims& dims);

struct DeviceInfo {
  std::string name;
  uint32_t instance = 0;
  int chip = 0;  // larodChip of versions 1 and 2; 0: none
  // LAROD_FD_PROP_...: what a job's tensors may have, and what allocated tensors get.
  uint32_t run_input = LAROD_FD_TYPE_DISK, run_output = LAROD_FD_TYPE_DISK;
  uint32_t alloc_input = LAROD_FD_TYPE_DISK, alloc_output = LAROD_FD_TYPE_DISK;
};

struct ModelInfo {
  uint64_t id = 0;
  std::string name;
  size_t bytes = 0;   // of the model file; 0 without one
  size_t device = 0;  // index into the session's devices
  larodAccess access = LAROD_ACCESS_PRIVATE;
  std::vector<TensorSpec> inputs, outputs;
};

// A file that holds a tensor's values.
struct Buffer {
  TensorSpec spec;  // as the application describes it
  int fd = -1;
  size_t size = 0;  // most bytes to use; 0: no limit
  int64_t offset = 0;
  uint32_t props = LAROD_FD_PROP_READWRITE;
  // Keeps the file open, whatever becomes of the application's descriptor; of tracked tensors and
  // queued jobs.
  std::shared_ptr<const Fd> own;
};

struct LoadRequest {
  int fd = -1;  // the model file; negative: none. Not owned.
  size_t device = 0;
  larodAccess access = LAROD_ACCESS_PRIVATE;
  std::string name;
  Params params;
};

struct Job {
  uint64_t model = 0;
  std::vector<Buffer> inputs, outputs;
  Params params;
  uint8_t priority = 50;
};

// The descriptor to use.
inline int FdOf(const Buffer& buffer) {
  return buffer.own != nullptr ? buffer.own->get() : buffer.fd;
}

inline constexpr uint8_t kDefaultPriority = 50;
inline constexpr uint8_t kHighestPriority = 100;
inline constexpr size_t kMostTracked = 32;  // tensors of a connection

}  // namespace dlpu::larod
