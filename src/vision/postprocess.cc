// SPDX-License-Identifier: Apache-2.0
// Decoding of boxes that a model has already decoded.
#include "vision/postprocess.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace dlpu {
namespace {

constexpr float kMaxClass = 1e6f;

bool HasFraction(std::span<const float> values) {
  return std::any_of(values.begin(), values.end(),
                     [](float v) { return std::isfinite(v) && v != std::floor(v); });
}

// False for a row that is not to be shown.
bool SetClass(float class_value, float score, const PostProcessOptions& o, Detection& d) {
  if (!(score >= o.score_threshold) || !(std::abs(class_value) <= kMaxClass)) return false;
  d.score = score;
  d.class_id = static_cast<int>(std::lround(class_value)) + o.label_offset;
  return true;
}

}  // namespace

Result<std::vector<Detection>> DecodePostProcess(std::span<const float> boxes,
                                                 std::span<const float> classes,
                                                 std::span<const float> scores,
                                                 std::span<const float> count,
                                                 const PostProcessOptions& o) {
  const size_t rows = scores.size();
  if (boxes.size() != 4 * rows || classes.size() != rows || count.size() != 1) {
    return InvalidError(
        fmt::format("detection output: {} box values, {} classes, {} scores and {} counts do not "
                    "belong together",
                    boxes.size(), classes.size(), rows, count.size()));
  }
  size_t shown = rows;
  if (count[0] < static_cast<float>(rows)) shown = static_cast<size_t>(std::max(count[0], 0.0f));
  classes = classes.first(shown);
  scores = scores.first(shown);
  if (HasFraction(classes) && !HasFraction(scores)) std::swap(classes, scores);
  std::vector<Detection> found;
  for (size_t i = 0; i < shown; ++i) {
    Detection d;
    if (!SetClass(classes[i], scores[i], o, d)) continue;
    d.ymin = boxes[4 * i];
    d.xmin = boxes[4 * i + 1];
    d.ymax = boxes[4 * i + 2];
    d.xmax = boxes[4 * i + 3];
    found.push_back(std::move(d));
  }
  return found;
}

Result<std::vector<Detection>> DecodeEndToEnd(std::span<const float> rows, int input_width,
                                              int input_height, const PostProcessOptions& o) {
  if (rows.size() % 6 != 0 || input_width < 1 || input_height < 1) {
    return InvalidError(
        fmt::format("detection output: {} values are not rows of 6 for an input of {}x{}",
                    rows.size(), input_width, input_height));
  }
  bool pixels = false;
  for (size_t i = 0; i < rows.size(); i += 6) pixels = pixels || rows[i + 2] > 2 || rows[i + 3] > 2;
  const float width = pixels ? static_cast<float>(input_width) : 1.0f;
  const float height = pixels ? static_cast<float>(input_height) : 1.0f;
  std::vector<Detection> found;
  for (size_t i = 0; i < rows.size(); i += 6) {
    Detection d;
    if (!SetClass(rows[i + 5], rows[i + 4], o, d)) continue;
    d.xmin = rows[i] / width;
    d.ymin = rows[i + 1] / height;
    d.xmax = rows[i + 2] / width;
    d.ymax = rows[i + 3] / height;
    found.push_back(std::move(d));
  }
  return found;
}

}  // namespace dlpu
