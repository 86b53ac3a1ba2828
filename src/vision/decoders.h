// SPDX-License-Identifier: Apache-2.0
// The readers behind DecodeImage, one per file format, and what they share. Internal to vision.
// Pure functions: any thread may call them.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "base/result.h"
#include "vision/image.h"

namespace dlpu {

// Each expects the format's first bytes to have been recognised. See DecodeImage.
Result<Image> DecodeJpeg(std::span<const uint8_t> bytes, const std::string& name);
Result<Image> DecodePng(std::span<const uint8_t> bytes, const std::string& name);
Result<Image> DecodeBmp(std::span<const uint8_t> bytes, const std::string& name);
Result<Image> DecodePnm(std::span<const uint8_t> bytes, const std::string& name);

// An error unless 1 <= width, height and width * height <= kMaxPixels.
Status CheckPictureSize(int64_t width, int64_t height, const std::string& name);

// Turns a stored picture upright. `orientation` is EXIF's 1 to 8; 1 and unknown values change
// nothing. Values: TIFF 6.0 specification, tag 274.
Image ApplyOrientation(Image image, int orientation);

// Little-endian fields. REQUIRES: the field lies inside `bytes`.
inline uint32_t LoadLe16(std::span<const uint8_t> bytes, size_t at) {
  return bytes[at] | static_cast<uint32_t>(bytes[at + 1]) << 8;
}
inline uint32_t LoadLe32(std::span<const uint8_t> bytes, size_t at) {
  return LoadLe16(bytes, at) | LoadLe16(bytes, at + 2) << 16;
}

}  // namespace dlpu
