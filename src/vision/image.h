// SPDX-License-Identifier: Apache-2.0
// A picture in memory, and how files become one. Image is a plain value: whoever holds it owns its
// pixels. All functions are pure or touch only the named file; any thread may call them.
//
// Decoding gives the same bytes on every CPU: JPEG uses the accurate integer DCT and triangle
// chroma upsampling of libjpeg-turbo, whose SIMD and C paths are equal by design; gamma and ICC
// chunks are ignored, as TensorFlow, OpenCV and Pillow do, because models are trained that way.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"

namespace dlpu {

// Pixels in rows from the top, height x width x channels; channels are 1 (grey), 3 (R, G, B) or
// 4 (R, G, B, alpha with 255 = opaque).
struct Image {
  int width = 0;
  int height = 0;
  int channels = 0;
  std::vector<uint8_t> pixels;

  size_t RowBytes() const { return static_cast<size_t>(width) * channels; }
  uint8_t* Row(int y) { return pixels.data() + y * RowBytes(); }
  const uint8_t* Row(int y) const { return pixels.data() + y * RowBytes(); }
  // REQUIRES: 0 <= x < width, 0 <= y < height.
  uint8_t* At(int x, int y) { return Row(y) + static_cast<size_t>(x) * channels; }
  const uint8_t* At(int x, int y) const { return Row(y) + static_cast<size_t>(x) * channels; }
  bool operator==(const Image&) const = default;
};

using Colour = std::array<uint8_t, 3>;  // R, G, B
inline constexpr Colour kBlack = {0, 0, 0};
inline constexpr Colour kWhite = {255, 255, 255};

// Larger pictures are refused before their pixels are allocated.
inline constexpr int64_t kMaxPixels = 100'000'000;

// A black picture. REQUIRES: width, height >= 1, at most kMaxPixels, channels 1, 3 or 4.
Image MakeImage(int width, int height, int channels);

// Decodes a JPEG (grey, YCbCr, RGB, CMYK, YCCK; EXIF orientation is applied), PNG (any; 16 bits
// keep their high byte), BMP (1, 4, 8, 24, 32 bits, uncompressed) or PGM/PPM (P2, P3, P5, P6),
// recognised by its first bytes. Channels come as the file has them: a grey palette gives 1, so
// the class maps of segmentation data sets survive; a PNG with alpha or a transparent colour
// gives 4. `name` is the file's name for messages. A truncated, damaged or too large file is an
// error that says what is wrong with it.
Result<Image> DecodeImage(std::span<const uint8_t> bytes, const std::string& name);

// The same as 3 channels: grey is repeated, alpha is laid over `background`.
Result<Image> DecodeRgb(std::span<const uint8_t> bytes, const std::string& name,
                        Colour background = kWhite);
Result<Image> ReadImage(const std::string& path);
Result<Image> ReadRgb(const std::string& path, Colour background = kWhite);

// 3 channels from 1, 3 or 4. Alpha: (c * a + background * (255 - a)) / 255, halves up.
Image ToRgb(const Image& image, Colour background = kWhite);
// 1 channel: (19595 R + 38470 G + 7471 B + 32768) >> 16, the ITU-R BT.601 luma as Pillow has it.
// Alpha is laid over white first.
Image ToGrey(const Image& image);
// Exchanges the first and third channel in place; grey stays as it is.
void SwapRedBlue(Image& image);

// A PNG file of 1, 3 or 4 channels; same picture, same bytes (for one version of zlib).
Result<std::vector<uint8_t>> EncodePng(const Image& image);
Status WritePng(const std::string& path, const Image& image);

}  // namespace dlpu
