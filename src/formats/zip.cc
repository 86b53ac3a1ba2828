// SPDX-License-Identifier: Apache-2.0
// The archive is read from its end: end record, central directory, then one entry on demand.
#include "formats/zip.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <cstddef>

namespace dlpu {
namespace {

constexpr size_t kEndSize = 22, kCentralSize = 46, kLocalSize = 30;  // without variable parts
constexpr size_t kMaxComment = 65535;
constexpr uint32_t kEndSignature = 0x06054b50, kCentralSignature = 0x02014b50,
                   kLocalSignature = 0x04034b50;
constexpr uint16_t kEncrypted = 1;
constexpr uint16_t kStored = 0, kDeflated = 8;

// Little-endian. REQUIRES: the bytes are there.
uint16_t Get16(std::span<const uint8_t> bytes, size_t at) {
  return static_cast<uint16_t>(bytes[at] | bytes[at + 1] << 8);
}
uint32_t Get32(std::span<const uint8_t> bytes, size_t at) {
  return Get16(bytes, at) | static_cast<uint32_t>(Get16(bytes, at + 2)) << 16;
}

// Where the end record starts: its comment reaches exactly to the end of the bytes.
std::optional<size_t> FindEnd(std::span<const uint8_t> bytes) {
  if (bytes.size() < kEndSize) return std::nullopt;
  const size_t last = bytes.size() - kEndSize;
  for (size_t comment = 0; comment <= std::min(last, kMaxComment); ++comment) {
    const size_t at = last - comment;
    if (Get32(bytes, at) == kEndSignature && Get16(bytes, at + 20) == comment) return at;
  }
  return std::nullopt;
}

Error Damaged(const std::string& what) {
  return InvalidError(
      fmt::format("the appended zip archive is damaged: {}; download the file again", what));
}

// Unpacks a raw deflate stream that must yield exactly `size` bytes.
std::optional<std::string> Inflate(std::span<const uint8_t> packed, size_t size) {
  std::string out(size + 1, '\0');  // one more byte shows a stream that is too long
  z_stream stream{};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) return std::nullopt;
  stream.next_in = const_cast<Bytef*>(packed.data());  // zlib only reads it
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int code = inflate(&stream, Z_FINISH);
  const bool whole = code == Z_STREAM_END && stream.total_out == size;
  inflateEnd(&stream);
  if (!whole) return std::nullopt;
  out.resize(size);
  return out;
}

}  // namespace

Result<std::optional<ZipArchive>> ZipArchive::Open(std::span<const uint8_t> bytes) {
  const std::optional<size_t> end = FindEnd(bytes);
  if (!end.has_value()) return std::optional<ZipArchive>();
  ZipArchive archive(bytes);
  DLPU_RETURN_IF_ERROR(archive.ReadDirectory(*end));
  return std::optional<ZipArchive>(std::move(archive));
}

Status ZipArchive::ReadDirectory(size_t end) {
  const size_t count = Get16(bytes_, end + 10);
  const size_t size = Get32(bytes_, end + 12), offset = Get32(bytes_, end + 16);
  // Offsets count from the start of the archive, which may itself lie behind other data.
  if (size > end || offset > end - size) return Damaged("its directory lies outside the file");
  const size_t base = end - size - offset;
  size_t at = end - size;
  end_ = end;
  directory_ = at;
  for (size_t i = 0; i < count; ++i) {
    if (end - at < kCentralSize || Get32(bytes_, at) != kCentralSignature) {
      return Damaged(fmt::format("entry {} of {} is missing", i + 1, count));
    }
    const size_t name_size = Get16(bytes_, at + 28);
    const size_t more = name_size + Get16(bytes_, at + 30) + Get16(bytes_, at + 32);
    if (end - at - kCentralSize < more) {
      return Damaged(fmt::format("entry {} of {} is cut off", i + 1, count));
    }
    const std::string name(reinterpret_cast<const char*>(&bytes_[at] + kCentralSize), name_size);
    const Entry entry{Get16(bytes_, at + 8),
                      Get16(bytes_, at + 10),
                      Get32(bytes_, at + 16),
                      Get32(bytes_, at + 20),
                      Get32(bytes_, at + 24),
                      base + Get32(bytes_, at + 42),
                      at + 42};
    entries_.insert_or_assign(name, entry);  // a later entry replaces an earlier one
    at += kCentralSize + more;
  }
  return OkStatus();
}

