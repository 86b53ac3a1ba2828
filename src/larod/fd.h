// SPDX-License-Identifier: Apache-2.0
// File descriptors and mappings that close themselves, and whole reads and writes at an offset. Any
// thread; a Mapping is read and written by one job at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "larod/outcome.h"

namespace dlpu::larod {

class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Fd();
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_ = -1;
};

// A second descriptor of the same file, closed on exec. -3 when `fd` is not open.
Outcome<Fd> Duplicate(int fd);
// An unnamed file in memory of that size.
Outcome<Fd> MemoryFile(const char* name, size_t bytes);

// A range of a file in memory.
class Mapping {
 public:
  Mapping() = default;
  Mapping(Mapping&& other) noexcept { Swap(other); }
  Mapping& operator=(Mapping&& other) noexcept {
    Swap(other);
    return *this;
  }
  ~Mapping();
  // Maps [offset, offset + bytes) for reading, and for writing where the descriptor allows it.
  // -3 when that fails or goes beyond the file.
  static Outcome<Mapping> Map(int fd, int64_t offset, size_t bytes, bool write);

  uint8_t* data() const { return data_; }
  size_t size() const { return size_; }
  bool writable() const { return writable_; }

 private:
  void Swap(Mapping& other);
  void* base_ = nullptr;
  size_t base_size_ = 0;
  uint8_t* data_ = nullptr;
  size_t size_ = 0;
  bool writable_ = false;
};

// Reads until `to` is full, the file ends or an error; the bytes read. -3 for an error.
Outcome<size_t> ReadAt(int fd, int64_t offset, std::span<uint8_t> to);
// Writes all of it, growing the file as needed. -3 for an error.
Outcome<Nothing> WriteAt(int fd, int64_t offset, std::span<const uint8_t> from);
// All of a file from its first byte, at most `most` bytes.
Outcome<std::vector<uint8_t>> ReadWhole(int fd, size_t most);

}  // namespace dlpu::larod
