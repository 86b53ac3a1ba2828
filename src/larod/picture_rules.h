// SPDX-License-Identifier: Apache-2.0
// What each preprocessing device of larod can do, and on which sizes: the capability tables of
// larod's documentation as data. Plain values; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "larod/outcome.h"
#include "larod/types.h"

namespace dlpu::larod {

enum class PixelFormat : uint8_t { kNv12, kRgbInterleaved, kRgbPlanar };
inline constexpr int kPixelFormats = 3;
const char* PixelFormatName(PixelFormat format);  // "nv12"
std::optional<PixelFormat> PixelFormatFromName(std::string_view name);

struct PictureRules {
  const char* device;
  bool crop, scale;
  // converts[from][to], in the order of PixelFormat.
  std::array<std::array<bool, kPixelFormats>, kPixelFormats> converts;
  bool planar_to_interleaved_scales;  // whether that conversion may crop and scale too
  bool refuses_at_job;  // a conversion it cannot do is found by the job, not by the load
  int even;             // sizes of NV12 pictures: a multiple of this
  int rgb_even;         // sizes of RGB pictures
  int pitch_multiple;   // row pitches given or inferred: a multiple of this
  bool tight;           // row pitches have no padding
  int width_multiple, least_height;  // of the input
  int64_t most_pixels;               // of the input; exclusive; 0: no limit
  int most_scale;                    // per axis; 0: no limit
};

// What a job of a preprocessing device takes on a camera, in milliseconds. Fitted to times that
// were published for an ARTPEC-9 (cpu-proc and a9-gpu-proc, 1920x1080 to 300x300 and to RGB);
// assumed to hold for other devices too.
struct PictureShape;
struct Rectangle;
double PictureTime(const PictureRules& rules, const PictureShape& input, const PictureShape& output,
                   const Rectangle& part);

// nullptr for a device without rules.
const PictureRules* FindPictureRules(std::string_view device);

// A picture in memory, as the parameters of a preprocessing model describe it.
struct PictureShape {
  PixelFormat format = PixelFormat::kNv12;
  int width = 0, height = 0;
  int pitch = 0;  // bytes from row to row

  // Bytes of a row without padding.
  int row() const { return format == PixelFormat::kRgbInterleaved ? 3 * width : width; }
};
// Of one input or output of a preprocessing model.
TensorSpec SpecOf(const PictureShape& shape);

struct Rectangle {
  int x = 0, y = 0, width = 0, height = 0;
};

// Reads "image.input.*" or "image.output.*"; a missing row pitch is the least the device takes.
Outcome<PictureShape> ReadPictureShape(const PictureRules& rules, const Params& params,
                                       const std::string& side);
// Checks sizes and pitches, and the conversion unless the device leaves that to the job.
Outcome<Nothing> CheckPictureModel(const PictureRules& rules, const PictureShape& input,
                                   const PictureShape& output);
// Checks "image.input.crop" (without it: all of the input) and the conversion.
Outcome<Rectangle> CheckPictureJob(const PictureRules& rules, const PictureShape& input,
                                   const PictureShape& output, const Params& params);

}  // namespace dlpu::larod
