// SPDX-License-Identifier: Apache-2.0
// Sizes and names of tensors.
#include "larod/types.h"

#include <fmt/format.h>

namespace dlpu::larod {

size_t ElementBytes(larodTensorDataType type) {
  switch (type) {
    case LAROD_TENSOR_DATA_TYPE_BOOL:  // a byte, as in TensorFlow Lite
    case LAROD_TENSOR_DATA_TYPE_UINT8:
    case LAROD_TENSOR_DATA_TYPE_INT8:
      return 1;
    case LAROD_TENSOR_DATA_TYPE_UINT16:
    case LAROD_TENSOR_DATA_TYPE_INT16:
    case LAROD_TENSOR_DATA_TYPE_FLOAT16:
      return 2;
    case LAROD_TENSOR_DATA_TYPE_UINT32:
    case LAROD_TENSOR_DATA_TYPE_INT32:
    case LAROD_TENSOR_DATA_TYPE_FLOAT32:
      return 4;
    case LAROD_TENSOR_DATA_TYPE_UINT64:
    case LAROD_TENSOR_DATA_TYPE_INT64:
    case LAROD_TENSOR_DATA_TYPE_FLOAT64:
      return 8;
    default:
      return 0;
  }
}

const char* TypeText(larodTensorDataType type) {
  static constexpr const char* kNames[] = {"invalid", "unspecified", "bool",    "uint8",  "int8",
                                           "uint16",  "int16",       "uint32",  "int32",  "uint64",
                                           "int64",   "float16",     "float32", "float64"};
  const auto i = static_cast<size_t>(type);
  return i < std::size(kNames) ? kNames[i] : "invalid";
}

std::string DimsText(const larodTensorDims& dims) {
  if (dims.len == 0) return "scalar";
  return fmt::format("{}", fmt::join(dims.dims, dims.dims + dims.len, "x"));
}

size_t PackedBytes(const TensorSpec& spec) {
  size_t bytes = ElementBytes(spec.type);
  if (spec.dims.len == 0 || bytes == 0) return 0;
  for (size_t i = 0; i < spec.dims.len; ++i) {
    if (__builtin_mul_overflow(bytes, spec.dims.dims[i], &bytes)) return 0;
  }
  return bytes;
}

larodTensorPitches TightPitches(larodTensorDataType type, const larodTensorDims& dims) {
  larodTensorPitches pitches = {};
  pitches.len = dims.len;
  size_t bytes = ElementBytes(type);
  for (size_t i = dims.len; i-- > 0;) {
    bytes *= dims.dims[i];
    pitches.pitches[i] = bytes;
  }
  return pitches;
}

}  // namespace dlpu::larod
