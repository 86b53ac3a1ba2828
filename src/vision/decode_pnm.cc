// SPDX-License-Identifier: Apache-2.0
// PGM and PPM, as text (P2, P3) or binary (P5, P6), of up to 16 bits. Format: the netpbm manual.
#include <fmt/format.h>

#include <cctype>
#include <optional>

#include "vision/decoders.h"

namespace dlpu {
namespace {

class PnmReader {
 public:
  PnmReader(std::span<const uint8_t> bytes, size_t at) : bytes_(bytes), at_(at) {}

  // The next decimal number after white space and comments; nothing at the end of the file, at
  // another character or above `most`.
  std::optional<uint32_t> Number(uint32_t most) {
    SkipSpace();
    if (at_ >= bytes_.size() || !std::isdigit(bytes_[at_])) return std::nullopt;
    uint64_t value = 0;
    while (at_ < bytes_.size() && std::isdigit(bytes_[at_])) {
      value = value * 10 + (bytes_[at_++] - '0');
      if (value > most) return std::nullopt;
    }
    return static_cast<uint32_t>(value);
  }

  // One big-endian sample of 1 or 2 bytes. REQUIRES: left() >= size.
  uint32_t Sample(int size) {
    uint32_t value = bytes_[at_++];
    if (size == 2) value = value << 8 | bytes_[at_++];
    return value;
  }

  // The single white space between the header and binary samples.
  bool OneSpace() { return at_ < bytes_.size() && std::isspace(bytes_[at_++]); }
  size_t left() const { return bytes_.size() - at_; }

 private:
  void SkipSpace() {
    while (at_ < bytes_.size()) {
      if (bytes_[at_] == '#') {
        while (at_ < bytes_.size() && bytes_[at_] != '\n') ++at_;
      } else if (std::isspace(bytes_[at_])) {
        ++at_;
      } else {
        return;
      }
    }
  }

  std::span<const uint8_t> bytes_;
  size_t at_;
};

Error PnmError(const std::string& name, const std::string& what) {
  return InvalidError(
      fmt::format("{}: damaged or truncated PGM or PPM: {}; save or copy it again", name, what));
}

}  // namespace

Result<Image> DecodePnm(std::span<const uint8_t> bytes, const std::string& name) {
  const char kind = static_cast<char>(bytes[1]);
  const bool text = kind == '2' || kind == '3';
  const int channels = kind == '3' || kind == '6' ? 3 : 1;
  PnmReader reader(bytes, 2);
  const auto width = reader.Number(kMaxPixels);
  const auto height = reader.Number(kMaxPixels);
  const auto most = reader.Number(65535);
  if (!width || !height || !most || *most == 0) {
    return PnmError(name, "the header wants width, height and the largest value (1 to 65535)");
  }
  DLPU_RETURN_IF_ERROR(CheckPictureSize(*width, *height, name));
  const size_t count = size_t{*width} * *height * channels;
  const int size = *most > 255 ? 2 : 1;
  if (!text && !reader.OneSpace()) return PnmError(name, "the header ends too early");
  // A text sample takes a digit and, but for the last, a space.
  const size_t needed = text ? 2 * count - 1 : count * size;
  if (reader.left() < needed) {
    return PnmError(
        name, fmt::format("{} samples need {} bytes, {} are left", count, needed, reader.left()));
  }
  Image image = MakeImage(static_cast<int>(*width), static_cast<int>(*height), channels);
  for (size_t i = 0; i < count; ++i) {
    const auto value = text ? reader.Number(*most) : reader.Sample(size);
    if (!value || *value > *most) {
      return PnmError(name, fmt::format("sample {} of {} is missing or above {}", i, count, *most));
    }
    image.pixels[i] = static_cast<uint8_t>((*value * 255 + *most / 2) / *most);
  }
  return image;
}

}  // namespace dlpu
