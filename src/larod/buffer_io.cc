// SPDX-License-Identifier: Apache-2.0
// Reads and writes the files of tensors.
#include "larod/buffer_io.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

namespace dlpu::larod {
namespace {

constexpr uint32_t kMappable = LAROD_FD_PROP_MAP | LAROD_FD_PROP_DMABUF;

std::string ShortCause(const TensorSpec& spec, size_t have) {
  std::string cause = fmt::format("input '{}' is {} {}, {} bytes", spec.name, TypeText(spec.type),
                                  DimsText(spec.dims), spec.bytes);
  const size_t element = ElementBytes(spec.type);
  if (element > 1 && have > 0 && have * element == spec.bytes) {
    cause +=
        fmt::format("; the buffer holds {} bytes, which would fit uint8: convert the values", have);
  } else if (have == 0) {
    cause += "; the buffer is empty: set the tensor's offset, and write before the job";
  }
  return cause;
}

Failure TooShort(const TensorSpec& spec, size_t have, size_t need) {
  return {LAROD_ERROR_JOB,
          fmt::format("Could only read {} out of {} bytes from file descriptor", have, need),
          ShortCause(spec, have)};
}

size_t Limit(const Buffer& buffer, size_t bytes) {
  return buffer.size == 0 ? bytes : std::min(buffer.size, bytes);
}

}  // namespace

Outcome<Nothing> ReadBuffer(const Buffer& buffer, const TensorSpec& spec, std::span<uint8_t> to) {
  const int fd = FdOf(buffer);
  const size_t limit = Limit(buffer, to.size());
  auto read = ReadAt(fd, buffer.offset, to.first(limit));
  if (read.ok()) {
    if (*read < to.size()) return TooShort(spec, *read, to.size());
    (void)lseek(fd, buffer.offset + static_cast<off_t>(to.size()), SEEK_SET);
    return Nothing();
  }
  if ((buffer.props & kMappable) == 0) return read.failure();
  auto mapped = Mapping::Map(fd, buffer.offset, limit, /*write=*/false);
  if (!mapped.ok()) return read.failure();
  if (limit < to.size()) return TooShort(spec, limit, to.size());
  if (!to.empty()) std::memcpy(to.data(), mapped->data(), to.size());
  return Nothing();
}

Outcome<Nothing> WriteBuffer(const Buffer& buffer, std::span<const uint8_t> from) {
  const int fd = FdOf(buffer);
  if (Limit(buffer, from.size()) < from.size()) {
    return Failure{LAROD_ERROR_JOB,
                   fmt::format("Could only write {} out of {} bytes to file descriptor",
                               buffer.size, from.size()),
                   "the size set for the output's descriptor is too small"};
  }
  auto written = WriteAt(fd, buffer.offset, from);
  if (written.ok()) {
    (void)lseek(fd, buffer.offset + static_cast<off_t>(from.size()), SEEK_SET);
    return Nothing();
  }
  if ((buffer.props & kMappable) == 0) return written.failure();
  auto mapped = Mapping::Map(fd, buffer.offset, from.size(), /*write=*/true);
  if (!mapped.ok()) return written.failure();
  if (!from.empty()) std::memcpy(mapped->data(), from.data(), from.size());
  return Nothing();
}

}  // namespace dlpu::larod
