// SPDX-License-Identifier: Apache-2.0
// Descriptors, mappings, reads and writes.
#include "larod/fd.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "larod.h"

namespace dlpu::larod {
namespace {

Failure FdFailure(const char* what, int fd) {
  const int error = errno;
  return {
      LAROD_ERROR_FD,
      fmt::format("Could not {} file descriptor {}: {}", what, fd, std::strerror(error)),
      error == EBADF ? "the descriptor is closed, or was opened for the other direction only" : ""};
}

}  // namespace

Fd::~Fd() {
  if (fd_ >= 0) close(fd_);
}

Outcome<Fd> Duplicate(int fd) {
  const int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
  if (copy < 0) return FdFailure("duplicate", fd);
  return Fd(copy);
}

Outcome<Fd> MemoryFile(const char* name, size_t bytes) {
  Fd fd(memfd_create(name, MFD_CLOEXEC));
  if (fd.get() < 0 || ftruncate(fd.get(), static_cast<off_t>(bytes)) != 0) {
    return Failure{LAROD_ERROR_ALLOC,
                   fmt::format("Could not allocate {} bytes: {}", bytes, std::strerror(errno)), ""};
  }
  return fd;
}

void Mapping::Swap(Mapping& other) {
  std::swap(base_, other.base_);
  std::swap(base_size_, other.base_size_);
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  std::swap(writable_, other.writable_);
}

Mapping::~Mapping() {
  if (base_ != nullptr) munmap(base_, base_size_);
}

Outcome<Mapping> Mapping::Map(int fd, int64_t offset, size_t bytes, bool write) {
  struct stat status;
  if (fstat(fd, &status) != 0) return FdFailure("look at", fd);
  size_t end;
  if (__builtin_add_overflow(static_cast<size_t>(offset), bytes, &end) || end > INT64_MAX) {
    return Failure{LAROD_ERROR_FD, fmt::format("Could not map {} bytes at {}", bytes, offset), ""};
  }
  // What lies beyond a file's end can be mapped, but kills whoever touches it. The size of a device
  // is not known here: its driver refuses the mapping itself.
  if (S_ISREG(status.st_mode) && end > static_cast<size_t>(status.st_size)) {
    return Failure{LAROD_ERROR_FD,
                   fmt::format("Could not map {} bytes at {} of a file of {} bytes", bytes, offset,
                               status.st_size),
                   ""};
  }
  Mapping mapping;
  const auto page = static_cast<int64_t>(sysconf(_SC_PAGESIZE));
  const int64_t start = offset / page * page;
  mapping.base_size_ = end - static_cast<size_t>(start);
  if (mapping.base_size_ == 0) return mapping;
  const int protection = write ? PROT_READ | PROT_WRITE : PROT_READ;
  void* base = mmap(nullptr, mapping.base_size_, protection, MAP_SHARED, fd, start);
  if (base == MAP_FAILED) return FdFailure("map", fd);
  mapping.base_ = base;
  mapping.data_ = static_cast<uint8_t*>(base) + (offset - start);
  mapping.size_ = bytes;
  mapping.writable_ = write;
  return mapping;
}

Outcome<size_t> ReadAt(int fd, int64_t offset, std::span<uint8_t> to) {
  size_t done = 0;
  while (done < to.size()) {
    const ssize_t n =
        pread(fd, to.data() + done, to.size() - done, offset + static_cast<int64_t>(done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return FdFailure("read", fd);
    if (n == 0) break;
    done += static_cast<size_t>(n);
  }
  return done;
}

Outcome<Nothing> WriteAt(int fd, int64_t offset, std::span<const uint8_t> from) {
  size_t done = 0;
  while (done < from.size()) {
    const ssize_t n =
        pwrite(fd, from.data() + done, from.size() - done, offset + static_cast<int64_t>(done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return FdFailure("write", fd);
    done += static_cast<size_t>(n);
  }
  return Nothing();
}

Outcome<std::vector<uint8_t>> ReadWhole(int fd, size_t most) {
  struct stat status;
  if (fstat(fd, &status) != 0) return FdFailure("look at", fd);
  if (S_ISDIR(status.st_mode) || status.st_size < 0 || static_cast<size_t>(status.st_size) > most) {
    return Failure{
        LAROD_ERROR_FD, fmt::format("Could not read file descriptor {}", fd),
        fmt::format("it is a folder, or of {} bytes; at most {} are read", status.st_size, most)};
  }
  std::vector<uint8_t> bytes(static_cast<size_t>(status.st_size));
  LAROD_TRY(const size_t done, ReadAt(fd, 0, bytes));
  bytes.resize(done);
  return bytes;
}

}  // namespace dlpu::larod
