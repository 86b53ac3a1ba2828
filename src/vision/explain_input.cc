// SPDX-License-Identifier: Apache-2.0
// Makes the tensor again with one or two mistakes built in and looks which comes closest.
#include "vision/explain_input.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <numeric>

namespace dlpu {
namespace {

// What a mistake changes: the way the tensor is made, the picture, or the bytes afterwards.
struct Attempt {
  InputSpec spec;
  Image picture;
  bool twice = false;      // normalised again
  bool unshifted = false;  // uint8 codes where int8 is wanted
  int row_padding = 0;     // bytes per row that were copied as if they were pixels
};

struct Mistake {
  std::string cause;
  int group;  // two mistakes of one group exclude each other
  std::function<void(Attempt&)> make;
};

void FlipRows(Image& image) {
  for (int y = 0; y < image.height / 2; ++y) {
    std::swap_ranges(image.Row(y), image.Row(y) + image.RowBytes(),
                     image.Row(image.height - 1 - y));
  }
}

void MirrorColumns(Image& image) {
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width / 2; ++x) {
      std::swap_ranges(image.At(x, y), image.At(x, y) + image.channels,
                       image.At(image.width - 1 - x, y));
    }
  }
}

void SetNormalisation(Attempt& a, float mean, float std) {
  a.spec.mean.fill(mean);
  a.spec.std.fill(std);
}

void AddGeometry(const InputSpec& spec, std::vector<Mistake>& list) {
  const std::pair<ResizeFilter, const char*> filters[] = {{ResizeFilter::kNearest, "nearest"},
                                                          {ResizeFilter::kBilinear, "bilinear"},
                                                          {ResizeFilter::kArea, "area"}};
  for (const auto& [filter, name] : filters) {
    if (filter == spec.filter) continue;
    list.push_back({fmt::format("the picture is resized with the {} filter", name), 0,
                    [filter = filter](Attempt& a) { a.spec.filter = filter; }});
  }
  const std::pair<FitMode, const char*> fits[] = {{FitMode::kStretch, "stretched"},
                                                  {FitMode::kLetterbox, "letterboxed"},
                                                  {FitMode::kCrop, "cropped"}};
  for (const auto& [fit, name] : fits) {
    if (fit == spec.fit) continue;
    list.push_back({fmt::format("the picture is {} to the input's shape", name), 1,
                    [fit = fit](Attempt& a) { a.spec.fit = fit; }});
  }
  list.push_back({"the picture is upside down", 2, [](Attempt& a) { FlipRows(a.picture); }});
  list.push_back({"the picture is mirrored", 2, [](Attempt& a) { MirrorColumns(a.picture); }});
}

// Luma weights of red and blue: ITU-R BT.601 and BT.709.
struct ColourMatrix {
  double red, blue;
  bool full;  // luma 0..255; else 16..235 and chroma 16..240
};

uint8_t ToPixel(double v) { return static_cast<uint8_t>(std::clamp(std::lround(v), 0L, 255L)); }

// RGB made YCbCr with one matrix and RGB again with another: a camera's frame converted with the
// wrong standard or range. Chroma is not subsampled here.
void Reinterpret(Image& image, const ColourMatrix& as, const ColourMatrix& read) {
  const auto green = [](const ColourMatrix& m) { return 1 - m.red - m.blue; };
  const double chroma = as.full ? 1.0 : 224.0 / 255.0, luma = as.full ? 1.0 : 219.0 / 255.0;
  const double back_chroma = read.full ? 1.0 : 255.0 / 224.0;
  const double back_luma = read.full ? 1.0 : 255.0 / 219.0;
  for (size_t i = 0; i + 2 < image.pixels.size(); i += static_cast<size_t>(image.channels)) {
    uint8_t* p = image.pixels.data() + i;
    const double light = as.red * p[0] + green(as) * p[1] + as.blue * p[2];
    const double y = std::round(light * luma + (as.full ? 0 : 16));
    const double cb = std::round((p[2] - light) / (2 * (1 - as.blue)) * chroma);
    const double cr = std::round((p[0] - light) / (2 * (1 - as.red)) * chroma);
    const double l = (y - (read.full ? 0 : 16)) * back_luma;
    const double r = l + 2 * (1 - read.red) * cr * back_chroma;
    const double b = l + 2 * (1 - read.blue) * cb * back_chroma;
    p[0] = ToPixel(r);
    p[1] = ToPixel((l - read.red * r - read.blue * b) / green(read));
    p[2] = ToPixel(b);
  }
}

