// SPDX-License-Identifier: Apache-2.0
// JPEG through TurboJPEG. The library warns about damage and goes on with grey blocks; here every
// warning but a harmless one is an error, since a half-grey picture gives a silent wrong answer.
#include <fmt/format.h>
#include <turbojpeg.h>

#include <cstring>
#include <memory>
#include <string_view>

#include "vision/decoders.h"

namespace dlpu {
namespace {

struct Destroy {
  void operator()(void* handle) const { tjDestroy(handle); }
};
using Decompressor = std::unique_ptr<void, Destroy>;

// What the markers before the first scan say beyond the library's own header.
struct Markers {
  bool adobe = false;  // an Adobe APP14: CMYK samples are stored inverted
  int orientation = 1;
};

uint32_t Load(std::span<const uint8_t> bytes, size_t at, int size, bool little) {
  uint32_t v = 0;
  for (int i = 0; i < size; ++i) v |= uint32_t{bytes[at + i]} << 8 * (little ? i : size - 1 - i);
  return v;
}

// Orientation from an EXIF block (after "Exif\0\0"): a TIFF header, then directory 0. Anything
// odd means upright: a damaged note about a picture must not lose the picture.
int ExifOrientation(std::span<const uint8_t> tiff) {
  if (tiff.size() < 8) return 1;
  const bool little = tiff[0] == 'I';
  const size_t directory = Load(tiff, 4, 4, little);
  if (directory > tiff.size() - 2) return 1;
  const uint32_t count = Load(tiff, directory, 2, little);
  for (uint32_t i = 0; i < count; ++i) {
    const size_t entry = directory + 2 + 12 * size_t{i};
    if (entry + 12 > tiff.size()) return 1;
    if (Load(tiff, entry, 2, little) == 274) {
      return static_cast<int>(Load(tiff, entry + 8, 2, little));
    }
  }
  return 1;
}

Markers ScanMarkers(std::span<const uint8_t> bytes) {
  Markers markers;
  size_t at = 2;
  while (at + 4 <= bytes.size() && bytes[at] == 0xFF) {
    const uint8_t marker = bytes[at + 1];
    if (marker == 0xFF) {  // fill byte
      ++at;
      continue;
    }
    if (marker == 0xDA || marker == 0xD9) break;
    const size_t length = Load(bytes, at + 2, 2, false);
    if (length < 2 || length > bytes.size() - at - 2) break;
    const auto body = bytes.subspan(at + 4, length - 2);
    if (marker == 0xE1 && body.size() >= 6 && std::memcmp(body.data(), "Exif\0", 6) == 0) {
      markers.orientation = ExifOrientation(body.subspan(6));
    }
    if (marker == 0xEE && body.size() >= 12 && std::memcmp(body.data(), "Adobe", 5) == 0) {
      markers.adobe = true;
    }
    at += 2 + length;
  }
  return markers;
}

Error JpegError(const std::string& name, const char* what) {
  return InvalidError(
      fmt::format("{}: damaged or truncated JPEG: {}; save or copy it again", name, what));
}

// "extraneous bytes before marker" is common in good files of real cameras.
bool IsHarmless(std::string_view warning) {
  return warning.find("extraneous bytes") != std::string_view::npos;
}

bool HasEndMarker(std::span<const uint8_t> bytes) {
  for (size_t i = bytes.size(); i >= 2; --i) {
    if (bytes[i - 2] == 0xFF && bytes[i - 1] == 0xD9) return true;
  }
  return false;
}

Status Decompress(tjhandle handle, std::span<const uint8_t> bytes, int format, Image& image,
                  const std::string& name) {
  // The scan limit bounds the time a small progressive file can cost.
  constexpr int kFlags = TJFLAG_ACCURATEDCT | TJFLAG_LIMITSCANS;
  const auto run = [&](int flags) {
    return tjDecompress2(handle, bytes.data(), bytes.size(), image.pixels.data(), image.width, 0,
                         image.height, format, flags);
  };
  if (run(kFlags | TJFLAG_STOPONWARNING) == 0) return OkStatus();
  const std::string what = tjGetErrorStr2(handle);
  if (!IsHarmless(what) || !HasEndMarker(bytes)) return JpegError(name, what.c_str());
  if (run(kFlags) != 0 && tjGetErrorCode(handle) == TJERR_FATAL) {
    return JpegError(name, tjGetErrorStr2(handle));
  }
  return OkStatus();
}

// CMYK to RGB without ink profiles: R = (255 - C)(255 - K) / 255. Adobe stores 255 - value.
Image CmykToRgb(const Image& cmyk, bool inverted) {
  Image out = MakeImage(cmyk.width, cmyk.height, 3);
  uint8_t* to = out.pixels.data();
  for (size_t i = 0; i < cmyk.pixels.size(); i += 4, to += 3) {
    const int flip = inverted ? 0 : 255;
    const int white = cmyk.pixels[i + 3] ^ flip;
    for (int c = 0; c < 3; ++c) {
      to[c] = static_cast<uint8_t>(((cmyk.pixels[i + c] ^ flip) * white + 127) / 255);
    }
  }
  return out;
}

}  // namespace

Result<Image> DecodeJpeg(std::span<const uint8_t> bytes, const std::string& name) {
  const Decompressor handle(tjInitDecompress());
  if (!handle) return InternalError(fmt::format("{}: TurboJPEG cannot start", name));
  int width = 0, height = 0, subsampling = 0, colourspace = 0;
  if (tjDecompressHeader3(handle.get(), bytes.data(), bytes.size(), &width, &height, &subsampling,
                          &colourspace) != 0) {
    return JpegError(name, tjGetErrorStr2(handle.get()));
  }
  DLPU_RETURN_IF_ERROR(CheckPictureSize(width, height, name));
  const bool cmyk = colourspace == TJCS_CMYK || colourspace == TJCS_YCCK;
  const int channels = colourspace == TJCS_GRAY ? 1 : cmyk ? 4 : 3;
  const int format = channels == 1 ? TJPF_GRAY : cmyk ? TJPF_CMYK : TJPF_RGB;
  const Markers markers = ScanMarkers(bytes);
  Image image = MakeImage(width, height, channels);
  DLPU_RETURN_IF_ERROR(Decompress(handle.get(), bytes, format, image, name));
  if (cmyk) image = CmykToRgb(image, markers.adobe);
  return ApplyOrientation(std::move(image), markers.orientation);
}

}  // namespace dlpu
