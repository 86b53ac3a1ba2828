// SPDX-License-Identifier: Apache-2.0
// Capabilities and limits of the preprocessing devices: ACAP Native SDK, machine learning API,
// chapter on preprocessing.
#include "larod/picture_rules.h"

#include <fmt/format.h>

#include <algorithm>

namespace dlpu::larod {
namespace {

constexpr bool Y = true, N = false;
using Conversions = std::array<std::array<bool, kPixelFormats>, kPixelFormats>;
// Rows: from NV12, interleaved, planar; columns: to the same.
constexpr Conversions kAll = {{{Y, Y, Y}, {Y, Y, Y}, {Y, Y, Y}}};
constexpr Conversions kOpenCl = {{{Y, Y, N}, {N, N, N}, {N, N, Y}}};

constexpr PictureRules kRules[] = {
    // device, crop, scale, converts, planar to interleaved scales, refuses at job, even, rgb even,
    // pitch multiple, tight, width multiple, least height, most pixels, most scale
    {"cpu-proc", Y, Y, kAll, N, N, 2, 2, 2, N, 1, 1, 0, 0},
    {"axis-ace-proc",
     N,
     N,
     {{{N, Y, N}, {N, N, N}, {N, N, N}}},
     N,
     N,
     2,
     1,
     1,
     Y,
     8,
     4,
     4194304,
     0},
    {"ambarella-cvflow-proc",
     Y,
     Y,
     {{{Y, N, Y}, {N, N, N}, {N, N, Y}}},
     N,
     N,
     2,
     1,
     32,
     N,
     1,
     1,
     0,
     256},
    {"axis-a8-gpu-proc", Y, Y, kOpenCl, N, Y, 2, 1, 1, N, 1, 1, 0, 0},
    {"axis-a8-dlpu-proc", Y, Y, kOpenCl, N, Y, 2, 1, 1, N, 1, 1, 0, 0},
    {"a9-gpu-proc", Y, Y, kOpenCl, N, Y, 2, 1, 1, N, 1, 1, 0, 0},
    {"axis-a7-gpu-proc", Y, Y, kOpenCl, N, Y, 2, 1, 1, N, 1, 1, 0, 0},
};
constexpr const char* kFormatNames[] = {"nv12", "rgb-interleaved", "rgb-planar"};
constexpr int kMostExtent = 16384;
constexpr size_t kMostPictureBytes = size_t{256} << 20;  // far above what a camera's sensor has

Failure BadParameter(std::string message, std::string cause = "") {
  return {LAROD_ERROR_LOAD_MODEL, std::move(message), std::move(cause)};
}

bool Multiple(int value, int of) { return value % of == 0; }

Outcome<Nothing> CheckShape(const PictureRules& rules, const PictureShape& shape,
                            const std::string& side) {
  const bool nv12 = shape.format == PixelFormat::kNv12;
  const int even = nv12 ? rules.even : rules.rgb_even;
  if (!Multiple(shape.width, even) || !Multiple(shape.height, even)) {
    return BadParameter(
        fmt::format("image.{}.size {}x{} is not supported: must be a multiple of {}", side,
                    shape.width, shape.height, even));
  }
  if (shape.pitch < shape.row()) {
    return BadParameter(fmt::format("image.{}.row-pitch {} is smaller than a row of {} bytes", side,
                                    shape.pitch, shape.row()));
  }
  if (!Multiple(shape.pitch, rules.pitch_multiple)) {
    return BadParameter(
        fmt::format("image.{}.row-pitch {} is not supported: must be a multiple of {}", side,
                    shape.pitch, rules.pitch_multiple));
  }
  if (rules.tight && shape.pitch != shape.row()) {
    return BadParameter(fmt::format("image.{}.row-pitch {} is not supported: must be the row's {}",
                                    side, shape.pitch, shape.row()));
  }
  if (SpecOf(shape).bytes > kMostPictureBytes) {
    return BadParameter(
        fmt::format("image.{}.size {}x{} is too large", side, shape.width, shape.height),
        fmt::format("a picture has at most {} bytes", kMostPictureBytes));
  }
  return Nothing();
}

bool Converts(const PictureRules& rules, const PictureShape& input, const PictureShape& output) {
  return rules.converts[static_cast<size_t>(input.format)][static_cast<size_t>(output.format)];
}

Outcome<Nothing> CheckConversion(const PictureRules& rules, const PictureShape& input,
                                 const PictureShape& output) {
  if (Converts(rules, input, output)) return Nothing();
  const std::string cause =
      fmt::format("{} does not convert {} to {}", rules.device, PixelFormatName(input.format),
                  PixelFormatName(output.format));
  if (rules.refuses_at_job) {
    return Failure{LAROD_ERROR_JOB,
                   "This backend only supports color conversion from NV12 to RGB interleaved",
                   cause};
  }
  return BadParameter("Conversion from " + std::string(PixelFormatName(input.format)) + " to " +
                          PixelFormatName(output.format) + " is not supported",
                      cause);
}

// Whether the part of the input may become the output.
Outcome<Nothing> CheckScale(const PictureRules& rules, const PictureShape& input,
                            const PictureShape& output, const Rectangle& part) {
  const bool scales = part.width != output.width || part.height != output.height;
  const bool crops = part.width != input.width || part.height != input.height;
  if (scales && !rules.scale) {
    return BadParameter(fmt::format("Scaling from {}x{} to {}x{} is not supported", part.width,
                                    part.height, output.width, output.height));
  }
  if (crops && !rules.crop) return BadParameter("Cropping is not supported");
  const bool merges =
      input.format == PixelFormat::kRgbPlanar && output.format == PixelFormat::kRgbInterleaved;
  if (merges && (scales || crops) && !rules.planar_to_interleaved_scales) {
    return BadParameter("rgb-planar to rgb-interleaved needs equal sizes and no crop");
  }
  const auto beyond = [&](int from, int to) {
    const int64_t most = rules.most_scale;
    return most != 0 && (int64_t{from} * most < to || int64_t{to} * most < from);
  };
  if (beyond(part.width, output.width) || beyond(part.height, output.height)) {
    return BadParameter(fmt::format("Scaling by more than {} is not supported", rules.most_scale));
  }
  return Nothing();
}

}  // namespace

const char* PixelFormatName(PixelFormat format) {
  return kFormatNames[static_cast<size_t>(format)];
}

std::optional<PixelFormat> PixelFormatFromName(std::string_view name) {
  for (int i = 0; i < kPixelFormats; ++i) {
    if (name == kFormatNames[i]) return static_cast<PixelFormat>(i);
  }
  return std::nullopt;
}

double PictureTime(const PictureRules& rules, const PictureShape& input, const PictureShape& output,
                   const Rectangle& part) {
  // Milliseconds, and milliseconds for a million pixels of what is read and written. Measured:
  // cpu-proc: crop 1.0, scale 9.4, to interleaved 7.5, to planar 22.1; GPU: 3.8, 4.5, 9.0.
  struct Rates {
    double fixed, scale, interleaved, planar;
  };
  const bool on_cpu = std::string_view(rules.device) == "cpu-proc";
  const Rates rates = on_cpu ? Rates{0.6, 4.2, 3.3, 10.4} : Rates{3.6, 0.43, 2.6, 2.6};
  const double from = 1e-6 * part.width * part.height;
  const double to = 1e-6 * output.width * output.height;
  double time = rates.fixed;
  if (part.width != output.width || part.height != output.height) time += rates.scale * from;
  if (input.format != output.format) {
    time += to * (output.format == PixelFormat::kRgbPlanar ? rates.planar : rates.interleaved);
  }
  return time;
}

const PictureRules* FindPictureRules(std::string_view device) {
  const auto found =
      std::find_if(std::begin(kRules), std::end(kRules),
                   [&](const PictureRules& rules) { return device == rules.device; });
  return found == std::end(kRules) ? nullptr : &*found;
}

TensorSpec SpecOf(const PictureShape& shape) {
  const auto w = static_cast<size_t>(shape.width), h = static_cast<size_t>(shape.height);
  const auto pitch = static_cast<size_t>(shape.pitch);
  TensorSpec spec;
  spec.type = LAROD_TENSOR_DATA_TYPE_UINT8;
  switch (shape.format) {
    case PixelFormat::kNv12:
      spec.layout = LAROD_TENSOR_LAYOUT_420SP;
      spec.dims = {{3, h, w}, 3};
      spec.pitches = {{h * pitch * 3 / 2, h * pitch, pitch}, 3};
      break;
    case PixelFormat::kRgbInterleaved:
      spec.layout = LAROD_TENSOR_LAYOUT_NHWC;
      spec.dims = {{1, h, w, 3}, 4};
      spec.pitches = {{h * pitch, h * pitch, pitch, 3}, 4};
      break;
    case PixelFormat::kRgbPlanar:
      spec.layout = LAROD_TENSOR_LAYOUT_NCHW;
      spec.dims = {{1, 3, h, w}, 4};
      spec.pitches = {{3 * h * pitch, 3 * h * pitch, h * pitch, pitch}, 4};
      break;
  }
  spec.bytes = spec.pitches.pitches[0];
  return spec;
}

Outcome<PictureShape> ReadPictureShape(const PictureRules& rules, const Params& params,
                                       const std::string& side) {
  const std::string prefix = "image." + side + ".";
  const auto missing = [&](const char* key, const char* kind) {
    return BadParameter(fmt::format("Parameter {}{} is missing or is not {}", prefix, key, kind));
  };
  PictureShape shape;
  const auto format = params.find(prefix + "format");
  const auto* name = format == params.end() ? nullptr : std::get_if<std::string>(&format->second);
  if (name == nullptr) return missing("format", "a string");
  const auto known = PixelFormatFromName(*name);
  if (!known.has_value()) {
    return BadParameter(fmt::format("{}format \"{}\" is not supported", prefix, *name),
                        "the formats are nv12, rgb-interleaved and rgb-planar");
  }
  shape.format = *known;
  const auto size = params.find(prefix + "size");
  const auto* extents =
      size == params.end() ? nullptr : std::get_if<std::array<int64_t, 2>>(&size->second);
  if (extents == nullptr) return missing("size", "two integers");
  if (std::any_of(extents->begin(), extents->end(),
                  [](int64_t n) { return n < 1 || n > kMostExtent; })) {
    return BadParameter(fmt::format("{}size {},{} is not supported: must be from 1 to {}", prefix,
                                    (*extents)[0], (*extents)[1], kMostExtent));
  }
  shape.width = static_cast<int>((*extents)[0]);
  shape.height = static_cast<int>((*extents)[1]);
  const int least = (shape.row() + rules.pitch_multiple - 1) / rules.pitch_multiple;
  shape.pitch = least * rules.pitch_multiple;
  if (const auto pitch = params.find(prefix + "row-pitch"); pitch != params.end()) {
    const auto* bytes = std::get_if<int64_t>(&pitch->second);
    if (bytes == nullptr) return missing("row-pitch", "an integer");
    if (*bytes < 1 || *bytes > 4 * kMostExtent) {
      return BadParameter(fmt::format("{}row-pitch {} is not supported", prefix, *bytes));
    }
    shape.pitch = static_cast<int>(*bytes);
  }
  return shape;
}

Outcome<Nothing> CheckPictureModel(const PictureRules& rules, const PictureShape& input,
                                   const PictureShape& output) {
  LAROD_RETURN_IF_FAILED(CheckShape(rules, input, "input"));
  LAROD_RETURN_IF_FAILED(CheckShape(rules, output, "output"));
  if (!Multiple(input.width, rules.width_multiple) || input.height < rules.least_height ||
      (rules.most_pixels != 0 && int64_t{input.width} * input.height >= rules.most_pixels)) {
    return BadParameter(fmt::format(
        "image.input.size {}x{} is not supported: the width must be a multiple of {}, the height "
        "at "
        "least {}, the pixels fewer than {}",
        input.width, input.height, rules.width_multiple, rules.least_height, rules.most_pixels));
  }
  if (rules.refuses_at_job) return Nothing();
  LAROD_RETURN_IF_FAILED(CheckConversion(rules, input, output));
  // A crop of the input, given with the job, may still be what scales as it must.
  const bool merges =
      input.format == PixelFormat::kRgbPlanar && output.format == PixelFormat::kRgbInterleaved;
  if (rules.crop && !merges) return Nothing();
  return CheckScale(rules, input, output, {0, 0, input.width, input.height});
}

Outcome<Rectangle> CheckPictureJob(const PictureRules& rules, const PictureShape& input,
                                   const PictureShape& output, const Params& params) {
  LAROD_RETURN_IF_FAILED(CheckConversion(rules, input, output));
  const auto as_job = [](Failure failure) {
    failure.code = LAROD_ERROR_JOB;
    return failure;
  };
  Rectangle part{0, 0, input.width, input.height};
  if (const auto crop = params.find("image.input.crop"); crop != params.end()) {
    const auto* value = std::get_if<std::array<int64_t, 4>>(&crop->second);
    if (value == nullptr) {
      return as_job(BadParameter("Parameter image.input.crop is not four integers"));
    }
    const auto [x, y, w, h] = *value;
    const bool inside = x >= 0 && y >= 0 && w >= 1 && h >= 1 && x <= input.width &&
                        y <= input.height && w <= input.width - x && h <= input.height - y;
    if (!inside) {
      return as_job(BadParameter(fmt::format("Crop {},{},{},{} is outside the input of {}x{}", x, y,
                                             w, h, input.width, input.height)));
    }
    // The chroma of NV12 belongs to pairs of rows and columns.
    if (input.format == PixelFormat::kNv12 && ((x | y | w | h) & 1) != 0) {
      return as_job(
          BadParameter(fmt::format("Crop {},{},{},{} of an nv12 image is not even", x, y, w, h)));
    }
    part = {static_cast<int>(x), static_cast<int>(y), static_cast<int>(w), static_cast<int>(h)};
    if (!rules.crop) return as_job(BadParameter("Cropping is not supported"));
  }
  if (auto scale = CheckScale(rules, input, output, part); !scale.ok()) {
    return as_job(scale.failure());
  }
  return part;
}

}  // namespace dlpu::larod