constexpr int kColours = 8;                 // group of these mistakes
constexpr size_t kMostForPairs = 3u << 20;  // bytes of a picture; they are slow on larger ones

void AddColours(const InputSpec& spec, std::vector<Mistake>& list) {
  if (spec.channels < 3) return;
  constexpr std::pair<ColourMatrix, const char*> kKinds[] = {
      {{0.299, 0.114, false}, "BT.601 limited range"},
      {{0.299, 0.114, true}, "BT.601 full range"},
      {{0.2126, 0.0722, false}, "BT.709 limited range"},
      {{0.2126, 0.0722, true}, "BT.709 full range"}};
  for (const auto& [as, made] : kKinds) {
    for (const auto& [read, taken] : kKinds) {
      if (made == taken) continue;
      list.push_back({fmt::format("the colour matrix: YUV of {} is read as {}", made, taken),
                      kColours,
                      [as = as, read = read](Attempt& a) { Reinterpret(a.picture, as, read); }});
    }
  }
}

void AddValues(const InputSpec& spec, std::vector<Mistake>& list) {
  if (spec.channels >= 3) {
    list.push_back({"red and blue are exchanged", 3, [](Attempt& a) { a.spec.bgr = !a.spec.bgr; }});
    const bool nhwc = spec.layout == PixelLayout::kNhwc;
    list.push_back(
        {nhwc ? "channels come before height and width (NCHW)" : "channels come last (NHWC)", 4,
         [nhwc](Attempt& a) { a.spec.layout = nhwc ? PixelLayout::kNchw : PixelLayout::kNhwc; }});
  }
  list.push_back(
      {"pixels are not normalised (0..255)", 5, [](Attempt& a) { SetNormalisation(a, 0, 1); }});
  list.push_back(
      {"pixels are normalised to 0..1", 5, [](Attempt& a) { SetNormalisation(a, 0, 255); }});
  list.push_back({"pixels are normalised to -1..1", 5,
                  [](Attempt& a) { SetNormalisation(a, 127.5f, 127.5f); }});
  list.push_back({"the normalisation is applied twice", 5, [](Attempt& a) { a.twice = true; }});
  if (spec.type == PixelType::kInt8) {
    list.push_back(
        {"the codes are uint8; int8 wants 128 less", 6, [](Attempt& a) { a.unshifted = true; }});
  }
  if (spec.layout == PixelLayout::kNhwc) {
    const int row = spec.width * spec.channels * PixelTypeSize(spec.type);
    for (const int alignment : {16, 32, 64, 128}) {
      const int padding = (alignment - row % alignment) % alignment;
      if (padding == 0) continue;
      list.push_back({fmt::format("rows are padded to {} bytes, and the padding is read as pixels",
                                  row + padding),
                      7, [padding](Attempt& a) { a.row_padding = padding; }});
    }
  }
}

// (x - mean) / std once more: what dividing by 255 a second time does.
void NormaliseAgain(InputSpec& spec) {
  for (int c = 0; c < 4; ++c) {
    spec.mean[c] += spec.mean[c] * spec.std[c];
    spec.std[c] *= spec.std[c];
  }
}

std::vector<uint8_t> WithPadding(const std::vector<uint8_t>& bytes, size_t row, size_t padding) {
  std::vector<uint8_t> out;
  out.reserve(bytes.size() + row + padding);
  for (size_t at = 0; at < bytes.size() && out.size() < bytes.size(); at += row) {
    out.insert(out.end(), bytes.begin() + at, bytes.begin() + at + row);
    out.resize(out.size() + padding);
  }
  out.resize(bytes.size());
  return out;
}

Result<std::vector<uint8_t>> MakeTensor(Attempt attempt) {
  if (attempt.twice) NormaliseAgain(attempt.spec);
  DLPU_TRY(ModelInput input, MakeModelInput(attempt.picture, attempt.spec));
  if (attempt.unshifted) {
    for (uint8_t& b : input.bytes) b ^= 0x80;
  }
  if (attempt.row_padding == 0) return std::move(input.bytes);
  const size_t row = static_cast<size_t>(attempt.spec.width) * attempt.spec.channels *
                     PixelTypeSize(attempt.spec.type);
  return WithPadding(input.bytes, row, attempt.row_padding);
}

