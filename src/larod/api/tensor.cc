// SPDX-License-Identifier: Apache-2.0
// larod.h: what is said of a tensor.
#include <fmt/format.h>
#include <sys/stat.h>

#include "larod/api/handles.h"

using namespace dlpu::larod;  // NOLINT: the API is global, what it is made of is not

namespace {

constexpr uint32_t kAllProps = LAROD_FD_PROP_READWRITE | LAROD_FD_PROP_MAP | LAROD_FD_PROP_DMABUF;

// Descriptor, size, offset and properties of a tracked tensor stay as they are.
bool MayChange(const larodTensor* tensor, const char* what, larodError** error) {
  LAROD_NEED("Tensor", tensor, false);
  if (tensor->connection == nullptr) return true;
  return Fail(error,
              BadArgument(fmt::format("Could not set {}: tensor is tracked", what),
                          "larodTrackTensor and larodAllocModel... fix it until the tensor is "
                          "destroyed"),
              false);
}

bool LayoutIsValid(larodTensorLayout layout) {
  return layout > LAROD_TENSOR_LAYOUT_INVALID && layout < LAROD_TENSOR_LAYOUT_MAX;
}

// The product of all, or 0 when it does not fit.
size_t Product(std::initializer_list<size_t> factors) {
  size_t product = 1;
  for (const size_t factor : factors) {
    if (__builtin_mul_overflow(product, factor, &product)) return 0;
  }
  return product;
}

}  // namespace

bool larodSetTensorDims(larodTensor* tensor, const larodTensorDims* dims, larodError** error) {
  LAROD_NEED("Tensor", tensor, false);
  if (dims == nullptr) return Fail(error, BadHandle("Dimensions", dims), false);
  if (dims->len > LAROD_TENSOR_MAX_LEN) {
    return Fail(error,
                BadArgument(fmt::format("Dimensions have length {}; at most {} are possible",
                                        dims->len, LAROD_TENSOR_MAX_LEN)),
                false);
  }
  tensor->buffer.spec.dims = *dims;
  tensor->buffer.spec.bytes = 0;
  return true;
}

bool larodBuildTensorDims(larodTensor* tensor, larodTensorLayout layout, size_t width,
                          size_t height, size_t num_channels, larodError** error) {
  larodTensorDims dims = {};
  switch (layout) {
    case LAROD_TENSOR_LAYOUT_420SP:
      dims = {{3, height, width}, 3};
      break;
    case LAROD_TENSOR_LAYOUT_NHWC:
      dims = {{1, height, width, num_channels}, 4};
      break;
    case LAROD_TENSOR_LAYOUT_NCHW:
      dims = {{1, num_channels, height, width}, 4};
      break;
    default:
      return Fail(error,
                  BadArgument(fmt::format("Could not build dimensions for layout {}",
                                          static_cast<int>(layout))),
                  false);
  }
  return larodSetTensorDims(tensor, &dims, error);
}

const larodTensorDims* larodGetTensorDims(const larodTensor* tensor, larodError** error) {
  LAROD_NEED("Tensor", tensor, static_cast<const larodTensorDims*>(nullptr));
  return &tensor->buffer.spec.dims;
}

bool larodSetTensorPitches(larodTensor* tensor, const larodTensorPitches* pitches,
                           larodError** error) {
  LAROD_NEED("Tensor", tensor, false);
  if (pitches == nullptr) return Fail(error, BadHandle("Pitches", pitches), false);
  if (pitches->len > LAROD_TENSOR_MAX_LEN) {
    return Fail(error,
                BadArgument(fmt::format("Pitches have length {}; at most {} are possible",
                                        pitches->len, LAROD_TENSOR_MAX_LEN)),
                false);
  }
  tensor->buffer.spec.pitches = *pitches;
  tensor->buffer.spec.bytes = 0;
  return true;
}

bool larodBuildTensorPitches(larodTensor* tensor, larodTensorLayout layout, size_t pitch,
                             size_t height, size_t num_channels, larodError** error) {
  larodTensorPitches pitches = {};
  const size_t plane = Product({height, pitch}), all = Product({num_channels, height, pitch});
  switch (layout) {
    case LAROD_TENSOR_LAYOUT_420SP:
      pitches = {{Product({3, plane}) / 2, plane, pitch}, 3};
      break;
    case LAROD_TENSOR_LAYOUT_NHWC:
      pitches = {{plane, plane, pitch, num_channels}, 4};
      break;
    case LAROD_TENSOR_LAYOUT_NCHW:
      pitches = {{all, all, plane, pitch}, 4};
      break;
    default:
      return Fail(error,
                  BadArgument(fmt::format("Could not build pitches for layout {}",
                                          static_cast<int>(layout))),
                  false);
  }
  return larodSetTensorPitches(tensor, &pitches, error);
}

const larodTensorPitches* larodGetTensorPitches(const larodTensor* tensor, larodError** error) {
  LAROD_NEED("Tensor", tensor, static_cast<const larodTensorPitches*>(nullptr));
  return &tensor->buffer.spec.pitches;
}

bool larodSetTensorDataType(larodTensor* tensor, const larodTensorDataType dataType,
                            larodError** error) {
  LAROD_NEED("Tensor", tensor, false);
  if (dataType <= LAROD_TENSOR_DATA_TYPE_INVALID || dataType >= LAROD_TENSOR_DATA_TYPE_MAX) {
    return Fail(error,
                BadArgument(fmt::format("Data type {} is invalid", static_cast<int>(dataType))),
                false);
  }
  tensor->buffer.spec.type = dataType;
  return true;
}

