// SPDX-License-Identifier: Apache-2.0
// Recognising and decoding YOLO outputs.
#include "vision/yolo.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace dlpu {
namespace {

constexpr std::array<int, 3> kStrides = {8, 16, 32};

// Cells of the three grids; 0 if they do not fit the input.
int64_t CountCells(int width, int height) {
  if (width < 32 || height < 32 || width % 32 != 0 || height % 32 != 0) return 0;
  int64_t cells = 0;
  for (const int stride : kStrides) cells += int64_t{width / stride} * (height / stride);
  return cells;
}

// One value of one box.
class Rows {
 public:
  Rows(std::span<const float> values, const YoloLayout& layout)
      : values_(values),
        box_step_(layout.values_first ? 1 : layout.values),
        value_step_(layout.values_first ? layout.boxes : 1) {}
  float operator()(size_t box, size_t value) const {
    return values_[box * box_step_ + value * value_step_];
  }

 private:
  std::span<const float> values_;
  size_t box_step_, value_step_;
};

struct BestClass {
  float score = 0;
  int class_id = -1;
};

// The best class of every box, before objectness. Loops in memory order.
std::vector<BestClass> FindBestClasses(const Rows& rows, const YoloLayout& layout) {
  std::vector<BestClass> best(layout.boxes);
  const int first = layout.format == YoloFormat::kV8 ? 4 : 5;
  const auto look = [&](int box, int c) {
    const float score = rows(box, first + c);
    if (score > best[box].score) best[box] = {score, c};
  };
  if (layout.values_first) {
    for (int c = 0; c < layout.classes(); ++c) {
      for (int box = 0; box < layout.boxes; ++box) look(box, c);
    }
  } else {
    for (int box = 0; box < layout.boxes; ++box) {
      for (int c = 0; c < layout.classes(); ++c) look(box, c);
    }
  }
  return best;
}

// Cell and stride of box `index` in YOLOX's order: stride by stride, row by row.
struct Cell {
  int x, y, stride;
};
Cell CellOf(int index, int width, int height) {
  for (const int stride : kStrides) {
    const int columns = width / stride, count = columns * (height / stride);
    if (index < count) return {index % columns, index / columns, stride};
    index -= count;
  }
  return {0, 0, 1};
}

Detection ReadBox(const Rows& rows, int box, const YoloLayout& layout, const YoloOptions& o) {
  float x = rows(box, 0), y = rows(box, 1), width = rows(box, 2), height = rows(box, 3);
  if (layout.format == YoloFormat::kYolox) {
    const Cell cell = CellOf(box, o.input_width, o.input_height);
    const float stride = static_cast<float>(cell.stride);
    x = (x + cell.x) * stride;
    y = (y + cell.y) * stride;
    width = std::exp(width) * stride;
    height = std::exp(height) * stride;
  }
  Detection d;
  d.xmin = x - width / 2;
  d.ymin = y - height / 2;
  d.xmax = x + width / 2;
  d.ymax = y + height / 2;
  for (int k = layout.values - 3 * layout.keypoints; k + 2 < layout.values; k += 3) {
    d.keypoints.push_back({rows(box, k), rows(box, k + 1), rows(box, k + 2)});
  }
  return d;
}

void ScalePixels(std::vector<Detection>& detections, const YoloOptions& o) {
  const bool pixels = std::any_of(detections.begin(), detections.end(), [](const Detection& d) {
    return d.xmax - d.xmin > 2 || d.ymax - d.ymin > 2;
  });
  if (!pixels) return;
  for (Detection& d : detections) {
    d.xmin /= o.input_width;
    d.xmax /= o.input_width;
    d.ymin /= o.input_height;
    d.ymax /= o.input_height;
    for (Keypoint& k : d.keypoints) {
      k.x /= o.input_width;
      k.y /= o.input_height;
    }
  }
}

// Where the input is not known only multiples of a square grid's cells are taken: 1 + 4 + 16.
std::optional<YoloLayout> RecogniseWithoutInput(int a, int b) {
  constexpr int kFewestCells = 189;  // 96x96
  if (a % 63 == 0 && a >= 3 * kFewestCells && b >= 6 && b < a) {
    return YoloLayout{YoloFormat::kV5, a, b, false, 0};
  }
  if (b % 21 == 0 && b >= kFewestCells && a >= 5 && a < b) {
    return YoloLayout{YoloFormat::kV8, b, a, true, a == 56 ? 17 : 0};
  }
  return std::nullopt;
}

}  // namespace

std::optional<YoloLayout> RecogniseYolo(std::span<const int> shape, int input_width,
                                        int input_height) {
  if (shape.size() != 3 || shape[0] != 1) return std::nullopt;
  const int a = shape[1], b = shape[2];
  if (input_width == 0 || input_height == 0) return RecogniseWithoutInput(a, b);
  const int64_t cells = CountCells(input_width, input_height);
  if (cells == 0) return std::nullopt;
  if (a == 3 * cells && b >= 6) return YoloLayout{YoloFormat::kV5, a, b, false, 0};
  if (b == cells && a >= 5 && a != cells) {
    return YoloLayout{YoloFormat::kV8, b, a, true, a == 56 ? 17 : 0};
  }
  // Boxes first: only the 80 classes of COCO tell a YOLOX from a transposed v8.
  if (a == cells && b == 85) return YoloLayout{YoloFormat::kYolox, a, b, false, 0};
  if (a == cells && b == 84) return YoloLayout{YoloFormat::kV8, a, b, false, 0};
  return std::nullopt;
}

Result<std::vector<Detection>> DecodeYolo(std::span<const float> values, const YoloLayout& layout,
                                          const YoloOptions& o) {
  if (layout.boxes < 1 || layout.keypoints < 0 || layout.classes() < 1 ||
      values.size() != static_cast<size_t>(layout.boxes) * layout.values || o.input_width < 1 ||
      o.input_height < 1) {
    return InvalidError(fmt::format(
        "YOLO head: {} values are not {} boxes of {} with at least one class for an input of {}x{}",
        values.size(), layout.boxes, layout.values, o.input_width, o.input_height));
  }
  if (layout.format == YoloFormat::kYolox &&
      CountCells(o.input_width, o.input_height) != layout.boxes) {
    return InvalidError(
        fmt::format("YOLOX head: {} boxes do not fit the grids of an input of {}x{}", layout.boxes,
                    o.input_width, o.input_height));
  }
  const Rows rows(values, layout);
  const std::vector<BestClass> best = FindBestClasses(rows, layout);
  std::vector<Detection> found;
  for (int box = 0; box < layout.boxes; ++box) {
    if (best[box].class_id < 0) continue;
    const float objectness = layout.format == YoloFormat::kV8 ? 1.0f : rows(box, 4);
    const float score = objectness * best[box].score;
    if (!(score >= o.score_threshold)) continue;
    Detection d = ReadBox(rows, box, layout, o);
    d.score = score;
    d.class_id = best[box].class_id;
    found.push_back(std::move(d));
  }
  ScalePixels(found, o);
  return SuppressNonMaxima(std::move(found), o.nms);
}

}  // namespace dlpu
