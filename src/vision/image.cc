// SPDX-License-Identifier: Apache-2.0
// Recognises picture files and converts between numbers of channels.
#include "vision/image.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "base/file.h"
#include "vision/decoders.h"

namespace dlpu {
namespace {

bool StartsWith(std::span<const uint8_t> bytes, std::string_view magic) {
  return bytes.size() >= magic.size() && std::memcmp(bytes.data(), magic.data(), magic.size()) == 0;
}

bool LooksLikePnm(std::span<const uint8_t> bytes) {
  return bytes.size() >= 2 && bytes[0] == 'P' &&
         (bytes[1] == '2' || bytes[1] == '3' || bytes[1] == '5' || bytes[1] == '6');
}

// Names a format that is known but not read, so that the message can say what to do.
const char* ForeignFormat(std::span<const uint8_t> bytes) {
  if (StartsWith(bytes, "GIF8")) return "a GIF";
  if (StartsWith(bytes, "RIFF")) return "a RIFF file (WebP?)";
  if (StartsWith(bytes, "II*") || StartsWith(bytes, std::string_view("MM\0*", 4))) return "a TIFF";
  return "not a picture known here";
}

}  // namespace

Status CheckPictureSize(int64_t width, int64_t height, const std::string& name) {
  if (width < 1 || height < 1) {
    return InvalidError(fmt::format("{}: the picture is {}x{} pixels; both must be at least 1",
                                    name, width, height));
  }
  // Dividing instead of multiplying cannot overflow.
  if (width > kMaxPixels || height > kMaxPixels / width) {
    return ExhaustedError(
        fmt::format("{}: the picture is {}x{} pixels, more than the {} million that are read; "
                    "scale it down first",
                    name, width, height, kMaxPixels / 1'000'000));
  }
  return OkStatus();
}

Image MakeImage(int width, int height, int channels) {
  DLPU_CHECK(width >= 1 && height >= 1 && height <= kMaxPixels / width);
  DLPU_CHECK(channels == 1 || channels == 3 || channels == 4);
  Image image{width, height, channels, {}};
  image.pixels.resize(image.RowBytes() * height);
  return image;
}

Result<Image> DecodeImage(std::span<const uint8_t> bytes, const std::string& name) {
  if (StartsWith(bytes, "\xFF\xD8\xFF")) return DecodeJpeg(bytes, name);
  if (StartsWith(bytes, "\x89PNG\r\n\x1A\n")) return DecodePng(bytes, name);
  if (StartsWith(bytes, "BM")) return DecodeBmp(bytes, name);
  if (LooksLikePnm(bytes)) return DecodePnm(bytes, name);
  if (bytes.empty()) return InvalidError(fmt::format("{}: the picture file is empty", name));
  return UnsupportedError(
      fmt::format("{}: {}; give a JPEG, PNG, BMP, PGM or PPM", name, ForeignFormat(bytes)));
}

Result<Image> DecodeRgb(std::span<const uint8_t> bytes, const std::string& name,
                        Colour background) {
  DLPU_TRY(Image image, DecodeImage(bytes, name));
  if (image.channels == 3) return image;
  return ToRgb(image, background);
}

Result<Image> ReadImage(const std::string& path) {
  DLPU_TRY(const std::vector<uint8_t> bytes, ReadFile(path));
  return DecodeImage(bytes, path);
}

Result<Image> ReadRgb(const std::string& path, Colour background) {
  DLPU_TRY(const std::vector<uint8_t> bytes, ReadFile(path));
  return DecodeRgb(bytes, path, background);
}

Image ToRgb(const Image& image, Colour background) {
  if (image.channels == 3) return image;
  Image out = MakeImage(image.width, image.height, 3);
  const size_t count = static_cast<size_t>(image.width) * image.height;
  const uint8_t* from = image.pixels.data();
  uint8_t* to = out.pixels.data();
  for (size_t i = 0; i < count; ++i, from += image.channels, to += 3) {
    for (int c = 0; c < 3; ++c) {
      if (image.channels == 1) {
        to[c] = from[0];
      } else {
        const int alpha = from[3];
        to[c] = static_cast<uint8_t>((from[c] * alpha + background[c] * (255 - alpha) + 127) / 255);
      }
    }
  }
  return out;
}

Image ToGrey(const Image& image) {
  if (image.channels == 1) return image;
  if (image.channels == 4) return ToGrey(ToRgb(image));
  Image out = MakeImage(image.width, image.height, 1);
  const uint8_t* from = image.pixels.data();
  for (uint8_t& grey : out.pixels) {
    grey = static_cast<uint8_t>((19595u * from[0] + 38470u * from[1] + 7471u * from[2] + 32768u) >>
                                16);
    from += 3;
  }
  return out;
}

void SwapRedBlue(Image& image) {
  if (image.channels < 3) return;
  for (size_t i = 0; i < image.pixels.size(); i += image.channels) {
    std::swap(image.pixels[i], image.pixels[i + 2]);
  }
}

Image ApplyOrientation(Image image, int orientation) {
  if (orientation < 2 || orientation > 8) return image;
  const bool transpose = orientation >= 5;
  const bool flip_x = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const bool flip_y = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  Image out = transpose ? MakeImage(image.height, image.width, image.channels)
                        : MakeImage(image.width, image.height, image.channels);
  for (int y = 0; y < out.height; ++y) {
    for (int x = 0; x < out.width; ++x) {
      int from_x = transpose ? y : x;
      int from_y = transpose ? x : y;
      if (flip_x) from_x = image.width - 1 - from_x;
      if (flip_y) from_y = image.height - 1 - from_y;
      std::copy_n(image.At(from_x, from_y), image.channels, out.At(x, y));
    }
  }
  return out;
}

}  // namespace dlpu