larodTensorDataType larodGetTensorDataType(const larodTensor* tensor, larodError** error) {
  LAROD_NEED("Tensor", tensor, LAROD_TENSOR_DATA_TYPE_INVALID);
  return tensor->buffer.spec.type;
}

bool larodSetTensorLayout(larodTensor* tensor, const larodTensorLayout layout, larodError** error) {
  LAROD_NEED("Tensor", tensor, false);
  if (!LayoutIsValid(layout)) {
    return Fail(error, BadArgument(fmt::format("Layout {} is invalid", static_cast<int>(layout))),
                false);
  }
  tensor->buffer.spec.layout = layout;
  return true;
}

larodTensorLayout larodGetTensorLayout(const larodTensor* tensor, larodError** error) {
  LAROD_NEED("Tensor", tensor, LAROD_TENSOR_LAYOUT_INVALID);
  return tensor->buffer.spec.layout;
}

bool larodSetTensorFd(larodTensor* tensor, const int fd, larodError** error) {
  if (!MayChange(tensor, "file descriptor", error)) return false;
  if (fd < 0) {
    return Fail(error, BadArgument(fmt::format("File descriptor {} is invalid", fd)), false);
  }
  tensor->buffer.fd = fd;
  return true;
}

int larodGetTensorFd(const larodTensor* tensor, larodError** error) {
  LAROD_NEED("Tensor", tensor, LAROD_INVALID_FD);
  return tensor->buffer.fd;
}

bool larodSetTensorFdSize(larodTensor* tensor, const size_t size, larodError** error) {
  if (!MayChange(tensor, "file descriptor size", error)) return false;
  tensor->buffer.size = size;
  return true;
}

bool larodGetTensorFdSize(const larodTensor* tensor, size_t* size, larodError** error) {
  LAROD_NEED("Tensor", tensor, false);
  if (size == nullptr) return Fail(error, BadHandle("Size", size), false);
  *size = tensor->buffer.size;
  return true;
}

bool larodSetTensorFdOffset(larodTensor* tensor, const int64_t offset, larodError** error) {
  if (!MayChange(tensor, "file descriptor offset", error)) return false;
  if (offset < 0) {
    return Fail(error, BadArgument(fmt::format("File descriptor offset {} is negative", offset)),
                false);
  }
  tensor->buffer.offset = offset;
  return true;
}

int64_t larodGetTensorFdOffset(const larodTensor* tensor, larodError** error) {
  LAROD_NEED("Tensor", tensor, int64_t{-1});
  return tensor->buffer.offset;
}

bool larodSetTensorFdProps(larodTensor* tensor, const uint32_t fdPropFlags, larodError** error) {
  if (!MayChange(tensor, "file descriptor properties", error)) return false;
  if ((fdPropFlags & ~kAllProps) != 0) {
    return Fail(error,
                BadArgument(fmt::format("File descriptor properties {} are invalid", fdPropFlags)),
                false);
  }
  tensor->buffer.props = fdPropFlags;
  return true;
}

bool larodGetTensorFdProps(const larodTensor* tensor, uint32_t* fdPropFlags, larodError** error) {
  LAROD_NEED("Tensor", tensor, false);
  if (fdPropFlags == nullptr) return Fail(error, BadHandle("Properties", nullptr), false);
  *fdPropFlags = tensor->buffer.props;
  return true;
}

const char* larodGetTensorName(const larodTensor* tensor, larodError** error) {
  LAROD_NEED("Tensor", tensor, static_cast<const char*>(nullptr));
  return tensor->buffer.spec.name.c_str();
}

bool larodGetTensorByteSize(const larodTensor* tensor, size_t* byteSize, larodError** error) {
  LAROD_NEED("Tensor", tensor, false);
  if (byteSize == nullptr) return Fail(error, BadHandle("Byte size", byteSize), false);
  const TensorSpec& spec = tensor->buffer.spec;
  *byteSize = spec.bytes != 0         ? spec.bytes
              : spec.pitches.len != 0 ? spec.pitches.pitches[0]
                                      : PackedBytes(spec);
  return true;
}

bool larodTrackTensor(larodConnection* conn, larodTensor* tensor, larodError** error) {
  LAROD_NEED_CONNECTION(conn, false);
  LAROD_NEED("Tensor", tensor, false);
  if (tensor->connection != nullptr) {
    return Fail(error, BadArgument("Could not track tensor: it is tracked already"), false);
  }
  if (conn->tracked.size() >= kMostTracked) {
    return Fail(error,
                BadArgument(fmt::format("Could not track tensor: {} tensors are tracked already",
                                        kMostTracked),
                            "a connection can track no more; destroy tensors that are not needed"),
                false);
  }
  if (tensor->buffer.fd < 0) {
    return Fail(error,
                Failure{LAROD_ERROR_FD, "Could not track tensor: it has no file descriptor", ""},
                false);
  }
  auto own = conn->session->Keep(tensor->buffer.fd);
  if (!own.ok()) return Fail(error, Prefixed("Could not track tensor: ", own.failure()), false);
  tensor->buffer.own = std::move(*own);
  tensor->connection = conn;
  conn->tracked.insert(tensor);
  return true;
}

int larodConvertVmemFdToDmabuf(int fd, int64_t offset, larodError** error) {
  if (offset < 0) {
    return Fail(error, BadArgument(fmt::format("Offset {} is negative", offset)), LAROD_INVALID_FD);
  }
  auto copy = Duplicate(fd);
  if (!copy.ok()) return Fail(error, copy.failure(), LAROD_INVALID_FD);
  if (offset != 0) {
    return Fail(error,
                BadArgument("Could not convert file descriptor",
                            "there is no video memory of a camera here: only offset 0 can be "
                            "converted, to the same file"),
                LAROD_INVALID_FD);
  }
  return copy->release();
}