Result<std::vector<uint8_t>> ZipArchive::Moved(size_t in_front) const {
  if (entries_.empty()) return std::vector<uint8_t>();
  size_t start = directory_;
  for (const auto& [name, entry] : entries_) {
    if (entry.offset >= directory_) {
      return Damaged(fmt::format("'{}' is not where the directory says", name));
    }
    start = std::min(start, entry.offset);
  }
  if (in_front + (bytes_.size() - start) > UINT32_MAX) {
    return ExhaustedError("the appended zip archive would end beyond 4 GiB");
  }
  std::vector<uint8_t> moved(bytes_.begin() + static_cast<ptrdiff_t>(start), bytes_.end());
  const auto put = [&](size_t at, size_t position) {
    const auto value = static_cast<uint32_t>(position - start + in_front);
    for (size_t i = 0; i < 4; ++i) moved[at - start + i] = static_cast<uint8_t>(value >> (8 * i));
  };
  for (const auto& [name, entry] : entries_) put(entry.offset_at, entry.offset);
  put(end_ + 16, directory_);
  return moved;
}

Result<std::span<const uint8_t>> ZipArchive::Packed(const Entry& entry,
                                                    const std::string& name) const {
  if (entry.offset > bytes_.size() || bytes_.size() - entry.offset < kLocalSize ||
      Get32(bytes_, entry.offset) != kLocalSignature) {
    return Damaged(fmt::format("'{}' is not where the directory says", name));
  }
  const size_t skip = kLocalSize + Get16(bytes_, entry.offset + 26) +  //
                      Get16(bytes_, entry.offset + 28);
  const size_t left = bytes_.size() - entry.offset;
  if (skip > left || entry.packed_size > left - skip) {
    return Damaged(fmt::format("'{}' is cut off", name));
  }
  return bytes_.subspan(entry.offset + skip, entry.packed_size);
}

std::vector<std::string> ZipArchive::Names() const {
  std::vector<std::string> names;
  for (const auto& [name, entry] : entries_) names.push_back(name);
  return names;
}

Result<std::optional<std::string>> ZipArchive::Read(const std::string& name,
                                                    size_t max_bytes) const {
  const auto found = entries_.find(name);
  if (found == entries_.end()) return std::optional<std::string>();
  const Entry& entry = found->second;
  if (entry.size > max_bytes) {
    return ExhaustedError(
        fmt::format("'{}' in the appended zip archive has {} bytes; dlpu takes {}", name,
                    entry.size, max_bytes));
  }
  if ((entry.flags & kEncrypted) != 0 || (entry.method != kStored && entry.method != kDeflated)) {
    return UnsupportedError(
        fmt::format("'{}' in the appended zip archive is encrypted or packed with method {}; pack "
                    "it with deflate or stored",
                    name, entry.method));
  }
  DLPU_TRY(const std::span<const uint8_t> packed, Packed(entry, name));
  std::optional<std::string> text;
  if (entry.method == kDeflated) {
    text = Inflate(packed, entry.size);
  } else if (packed.size() == entry.size) {
    text.emplace(packed.begin(), packed.end());
  }
  if (!text.has_value()) return Damaged(fmt::format("'{}' cannot be unpacked", name));
  const uLong crc =
      crc32(0, reinterpret_cast<const Bytef*>(text->data()), static_cast<uInt>(text->size()));
  if (crc != entry.crc) return Damaged(fmt::format("'{}' has another checksum", name));
  return text;
}

}  // namespace dlpu
