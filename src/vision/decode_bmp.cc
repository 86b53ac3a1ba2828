// SPDX-License-Identifier: Apache-2.0
// BMP: 1, 4, 8, 24 and 32 bits, uncompressed (BI_RGB, and BI_BITFIELDS with whole-byte masks).
// Layout: Microsoft's BITMAPFILEHEADER, BITMAPCOREHEADER and BITMAPINFOHEADER to V5.
#include <fmt/format.h>

#include <array>
#include <cstdlib>

#include "vision/decoders.h"

namespace dlpu {
namespace {

constexpr uint32_t kRgb = 0;
constexpr uint32_t kBitfields = 3;
constexpr uint32_t kAlphaBitfields = 6;

struct BmpHeader {
  int64_t width = 0, height = 0;
  bool top_down = false;
  int bits = 0;
  uint32_t compression = kRgb;
  size_t pixels_at = 0;
  size_t palette_at = 0;
  int palette_entry = 4;                       // bytes
  uint32_t palette_size = 0;                   // entries
  std::array<int, 4> byte_of = {2, 1, 0, -1};  // where R, G, B, A sit in a pixel; -1: absent
};

Error BmpError(const std::string& name, const std::string& what) {
  return InvalidError(
      fmt::format("{}: damaged or truncated BMP: {}; save or copy it again", name, what));
}

// The byte a mask such as 0x00FF0000 covers; -1 for none, -2 for a mask that is not one byte.
int ByteOfMask(uint32_t mask) {
  if (mask == 0) return -1;
  for (int i = 0; i < 4; ++i) {
    if (mask == 0xFFu << (8 * i)) return i;
  }
  return -2;
}

Status ReadMasks(std::span<const uint8_t> bytes, uint32_t header_size, const std::string& name,
                 BmpHeader& h) {
  // The masks follow the 40-byte header or are part of a longer one: the same place.
  const bool alpha = h.compression == kAlphaBitfields || header_size >= 56;
  const size_t count = alpha ? 4 : 3;
  if (bytes.size() < 54 + 4 * count) return BmpError(name, "the colour masks are cut off");
  for (size_t i = 0; i < count; ++i) {
    const uint32_t mask = LoadLe32(bytes, 54 + 4 * i);
    h.byte_of[i] = ByteOfMask(mask);
    if (h.byte_of[i] == -2 || (i < 3 && h.byte_of[i] == -1)) {
      return UnsupportedError(fmt::format(
          "{}: a BMP with colour mask 0x{:08X}; save it as 24-bit BMP or PNG", name, mask));
    }
  }
  if (header_size < 52) h.palette_at += 4 * count;
  return OkStatus();
}

Result<BmpHeader> ReadHeader(std::span<const uint8_t> bytes, const std::string& name) {
  if (bytes.size() < 26) return BmpError(name, "the header is cut off");
  BmpHeader h;
  h.pixels_at = LoadLe32(bytes, 10);
  const uint32_t size = LoadLe32(bytes, 14);
  if ((size != 12 && size < 40) || size > 4096 || bytes.size() < 14 + size_t{size}) {
    return BmpError(name, fmt::format("a header of {} bytes", size));
  }
  h.palette_at = 14 + size;
  if (size == 12) {
    h.width = LoadLe16(bytes, 18);
    h.height = LoadLe16(bytes, 20);
    h.bits = static_cast<int>(LoadLe16(bytes, 24));
    h.palette_entry = 3;
  } else {
    h.width = static_cast<int32_t>(LoadLe32(bytes, 18));
    h.height = static_cast<int32_t>(LoadLe32(bytes, 22));
    h.top_down = h.height < 0;
    h.height = std::abs(h.height);
    h.bits = static_cast<int>(LoadLe16(bytes, 28));
    h.compression = LoadLe32(bytes, 30);
    h.palette_size = LoadLe32(bytes, 46);
  }
  DLPU_RETURN_IF_ERROR(CheckPictureSize(h.width, h.height, name));
  const bool masks = h.compression == kBitfields || h.compression == kAlphaBitfields;
  if ((h.compression != kRgb && !(masks && h.bits == 32)) ||
      (h.bits != 1 && h.bits != 4 && h.bits != 8 && h.bits != 24 && h.bits != 32)) {
    return UnsupportedError(
        fmt::format("{}: a BMP of {} bits with compression {}; save it uncompressed with 8, 24 or "
                    "32 bits, or as PNG",
                    name, h.bits, h.compression));
  }
  if (masks) DLPU_RETURN_IF_ERROR(ReadMasks(bytes, size, name, h));
  if (h.bits <= 8) {
    const uint32_t most = 1u << h.bits;
    if (h.palette_size == 0 || h.palette_size > most) h.palette_size = most;
    if (bytes.size() < h.palette_at + size_t{h.palette_size} * h.palette_entry) {
      return BmpError(name, "the palette is cut off");
    }
  }
  return h;
}

// 256 colours; entries the file does not have are black.
std::array<Colour, 256> ReadPalette(std::span<const uint8_t> bytes, const BmpHeader& h) {
  std::array<Colour, 256> palette{};
  for (uint32_t i = 0; i < h.palette_size; ++i) {
    const size_t at = h.palette_at + size_t{i} * h.palette_entry;
    palette[i] = {bytes[at + 2], bytes[at + 1], bytes[at]};
  }
  return palette;
}

Image UnpackPalette(std::span<const uint8_t> bytes, const BmpHeader& h, size_t stride) {
  const std::array<Colour, 256> palette = ReadPalette(bytes, h);
  bool grey = true;
  for (const Colour& c : palette) grey = grey && c[0] == c[1] && c[1] == c[2];
  Image image = MakeImage(static_cast<int>(h.width), static_cast<int>(h.height), grey ? 1 : 3);
  for (int y = 0; y < image.height; ++y) {
    const uint8_t* from = bytes.data() + h.pixels_at + stride * y;
    uint8_t* to = image.Row(h.top_down ? y : image.height - 1 - y);
    for (int x = 0; x < image.width; ++x, to += image.channels) {
      const size_t bit = static_cast<size_t>(x) * h.bits;
      const int index = from[bit / 8] >> (8 - h.bits - bit % 8) & ((1 << h.bits) - 1);
      for (int c = 0; c < image.channels; ++c) to[c] = palette[index][c];
    }
  }
  return image;
}

Image UnpackTrueColour(std::span<const uint8_t> bytes, const BmpHeader& h, size_t stride) {
  const int channels = h.byte_of[3] >= 0 ? 4 : 3;
  const int step = h.bits / 8;
  Image image = MakeImage(static_cast<int>(h.width), static_cast<int>(h.height), channels);
  for (int y = 0; y < image.height; ++y) {
    const uint8_t* from = bytes.data() + h.pixels_at + stride * y;
    uint8_t* to = image.Row(h.top_down ? y : image.height - 1 - y);
    for (int x = 0; x < image.width; ++x, from += step, to += channels) {
      for (int c = 0; c < channels; ++c) to[c] = from[h.byte_of[c]];
    }
  }
  return image;
}

}  // namespace

Result<Image> DecodeBmp(std::span<const uint8_t> bytes, const std::string& name) {
  DLPU_TRY(const BmpHeader h, ReadHeader(bytes, name));
  // Rows are padded to four bytes.
  const size_t stride = (static_cast<size_t>(h.width) * h.bits + 31) / 32 * 4;
  const size_t needed = stride * static_cast<size_t>(h.height);
  if (h.pixels_at > bytes.size() || needed > bytes.size() - h.pixels_at) {
    return BmpError(
        name,
        fmt::format("{}x{} pixels of {} bits at offset {} need {} bytes, the file has {}", h.width,
                    h.height, h.bits, h.pixels_at, h.pixels_at + needed, bytes.size()));
  }
  return h.bits <= 8 ? UnpackPalette(bytes, h, stride) : UnpackTrueColour(bytes, h, stride);
}

}  // namespace dlpu
