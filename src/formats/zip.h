// SPDX-License-Identifier: Apache-2.0
// Reads single files out of a zip archive that lies in memory, alone or appended to other data (as
// label files are to .tflite models), and moves the archive as a whole. Stored and deflated
// entries; no encryption, no ZIP64, no second disk. Every offset and size is checked before it is
// used. Format: PKWARE APPNOTE 6.3. An archive refers to the caller's bytes, which must outlive it.
// Any thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"

namespace dlpu {

class ZipArchive {
 public:
  // nullopt when the bytes do not end in an archive. An error when its directory is damaged.
  static Result<std::optional<ZipArchive>> Open(std::span<const uint8_t> bytes);

  // Of all entries, in alphabetical order.
  std::vector<std::string> Names() const;

  // The content of the entry, its CRC-32 checked. nullopt when the archive has none of that name;
  // kExhausted when it is longer than max_bytes once unpacked.
  Result<std::optional<std::string>> Read(const std::string& name, size_t max_bytes) const;

  // The bytes of the archive without what is in front of it, with offsets as they are when
  // `in_front` bytes stand before it. Empty when it has no entry. An error when its parts lie
  // outside it.
  Result<std::vector<uint8_t>> Moved(size_t in_front) const;

 private:
  struct Entry {
    uint16_t flags, method;
    uint32_t crc;
    size_t packed_size, size;  // bytes
    size_t offset;             // of the local header, from the start of bytes_
    size_t offset_at;          // where the directory keeps it
  };
  explicit ZipArchive(std::span<const uint8_t> bytes) : bytes_(bytes) {}
  Status ReadDirectory(size_t end);
  Result<std::span<const uint8_t>> Packed(const Entry& entry, const std::string& name) const;

  std::span<const uint8_t> bytes_;
  size_t end_ = 0, directory_ = 0;  // where the end record and the directory start
  std::map<std::string, Entry> entries_;
};

}  // namespace dlpu