// One value as a number; floats in pixel steps of the specification's first channel.
double ValueAt(std::span<const uint8_t> bytes, size_t i, const InputSpec& spec) {
  switch (spec.type) {
    case PixelType::kUint8:
      return bytes[i];
    case PixelType::kInt8:
      return static_cast<int8_t>(bytes[i]);
    case PixelType::kInt16: {
      int16_t v;
      std::memcpy(&v, &bytes[2 * i], sizeof(v));
      return v;
    }
    case PixelType::kFloat32: {
      float v;
      std::memcpy(&v, &bytes[4 * i], sizeof(v));
      return double{v} * std::abs(spec.std[0]);
    }
  }
  return 0;
}

InputDistance Distance(std::span<const uint8_t> a, std::span<const uint8_t> b,
                       const InputSpec& spec) {
  const size_t count = a.size() / PixelTypeSize(spec.type);
  InputDistance d;
  size_t equal = 0;
  for (size_t i = 0; i < count; ++i) {
    double difference = std::abs(ValueAt(a, i, spec) - ValueAt(b, i, spec));
    if (!std::isfinite(difference)) difference = 1e9;  // a NaN or infinity is as wrong as can be
    d.mean += difference;
    d.largest = std::max(d.largest, difference);
    equal += difference == 0;
  }
  d.mean /= static_cast<double>(count);
  d.equal = static_cast<double>(equal) / static_cast<double>(count);
  return d;
}

Error SizeError(const InputSpec& spec, size_t wanted, size_t got) {
  const size_t count = wanted / PixelTypeSize(spec.type);
  std::string hint = "check its width, height and channels";
  if (got == count) hint = "it fits 8-bit values";
  if (got == 2 * count) hint = "it fits 16-bit values";
  if (got == 4 * count) hint = "it fits float32 values";
  if (spec.channels == 3 && 2 * got == count) hint = "it fits an NV12 frame of that size";
  return InvalidError(
      fmt::format("the tensor to compare has {} bytes, the input {}x{}x{} has {}; {}", got,
                  spec.width, spec.height, spec.channels, wanted, hint));
}

}  // namespace

Result<InputReport> ExplainInput(const Image& picture, const InputSpec& spec,
                                 std::span<const uint8_t> theirs) {
  DLPU_TRY(const ModelInput ours, MakeModelInput(picture, spec));
  if (theirs.size() != ours.bytes.size()) return SizeError(spec, ours.bytes.size(), theirs.size());
  InputReport report;
  report.distance = Distance(ours.bytes, theirs, spec);
  if (report.distance.largest == 0) return report;
  std::vector<Mistake> mistakes;
  AddGeometry(spec, mistakes);
  AddValues(spec, mistakes);
  AddColours(spec, mistakes);
  double most = report.distance.mean / 2;
  const auto attempt = [&](std::span<const Mistake* const> made) -> Status {
    Attempt a{spec, picture};
    std::string cause;
    for (const Mistake* m : made) {
      m->make(a);
      cause += (cause.empty() ? "" : ", and ") + m->cause;
    }
    DLPU_TRY(const std::vector<uint8_t> bytes, MakeTensor(std::move(a)));
    const InputDistance left = Distance(bytes, theirs, spec);
    if (left.mean <= most) report.causes.push_back({cause, left});
    return OkStatus();
  };
  for (const Mistake& m : mistakes) {
    const Mistake* one[] = {&m};
    DLPU_RETURN_IF_ERROR(attempt(one));
  }
  const auto exact = [](const InputExplanation& e) { return e.distance.largest == 0; };
  // A pair is worth its time only if no single mistake explains everything.
  if (std::none_of(report.causes.begin(), report.causes.end(), exact)) {
    // Two mistakes are less likely than one: they must explain twice as much.
    for (const InputExplanation& cause : report.causes)
      most = std::min(most, cause.distance.mean / 2);
    for (size_t i = 0; i < mistakes.size(); ++i) {
      for (size_t j = i + 1; j < mistakes.size(); ++j) {
        if (mistakes[i].group == mistakes[j].group) continue;
        const bool slow = picture.pixels.size() > kMostForPairs;
        if (slow && mistakes[j].group == kColours) continue;
        const Mistake* two[] = {&mistakes[i], &mistakes[j]};
        DLPU_RETURN_IF_ERROR(attempt(two));
      }
    }
  }
  std::stable_sort(report.causes.begin(), report.causes.end(),
                   [](const auto& a, const auto& b) { return a.distance.mean < b.distance.mean; });
  return report;
}

}  // namespace dlpu
