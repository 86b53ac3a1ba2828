// SPDX-License-Identifier: Apache-2.0
// Anchors and decoding of SSD heads.
#include "vision/ssd.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace dlpu {
namespace {

constexpr int64_t kMaxAnchors = 1'000'000;

// Scale of layer `index` of `count`; layer `count` has scale 1.
float LayerScale(const AnchorOptions& o, int index, int count) {
  if (index == count) return 1.0f;
  if (count == 1) return (o.min_scale + o.max_scale) * 0.5f;
  return static_cast<float>(o.min_scale +
                            (o.max_scale - o.min_scale) * 1.0 * index / (count - 1.0f));
}

struct BoxShape {
  float height, width;
};

void AppendShapes(const AnchorOptions& o, int layer, std::vector<BoxShape>& shapes) {
  if (o.unit_size) {
    // Only the number of boxes counts.
    shapes.insert(shapes.end(), o.aspect_ratios.size() + (o.interpolated_aspect_ratio > 0 ? 1 : 0),
                  {1, 1});
    return;
  }
  const auto add = [&](float scale, float ratio) {
    const float root = std::sqrt(ratio);
    shapes.push_back({scale / root, scale * root});
  };
  const int layers = static_cast<int>(o.strides.size());
  const float scale = LayerScale(o, layer, layers);
  if (layer == 0 && o.reduce_lowest_layer) {
    add(0.1f, 1.0f);
    add(scale, 2.0f);
    add(scale, 0.5f);
    return;
  }
  for (const float ratio : o.aspect_ratios) add(scale, ratio);
  if (o.interpolated_aspect_ratio > 0) {
    add(std::sqrt(scale * LayerScale(o, layer + 1, layers)), o.interpolated_aspect_ratio);
  }
}

float Probability(float score, const SsdOptions& o) {
  if (!o.sigmoid) return score;
  if (o.score_clip > 0) score = std::clamp(score, -o.score_clip, o.score_clip);
  return Sigmoid(score);
}

}  // namespace

Result<std::vector<Anchor>> MakeAnchors(const AnchorOptions& o) {
  if (o.strides.empty() || o.input_width < 1 || o.input_height < 1) {
    return InvalidError(
        fmt::format("anchors: {} strides for an input of {}x{}; all must be at least 1",
                    o.strides.size(), o.input_width, o.input_height));
  }
  std::vector<Anchor> anchors;
  for (size_t layer = 0; layer < o.strides.size();) {
    const int stride = o.strides[layer];
    if (stride < 1) return InvalidError(fmt::format("anchors: a stride of {}", stride));
    std::vector<BoxShape> shapes;
    for (; layer < o.strides.size() && o.strides[layer] == stride; ++layer) {
      AppendShapes(o, static_cast<int>(layer), shapes);
    }
    const int64_t rows = (int64_t{o.input_height} + stride - 1) / stride;
    const int64_t columns = (int64_t{o.input_width} + stride - 1) / stride;
    if (rows * columns > kMaxAnchors / std::max<int64_t>(1, shapes.size())) {
      return ExhaustedError(
          fmt::format("anchors: {}x{} cells of stride {} are too many", columns, rows, stride));
    }
    for (int64_t y = 0; y < rows; ++y) {
      for (int64_t x = 0; x < columns; ++x) {
        for (const BoxShape& s : shapes) {
          anchors.push_back({(y + 0.5f) / rows, (x + 0.5f) / columns, s.height, s.width});
        }
      }
    }
  }
  return anchors;
}

Detection DecodeBox(std::span<const float> raw, const Anchor& anchor, const BoxCoder& coder) {
  const int first = coder.x_first ? 1 : 0;
  const float y = raw[first] / coder.y_scale * anchor.height + anchor.y_center;
  const float x = raw[1 - first] / coder.x_scale * anchor.width + anchor.x_center;
  float height = raw[2 + first] / coder.height_scale;
  float width = raw[3 - first] / coder.width_scale;
  if (coder.exponential_size) {
    height = std::exp(height);
    width = std::exp(width);
  }
  height *= anchor.height;
  width *= anchor.width;
  Detection box;
  box.ymin = y - height / 2;
  box.xmin = x - width / 2;
  box.ymax = y + height / 2;
  box.xmax = x + width / 2;
  return box;
}

Result<std::vector<Detection>> DecodeSsd(std::span<const float> boxes,
                                         std::span<const float> scores,
                                         std::span<const Anchor> anchors, const SsdOptions& o) {
  if (o.classes < 1 || boxes.size() != anchors.size() * 4 ||
      scores.size() != anchors.size() * static_cast<size_t>(o.classes)) {
    return InvalidError(fmt::format(
        "SSD head: {} box values and {} scores do not fit {} anchors of 4 and {} values",
        boxes.size(), scores.size(), anchors.size(), o.classes));
  }
  std::vector<Detection> found;
  for (size_t i = 0; i < anchors.size(); ++i) {
    const auto row = scores.subspan(i * o.classes, o.classes);
    Detection box = DecodeBox(boxes.subspan(4 * i, 4), anchors[i], o.coder);
    box.score = -1;
    for (int c = o.background ? 1 : 0; c < o.classes; ++c) {
      const float score = Probability(row[c], o);
      if (!(score >= o.score_threshold)) continue;
      if (!o.best_class_only) {
        box.score = score;
        box.class_id = c;
        found.push_back(box);
      } else if (score > box.score) {
        box.score = score;
        box.class_id = c;
      }
    }
    if (o.best_class_only && box.score >= 0) found.push_back(box);
  }
  return SuppressNonMaxima(std::move(found), o.nms);
}

}  // namespace dlpu
