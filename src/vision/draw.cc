// SPDX-License-Identifier: Apache-2.0
// Drawing without anti-aliasing, on integers.
#include "vision/draw.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "base/check.h"
#include "vision/font.h"

namespace dlpu {
namespace {

// Far outside any picture, but small enough to calculate with.
constexpr int kFar = 1 << 29;

void SetPixel(uint8_t* pixel, Colour colour) { std::copy_n(colour.begin(), 3, pixel); }

// A relative coordinate in pixels; a NaN is far outside.
int ToPixel(float relative, int size) {
  const double v = static_cast<double>(relative) * size;
  if (!(v > -kFar)) return -kFar;
  return v < kFar ? static_cast<int>(std::floor(v)) : kFar;
}

int Luma(Colour c) { return (299 * c[0] + 587 * c[1] + 114 * c[2]) / 1000; }

std::string Percent(std::string_view label, float score) {
  if (!std::isfinite(score)) return std::string(label);
  return fmt::format("{} {:.0f}%", label, score * 100);
}

int TextBoxWidth(std::string_view text, int scale) {
  return (CountCells(text) * kCellWidth + 1) * scale;
}

// Calls visit(major, minor) for every step of a line along its longer axis that can be seen in
// [-margin, size + margin); the minor coordinate is rounded to nearest.
template <typename Visit>
void StepLine(int64_t a0, int64_t b0, int64_t a1, int64_t b1, int size, int margin,
              const Visit& visit) {
  if (a0 > a1) {
    std::swap(a0, a1);
    std::swap(b0, b1);
  }
  const int64_t length = std::max<int64_t>(a1 - a0, 1);
  const int64_t end = std::min<int64_t>(a1, size + margin);
  for (int64_t a = std::max<int64_t>(a0, -margin); a <= end; ++a) {
    const int64_t twice = 2 * (a - a0) * (b1 - b0) + length;
    const int64_t whole = twice / (2 * length) - (twice < 0 && twice % (2 * length) != 0 ? 1 : 0);
    visit(static_cast<int>(a), static_cast<int>(b0 + whole));
  }
}

}  // namespace

DrawStyle StyleFor(const Image& image) {
  const int side = std::min(image.width, image.height);
  return {std::max(1, (side + 150) / 300), std::max(1, (side + 200) / 400)};
}

Colour ClassColour(int class_id) {
  // The golden angle on a wheel of 6 * 255 steps spreads neighbours evenly.
  const int hue = static_cast<int>((static_cast<uint32_t>(class_id) * 947u) % 1530u);
  const int sector = hue / 255, rise = hue % 255, fall = 255 - rise;
  const int wheel[6][3] = {{255, rise, 0}, {fall, 255, 0}, {0, 255, rise},
                           {0, fall, 255}, {rise, 0, 255}, {255, 0, fall}};
  Colour colour;
  for (int c = 0; c < 3; ++c) colour[c] = static_cast<uint8_t>(40 + wheel[sector][c] * 215 / 255);
  return colour;
}

void FillRect(Image& image, const PixelRect& rect, Colour colour) {
  DLPU_CHECK(image.channels == 3);
  const int x0 = std::max(rect.x, 0), y0 = std::max(rect.y, 0);
  const int64_t x1 = std::min<int64_t>(int64_t{rect.x} + rect.width, image.width);
  const int64_t y1 = std::min<int64_t>(int64_t{rect.y} + rect.height, image.height);
  for (int y = y0; y < y1; ++y) {
    for (int x = x0; x < x1; ++x) SetPixel(image.At(x, y), colour);
  }
}

void DrawRect(Image& image, const PixelRect& r, Colour colour, int line) {
  const int across = std::min(line, r.width), down = std::min(line, r.height);
  FillRect(image, {r.x, r.y, r.width, down}, colour);
  FillRect(image, {r.x, r.y + r.height - down, r.width, down}, colour);
  FillRect(image, {r.x, r.y, across, r.height}, colour);
  FillRect(image, {r.x + r.width - across, r.y, across, r.height}, colour);
}

void DrawLine(Image& image, int x0, int y0, int x1, int y1, Colour colour, int line) {
  for (int* v : {&x0, &y0, &x1, &y1}) *v = std::clamp(*v, -kFar, kFar);
  const int half = line / 2;
  const auto stamp = [&](int x, int y) {
    FillRect(image, {x - half, y - half, line, line}, colour);
  };
  if (std::abs(x1 - x0) >= std::abs(y1 - y0)) {
    StepLine(x0, y0, x1, y1, image.width, line, stamp);
  } else {
    StepLine(y0, x0, y1, x1, image.height, line, [&](int y, int x) { stamp(x, y); });
  }
}

void DrawPoint(Image& image, int x, int y, int radius, Colour colour) {
  DLPU_CHECK(image.channels == 3);
  x = std::clamp(x, -kFar, kFar);
  y = std::clamp(y, -kFar, kFar);
  for (int py = std::max(y - radius, 0); py <= std::min(y + radius, image.height - 1); ++py) {
    for (int px = std::max(x - radius, 0); px <= std::min(x + radius, image.width - 1); ++px) {
      const int64_t dx = px - x, dy = py - y;
      if (dx * dx + dy * dy <= int64_t{radius} * radius) SetPixel(image.At(px, py), colour);
    }
  }
}

void DrawText(Image& image, int x, int y, std::string_view text, Colour colour, int scale) {
  for (const char c : text) {
    if ((static_cast<unsigned char>(c) & 0xC0) == 0x80) continue;  // inside a UTF-8 character
    if (x >= image.width) return;
    for (int row = 0; row < kGlyphHeight; ++row) {
      for (int column = 0; column < kGlyphWidth; ++column) {
        if (!GlyphPixel(c, column, row)) continue;
        FillRect(image, {x + column * scale, y + row * scale, scale, scale}, colour);
      }
    }
    x += kCellWidth * scale;
  }
}

void DrawTextBox(Image& image, int x, int y, std::string_view text, Colour background, int scale) {
  FillRect(image, {x, y, TextBoxWidth(text, scale), (kCellHeight + 1) * scale}, background);
  DrawText(image, x + scale, y + scale, text, Luma(background) > 110 ? kBlack : kWhite, scale);
}

void DrawDetections(Image& image, std::span<const Detection> detections) {
  DLPU_CHECK(image.channels == 3);
  const DrawStyle style = StyleFor(image);
  const int text_height = (kCellHeight + 1) * style.text;
  for (size_t i = detections.size(); i-- > 0;) {
    const Detection& d = detections[i];
    const Colour colour = ClassColour(d.class_id);
    // Edges just outside the picture are enough to be clipped away.
    const int x0 = std::clamp(ToPixel(d.xmin, image.width), -style.line, image.width);
    const int y0 = std::clamp(ToPixel(d.ymin, image.height), -style.line, image.height);
    const int x1 = std::clamp(ToPixel(d.xmax, image.width), x0, image.width + style.line);
    const int y1 = std::clamp(ToPixel(d.ymax, image.height), y0, image.height + style.line);
    DrawRect(image, {x0, y0, x1 - x0 + 1, y1 - y0 + 1}, colour, style.line);
    for (const Keypoint& k : d.keypoints) {
      DrawPoint(image, ToPixel(k.x, image.width), ToPixel(k.y, image.height), style.line + 1,
                colour);
    }
    const std::string label = d.label.empty() ? LabelOf({}, d.class_id) : d.label;
    const std::string text = Percent(label, d.score);
    const int text_x = std::min(x0, image.width - TextBoxWidth(text, style.text));
    const int text_y = y0 >= text_height ? y0 - text_height : std::max(y0, 0);
    DrawTextBox(image, std::max(text_x, 0), text_y, text, colour, style.text);
  }
}

void DrawPoses(Image& image, std::span<const Pose> poses, float min_score) {
  DLPU_CHECK(image.channels == 3);
  const DrawStyle style = StyleFor(image);
  for (size_t i = 0; i < poses.size(); ++i) {
    const std::vector<Keypoint>& points = poses[i].keypoints;
    const Colour colour = ClassColour(static_cast<int>(i));
    const auto seen = [&](const Keypoint& k) { return k.score >= min_score; };
    const auto x = [&](const Keypoint& k) { return ToPixel(k.x, image.width); };
    const auto y = [&](const Keypoint& k) { return ToPixel(k.y, image.height); };
    for (const auto& [from, to] : SkeletonOf(static_cast<int>(points.size()))) {
      const Keypoint &a = points[from], &b = points[to];
      if (seen(a) && seen(b)) DrawLine(image, x(a), y(a), x(b), y(b), colour, style.line);
    }
    for (const Keypoint& k : points) {
      if (seen(k)) DrawPoint(image, x(k), y(k), style.line + 1, kWhite);
    }
  }
}

void DrawClasses(Image& image, std::span<const Classification> classes) {
  const int scale = StyleFor(image).text;
  int y = 0;
  for (const Classification& c : classes) {
    DrawTextBox(image, 0, y, Percent(c.label, c.score), kBlack, scale);
    y += (kCellHeight + 1) * scale;
  }
}

void DrawClassMap(Image& image, const ClassMap& map, int opacity) {
  DLPU_CHECK(image.channels == 3);
  if (map.width < 1 || map.height < 1) return;
  const int cover = std::clamp(opacity, 0, 255);
  for (int y = 0; y < image.height; ++y) {
    const size_t row = static_cast<size_t>(int64_t{y} * map.height / image.height) * map.width;
    for (int x = 0; x < image.width; ++x) {
      const int class_id = map.classes[row + int64_t{x} * map.width / image.width];
      if (class_id == 0) continue;
      const Colour colour = ClassColour(class_id);
      uint8_t* pixel = image.At(x, y);
      for (int c = 0; c < 3; ++c) {
        pixel[c] = static_cast<uint8_t>((pixel[c] * (255 - cover) + colour[c] * cover + 127) / 255);
      }
    }
  }
}

}  // namespace dlpu
