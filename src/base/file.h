// SPDX-License-Identifier: Apache-2.0
// Whole files in and out of memory, with errors that name the path and the remedy. Any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace dlpu {

// Reads a regular file of at most `max_bytes`. A missing file, a directory, an unreadable or a
// too large file is an error that says which.
Result<std::vector<uint8_t>> ReadFile(const std::string& path,
                                      uint64_t max_bytes = uint64_t{4} << 30);
// Read-only bytes: a vector's, or a file's where it lies. Copies share them.
class FileBytes {
 public:
  FileBytes() = default;
  FileBytes(std::vector<uint8_t> bytes) {  // NOLINT: implicit on purpose
    const auto owner = std::make_shared<const std::vector<uint8_t>>(std::move(bytes));
    view_ = *owner;
    owner_ = owner;
  }
  // `bytes`, which live as long as `owner`; is_mapped: they are a file's, mapped read-only.
  FileBytes(std::span<const uint8_t> bytes, std::shared_ptr<const void> owner, bool is_mapped)
      : view_(bytes), owner_(std::move(owner)), is_mapped_(is_mapped) {}
  // A part of them that shares their owner.
  FileBytes Part(std::span<const uint8_t> part) const { return {part, owner_, is_mapped_}; }

  const uint8_t* data() const { return view_.data(); }
  size_t size() const { return view_.size(); }
  operator std::span<const uint8_t>() const { return view_; }  // NOLINT: implicit on purpose
  // Gives back the memory of whole pages that hold a mapped file; a later read loads them again.
  void GiveBack() const;

 private:
  std::span<const uint8_t> view_;
  std::shared_ptr<const void> owner_;
  bool is_mapped_ = false;
};

// ReadFile without a copy where the system can map the file. It must not shrink while its bytes are
// in use: for files that the user named, not for those a client sends.
Result<FileBytes> MapFile(const std::string& path, uint64_t max_bytes = uint64_t{4} << 30);
Result<std::string> ReadTextFile(const std::string& path);

// Writes through a temporary file in the same folder, so a failure leaves the old file whole.
Status WriteFile(const std::string& path, std::span<const uint8_t> bytes);
Status WriteTextFile(const std::string& path, const std::string& text);

// Makes a folder and its parents; an existing one is fine.
Status MakeDirectory(const std::string& path);

}  // namespace dlpu
