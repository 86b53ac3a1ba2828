// SPDX-License-Identifier: Apache-2.0
// File reading and writing on std::filesystem and stdio.
#include "base/file.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>

namespace dlpu {
namespace fs = std::filesystem;
namespace {

struct Closer {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using FilePtr = std::unique_ptr<std::FILE, Closer>;

}  // namespace

Result<std::vector<uint8_t>> ReadFile(const std::string& path, uint64_t max_bytes) {
  std::error_code ec;
  const fs::file_status status = fs::status(path, ec);
  if (!fs::exists(status)) {
    return NotFoundError(fmt::format("{}: no such file; check the path", path));
  }
  if (fs::is_directory(status)) {
    return InvalidError(fmt::format("{}: is a directory; give a file", path));
  }
  FilePtr file(std::fopen(path.c_str(), "rb"));
  if (!file) {
    return IoError(fmt::format("{}: cannot be opened: {}", path, std::strerror(errno)));
  }
  std::vector<uint8_t> bytes;
  if (fs::is_regular_file(status)) {
    const uint64_t size = fs::file_size(path, ec);
    if (!ec && size > max_bytes) {
      return ExhaustedError(
          fmt::format("{}: {} bytes, at most {} are read", path, size, max_bytes));
    }
    if (!ec) bytes.reserve(size + 1);
  }
  for (;;) {
    const size_t old = bytes.size();
    const size_t step = std::max<size_t>(bytes.capacity() - old, 1 << 16);
    bytes.resize(old + step);
    const size_t got = std::fread(bytes.data() + old, 1, step, file.get());
    bytes.resize(old + got);
    if (bytes.size() > max_bytes) {
      return ExhaustedError(fmt::format("{}: more than {} bytes", path, max_bytes));
    }
    if (got < step) break;
  }
  if (std::ferror(file.get())) {
    return IoError(fmt::format("{}: cannot be read: {}", path, std::strerror(errno)));
  }
  return bytes;
}

Result<FileBytes> MapFile(const std::string& path, uint64_t max_bytes) {
  std::error_code ec;
  const bool regular = fs::is_regular_file(path, ec);
  const uint64_t size = regular ? fs::file_size(path, ec) : 0;
  void* memory = MAP_FAILED;
  if (!ec && size > 0 && size <= max_bytes) {
    if (const FilePtr file(std::fopen(path.c_str(), "rb")); file) {
      constexpr int kFlags = MAP_PRIVATE | MAP_POPULATE;
      memory = mmap(nullptr, size, PROT_READ, kFlags, fileno(file.get()), 0);
    }
  }
  if (memory == MAP_FAILED) {
    DLPU_TRY(std::vector<uint8_t> bytes, ReadFile(path, max_bytes));
    return FileBytes(std::move(bytes));
  }
  const std::shared_ptr<const void> owner(memory, [size](void* m) { munmap(m, size); });
  return FileBytes({static_cast<const uint8_t*>(memory), size}, owner, true);
}

void FileBytes::GiveBack() const {
  if (!is_mapped_) return;
  const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  const auto address = reinterpret_cast<uintptr_t>(view_.data());
  const uintptr_t begin = (address + page - 1) / page * page;
  const uintptr_t end = (address + view_.size()) / page * page;
  // Only a hint: where it fails, the memory stays.
  if (begin < end) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

Result<std::string> ReadTextFile(const std::string& path) {
  DLPU_TRY(const std::vector<uint8_t> bytes, ReadFile(path));
  return std::string(bytes.begin(), bytes.end());
}

Status WriteFile(const std::string& path, std::span<const uint8_t> bytes) {
  const std::string temporary = fmt::format("{}.tmp{}", path, getpid());
  FilePtr file(std::fopen(temporary.c_str(), "wb"));
  if (!file) {
    return IoError(fmt::format("{}: cannot be written: {}", path, std::strerror(errno)));
  }
  const bool written = std::fwrite(bytes.data(), 1, bytes.size(), file.get()) == bytes.size() &&
                       std::fflush(file.get()) == 0;
  const int saved = errno;
  file.reset();
  std::error_code ec;
  if (written) fs::rename(temporary, path, ec);
  if (!written || ec) {
    const std::string why = written ? ec.message() : std::strerror(saved);
    fs::remove(temporary, ec);
    return IoError(fmt::format("{}: cannot be written: {}", path, why));
  }
  return OkStatus();
}

Status WriteTextFile(const std::string& path, const std::string& text) {
  return WriteFile(path, {reinterpret_cast<const uint8_t*>(text.data()), text.size()});
}

Status MakeDirectory(const std::string& path) {
  std::error_code ec;
  fs::create_directories(path, ec);
  if (ec || !fs::is_directory(path)) {
    return IoError(fmt::format("{}: cannot be made as a folder: {}", path,
                               ec ? ec.message() : "a file of that name exists"));
  }
  return OkStatus();
}

}  // namespace dlpu
