// SPDX-License-Identifier: Apache-2.0
// From a picture to the bytes of a model's input tensor: one reference for the command line, the
// library and applications, so that all feed a model the same values. Pure functions on values;
// any thread may call them. Results are the same on every CPU.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "vision/image.h"
#include "vision/resize.h"

namespace dlpu {

enum class PixelType { kUint8, kInt8, kInt16, kFloat32 };
enum class PixelLayout { kNhwc, kNchw };  // batch 1

// Bytes of one value: 1, 1, 2, 4.
int PixelTypeSize(PixelType type);

// What the tensor is and how the model was trained.
struct InputSpec {
  int width = 0, height = 0;
  int channels = 3;  // 1: grey (see ToGrey); 3: colour; 4: colour and a fourth value of 255
  PixelLayout layout = PixelLayout::kNhwc;
  PixelType type = PixelType::kUint8;
  // Of a quantized tensor: real = scale * (code - zero_point). Unused for kFloat32.
  float scale = 1.0f;
  int zero_point = 0;
  // real = (pixel - mean) / std per channel in the order of the tensor, pixel 0..255.
  // The default gives 0..1; mean = std = 127.5 gives -1..1.
  std::array<float, 4> mean = {0, 0, 0, 0};
  std::array<float, 4> std = {255, 255, 255, 255};
  bool bgr = false;  // the tensor's first channel is blue
  ResizeFilter filter = ResizeFilter::kBilinear;
  FitMode fit = FitMode::kStretch;
  double central_fraction = 1.0;  // for FitMode::kCrop
  Colour pad = {114, 114, 114};   // bars of FitMode::kLetterbox; YOLO models are trained with this
};

struct ModelInput {
  std::vector<uint8_t> bytes;  // little-endian, no padding between rows
  Placement placement;         // to carry boxes back to the picture
};

// The value a pixel becomes, before it is stored: real for kFloat32, the code otherwise.
// Quantized: code = clamp(round(real / scale) + zero_point), halves away from zero. Where that
// map sends all pixels within half a code of the pixel itself (minus 128 for kInt8), it *is* the
// pixel: models made for raw camera pixels get exactly these, and a scale rounded to float or a
// mean of 127.5 with a zero point of 127 does not turn ties into noise.
// REQUIRES: 0 <= channel < spec.channels. `values` is indexed by the pixel, 0..255.
std::array<float, 256> PixelValues(const InputSpec& spec, int channel);

// Fits, resizes and converts. Errors: sizes below 1, channels other than 1, 3 and 4, std or scale
// of zero or not finite, a zero point outside the type.
Result<ModelInput> MakeModelInput(const Image& image, const InputSpec& spec);

// The same for pixels that already have the tensor's width, height and channels: no resizing.
Result<std::vector<uint8_t>> PackPixels(const Image& image, const InputSpec& spec);

}  // namespace dlpu
