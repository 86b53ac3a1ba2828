// SPDX-License-Identifier: Apache-2.0
// Conversion of pixels through one table of 256 values per channel.
#include "vision/input.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <utility>

#include "base/fixed_point.h"
#include "vision/decoders.h"

namespace dlpu {
namespace {

static_assert(std::endian::native == std::endian::little, "tensor bytes are little-endian");

// Lowest and highest code of a quantized type.
std::pair<int, int> CodeRange(PixelType type) {
  switch (type) {
    case PixelType::kUint8:
      return {0, 255};
    case PixelType::kInt8:
      return {-128, 127};
    default:
      return {-32768, 32767};
  }
}

Status CheckSpec(const InputSpec& spec) {
  DLPU_RETURN_IF_ERROR(CheckPictureSize(spec.width, spec.height, "model input"));
  if (spec.channels != 1 && spec.channels != 3 && spec.channels != 4) {
    return UnsupportedError(
        fmt::format("model input: {} channels cannot be filled from a picture; give the tensor as "
                    "raw bytes or .npy",
                    spec.channels));
  }
  for (int c = 0; c < spec.channels; ++c) {
    if (!std::isfinite(spec.mean[c]) || !std::isfinite(spec.std[c]) || spec.std[c] == 0) {
      return InvalidError(
          fmt::format("model input: mean {} and std {} of channel {}; std must not "
                      "be zero",
                      spec.mean[c], spec.std[c], c));
    }
  }
  if (spec.type == PixelType::kFloat32) return OkStatus();
  if (!std::isfinite(spec.scale) || spec.scale <= 0) {
    return InvalidError(
        fmt::format("model input: quantization scale {}; it must be above 0", spec.scale));
  }
  const auto [low, high] = CodeRange(spec.type);
  if (spec.zero_point < low || spec.zero_point > high) {
    return InvalidError(
        fmt::format("model input: zero point {} is outside {} to {}", spec.zero_point, low, high));
  }
  return OkStatus();
}

// The picture with the tensor's number of channels, in the tensor's order.
Image WithChannels(const Image& image, const InputSpec& spec) {
  if (spec.channels == 1) return ToGrey(image);
  Image rgb = ToRgb(image);
  if (spec.bgr) SwapRedBlue(rgb);
  if (spec.channels == 3) return rgb;
  Image out = MakeImage(rgb.width, rgb.height, 4);
  for (size_t i = 0, count = rgb.pixels.size() / 3; i < count; ++i) {
    std::copy_n(&rgb.pixels[3 * i], 3, &out.pixels[4 * i]);
    out.pixels[4 * i + 3] = 255;
  }
  return out;
}

// Writes `image` through one table per channel. T: the stored type.
template <typename T>
std::vector<uint8_t> Store(const Image& image, const InputSpec& spec) {
  std::array<std::array<T, 256>, 4> tables;
  for (int c = 0; c < spec.channels; ++c) {
    const std::array<float, 256> values = PixelValues(spec, c);
    for (int p = 0; p < 256; ++p) tables[c][p] = static_cast<T>(values[p]);
  }
  const size_t count = image.pixels.size();
  const size_t plane = count / spec.channels;
  const bool planar = spec.layout == PixelLayout::kNchw;
  std::vector<uint8_t> bytes(count * sizeof(T));
  const uint8_t* from = image.pixels.data();
  for (size_t i = 0; i < plane; ++i) {
    for (int c = 0; c < spec.channels; ++c) {
      const size_t at = planar ? c * plane + i : i * spec.channels + c;
      std::memcpy(&bytes[at * sizeof(T)], &tables[c][*from++], sizeof(T));
    }
  }
  return bytes;
}

}  // namespace

int PixelTypeSize(PixelType type) {
  return type == PixelType::kFloat32 ? 4 : type == PixelType::kInt16 ? 2 : 1;
}

std::array<float, 256> PixelValues(const InputSpec& spec, int channel) {
  const double mean = spec.mean[channel], std = spec.std[channel];
  std::array<float, 256> values;
  if (spec.type == PixelType::kFloat32) {
    for (int p = 0; p < 256; ++p) values[p] = static_cast<float>((p - mean) / std);
    return values;
  }
  const auto [low, high] = CodeRange(spec.type);
  const int shift = spec.type == PixelType::kInt8 ? 128 : 0;
  constexpr double kHalfCode = 0.5 + 1e-3;  // room for a scale that was rounded to float
  bool identity = spec.type != PixelType::kInt16;
  for (int p = 0; p < 256; ++p) {
    const double steps = (p - mean) / std / spec.scale;
    identity = identity && std::abs(steps + spec.zero_point - (p - shift)) <= kHalfCode;
    const int64_t code = int64_t{RoundToInt32(steps)} + spec.zero_point;
    values[p] = static_cast<float>(std::clamp<int64_t>(code, low, high));
  }
  if (identity) {
    for (int p = 0; p < 256; ++p) values[p] = static_cast<float>(p - shift);
  }
  return values;
}

Result<std::vector<uint8_t>> PackPixels(const Image& image, const InputSpec& spec) {
  DLPU_RETURN_IF_ERROR(CheckSpec(spec));
  if (image.width != spec.width || image.height != spec.height || image.channels != spec.channels) {
    return InvalidError(fmt::format("model input: the pixels are {}x{}x{}, the tensor {}x{}x{}",
                                    image.width, image.height, image.channels, spec.width,
                                    spec.height, spec.channels));
  }
  switch (spec.type) {
    case PixelType::kUint8:
      return Store<uint8_t>(image, spec);
    case PixelType::kInt8:
      return Store<int8_t>(image, spec);
    case PixelType::kInt16:
      return Store<int16_t>(image, spec);
    case PixelType::kFloat32:
      return Store<float>(image, spec);
  }
  return InternalError("model input: unknown type");
}

Result<ModelInput> MakeModelInput(const Image& image, const InputSpec& spec) {
  DLPU_RETURN_IF_ERROR(CheckSpec(spec));
  DLPU_RETURN_IF_ERROR(CheckPictureSize(image.width, image.height, "picture"));
  ModelInput input;
  input.placement =
      PlanFit(image.width, image.height, spec.width, spec.height, spec.fit, spec.central_fraction);
  Colour pad = spec.pad;
  if (spec.bgr) std::swap(pad[0], pad[2]);
  // A photograph is large: it is not copied where it already is what the tensor wants.
  const bool as_is = image.channels == spec.channels && image.channels != 4 && !spec.bgr;
  Image converted;
  if (!as_is) converted = WithChannels(image, spec);
  DLPU_TRY(const Image placed,
           PlaceImage(as_is ? image : converted, input.placement, spec.filter, pad));
  DLPU_TRY(input.bytes, PackPixels(placed, spec));
  return input;
}

}  // namespace dlpu
