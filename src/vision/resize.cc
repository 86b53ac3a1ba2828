// SPDX-License-Identifier: Apache-2.0
// Separable resizing: each axis is a list of taps worked out once, then rows are combined.
#include "vision/resize.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/check.h"
#include "vision/decoders.h"

namespace dlpu {
namespace {

constexpr int kWeightBits = 15;
constexpr int64_t kOne = int64_t{1} << kWeightBits;

// Two neighbouring source pixels and the weight of the second, in 1 / kOne.
struct BilinearTap {
  int first, second;
  uint32_t weight;
};

// The position (i + 0.5) * in / out - 0.5 is (2i + 1) * in - out over 2 * out: exact in integers.
std::vector<BilinearTap> BilinearTaps(int in, int out) {
  std::vector<BilinearTap> taps(out);
  const int64_t unit = 2 * int64_t{out};
  for (int i = 0; i < out; ++i) {
    const int64_t position = std::max<int64_t>((2 * int64_t{i} + 1) * in - out, 0);
    const int first = static_cast<int>(std::min<int64_t>(position / unit, in - 1));
    const int64_t rest = position - first * unit;
    taps[i] = {first, std::min(first + 1, in - 1),
               static_cast<uint32_t>((rest * kOne + out) / unit)};
  }
  return taps;
}

// One source row scaled to the target width; values are times kOne.
void BilinearRow(const uint8_t* row, const std::vector<BilinearTap>& taps, int channels,
                 uint32_t* to) {
  for (const BilinearTap& tap : taps) {
    const uint8_t* a = row + static_cast<size_t>(tap.first) * channels;
    const uint8_t* b = row + static_cast<size_t>(tap.second) * channels;
    for (int c = 0; c < channels; ++c) {
      *to++ = a[c] * static_cast<uint32_t>(kOne - tap.weight) + b[c] * tap.weight;
    }
  }
}

void ResizeBilinear(const Image& in, Image& out) {
  const std::vector<BilinearTap> columns = BilinearTaps(in.width, out.width);
  const std::vector<BilinearTap> rows = BilinearTaps(in.height, out.height);
  const size_t size = out.RowBytes();
  std::vector<uint32_t> upper(size), lower(size);
  int upper_row = -1, lower_row = -1;
  for (int y = 0; y < out.height; ++y) {
    const BilinearTap& tap = rows[y];
    if (tap.first == lower_row) {
      std::swap(upper, lower);
      std::swap(upper_row, lower_row);
    }
    if (tap.first != upper_row) {
      BilinearRow(in.Row(tap.first), columns, in.channels, upper.data());
      upper_row = tap.first;
    }
    if (tap.second != lower_row) {
      BilinearRow(in.Row(tap.second), columns, in.channels, lower.data());
      lower_row = tap.second;
    }
    uint8_t* to = out.Row(y);
    const uint64_t b = tap.weight, a = kOne - b;
    for (size_t i = 0; i < size; ++i) {
      const uint64_t sum = upper[i] * a + lower[i] * b;
      to[i] =
          static_cast<uint8_t>((sum + (uint64_t{1} << (2 * kWeightBits - 1))) >> (2 * kWeightBits));
    }
  }
}

// Source pixels first..last; those between the ends count `out` each.
struct AreaTap {
  int first, last;
  uint32_t first_weight, last_weight;
};

// With a source pixel `out` units long, target pixel i covers the units [i * in, (i + 1) * in).
std::vector<AreaTap> AreaTaps(int in, int out) {
  std::vector<AreaTap> taps(out);
  for (int i = 0; i < out; ++i) {
    const int64_t begin = int64_t{i} * in, end = begin + in;
    const int64_t first = begin / out, last = (end - 1) / out;
    const int64_t first_end = std::min<int64_t>((first + 1) * out, end);
    taps[i] = {static_cast<int>(first), static_cast<int>(last),
               static_cast<uint32_t>(first_end - begin), static_cast<uint32_t>(end - last * out)};
  }
  return taps;
}

// Calls add(source index, weight) for every pixel under the tap.
template <typename Add>
void ForEachPixel(const AreaTap& tap, int whole, const Add& add) {
  add(tap.first, tap.first_weight);
  if (tap.last == tap.first) return;
  for (int i = tap.first + 1; i < tap.last; ++i) add(i, static_cast<uint32_t>(whole));
  add(tap.last, tap.last_weight);
}

void ResizeArea(const Image& in, Image& out) {
  const std::vector<AreaTap> columns = AreaTaps(in.width, out.width);
  const std::vector<AreaTap> rows = AreaTaps(in.height, out.height);
  const int channels = in.channels;
  // Weights of a target pixel add up to in.width * in.height <= kMaxPixels.
  const uint64_t total = static_cast<uint64_t>(in.width) * in.height;
  std::vector<uint64_t> tall(in.RowBytes());  // source columns summed over the tap's rows
  for (int y = 0; y < out.height; ++y) {
    std::fill(tall.begin(), tall.end(), 0);
    ForEachPixel(rows[y], out.height, [&](int row, uint64_t weight) {
      const uint8_t* from = in.Row(row);
      for (size_t i = 0; i < tall.size(); ++i) tall[i] += from[i] * weight;
    });
    uint8_t* to = out.Row(y);
    for (const AreaTap& tap : columns) {
      for (int c = 0; c < channels; ++c) {
        uint64_t sum = 0;
        ForEachPixel(tap, out.width, [&](int column, uint64_t weight) {
          sum += tall[static_cast<size_t>(column) * channels + c] * weight;
        });
        *to++ = static_cast<uint8_t>((sum + total / 2) / total);
      }
    }
  }
}

void ResizeNearest(const Image& in, Image& out) {
  std::vector<int> columns(out.width);
  for (int x = 0; x < out.width; ++x) {
    columns[x] = static_cast<int>((2 * int64_t{x} + 1) * in.width / (2 * int64_t{out.width}));
  }
  for (int y = 0; y < out.height; ++y) {
    const int row = static_cast<int>((2 * int64_t{y} + 1) * in.height / (2 * int64_t{out.height}));
    for (int x = 0; x < out.width; ++x) {
      std::copy_n(in.At(columns[x], row), in.channels, out.At(x, y));
    }
  }
}

int RoundedQuotient(int64_t a, int64_t b) { return static_cast<int>((2 * a + b) / (2 * b)); }

}  // namespace

Result<Image> ResizeImage(const Image& image, int width, int height, ResizeFilter filter) {
  DLPU_RETURN_IF_ERROR(CheckPictureSize(image.width, image.height, "resize: source"));
  DLPU_RETURN_IF_ERROR(CheckPictureSize(width, height, "resize: target"));
  if (width == image.width && height == image.height) return image;
  Image out = MakeImage(width, height, image.channels);
  switch (filter) {
    case ResizeFilter::kNearest:
      ResizeNearest(image, out);
      break;
    case ResizeFilter::kBilinear:
      ResizeBilinear(image, out);
      break;
    case ResizeFilter::kArea:
      ResizeArea(image, out);
      break;
  }
  return out;
}

Result<Image> CropImage(const Image& image, const PixelRect& rect) {
  if (rect.x < 0 || rect.y < 0 || rect.width < 1 || rect.height < 1 ||
      rect.width > image.width - rect.x || rect.height > image.height - rect.y) {
    return InvalidError(
        fmt::format("the part {}x{} at ({}, {}) does not lie within the {}x{} picture", rect.width,
                    rect.height, rect.x, rect.y, image.width, image.height));
  }
  if (rect.width == image.width && rect.height == image.height) return image;
  Image out = MakeImage(rect.width, rect.height, image.channels);
  for (int y = 0; y < rect.height; ++y) {
    std::copy_n(image.At(rect.x, rect.y + y), out.RowBytes(), out.Row(y));
  }
  return out;
}

float Placement::PictureX(float canvas_x) const {
  const float x = (canvas_x * canvas_width - target.x) * source.width / target.width;
  return (x + source.x) / picture_width;
}

float Placement::PictureY(float canvas_y) const {
  const float y = (canvas_y * canvas_height - target.y) * source.height / target.height;
  return (y + source.y) / picture_height;
}

Placement PlanFit(int picture_width, int picture_height, int canvas_width, int canvas_height,
                  FitMode fit, double central_fraction) {
  DLPU_CHECK(picture_width >= 1 && picture_height >= 1 && canvas_width >= 1 && canvas_height >= 1);
  const int64_t pw = picture_width, ph = picture_height, cw = canvas_width, ch = canvas_height;
  Placement p{picture_width,
              picture_height,
              canvas_width,
              canvas_height,
              {0, 0, picture_width, picture_height},
              {0, 0, canvas_width, canvas_height}};
  const bool wider = pw * ch > ph * cw;  // than the canvas
  if (fit == FitMode::kLetterbox) {
    int& side = wider ? p.target.height : p.target.width;
    side = std::max(1, wider ? RoundedQuotient(ph * cw, pw) : RoundedQuotient(pw * ch, ph));
    p.target.x = (canvas_width - p.target.width) / 2;
    p.target.y = (canvas_height - p.target.height) / 2;
  }
  if (fit == FitMode::kCrop) {
    int& side = wider ? p.source.width : p.source.height;
    side = std::max(1, wider ? RoundedQuotient(ph * cw, ch) : RoundedQuotient(pw * ch, cw));
    const double fraction = std::clamp(central_fraction, 0.0, 1.0);
    p.source.width = std::max(1, static_cast<int>(p.source.width * fraction + 0.5));
    p.source.height = std::max(1, static_cast<int>(p.source.height * fraction + 0.5));
    p.source.x = (picture_width - p.source.width) / 2;
    p.source.y = (picture_height - p.source.height) / 2;
  }
  return p;
}

Result<Image> PlaceImage(const Image& image, const Placement& p, ResizeFilter filter, Colour pad) {
  Image part;
  const bool whole = p.source == PixelRect{0, 0, image.width, image.height};
  if (!whole) {
    DLPU_TRY(part, CropImage(image, p.source));
  }
  DLPU_TRY(Image scaled,
           ResizeImage(whole ? image : part, p.target.width, p.target.height, filter));
  if (p.target == PixelRect{0, 0, p.canvas_width, p.canvas_height}) return scaled;
  DLPU_RETURN_IF_ERROR(CheckPictureSize(p.canvas_width, p.canvas_height, "letterbox"));
  Image canvas = MakeImage(p.canvas_width, p.canvas_height, image.channels);
  for (int x = 0; x < canvas.width; ++x) {
    for (int c = 0; c < canvas.channels; ++c) canvas.At(x, 0)[c] = c < 3 ? pad[c] : 255;
  }
  for (int y = 1; y < canvas.height; ++y)
    std::copy_n(canvas.Row(0), canvas.RowBytes(), canvas.Row(y));
  for (int y = 0; y < scaled.height; ++y) {
    std::copy_n(scaled.Row(y), scaled.RowBytes(), canvas.At(p.target.x, p.target.y + y));
  }
  return canvas;
}

}  // namespace dlpu
