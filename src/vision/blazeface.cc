// SPDX-License-Identifier: Apache-2.0
// Decoding of MediaPipe's face, palm and person detectors.
#include "vision/blazeface.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace dlpu {
namespace {

constexpr float kScoreClip = 100.0f;
constexpr float kMergeIou = 0.3f;

const std::array<BlazeModel, 4>& Models() {
  static const std::array<BlazeModel, 4> models = {{
      {"face", 896, 16, 128, {8, 16, 16, 16}, true, 0.5f},
      {"face", 2304, 16, 192, {4}, false, 0.6f},
      {"palm", 2016, 18, 192, {8, 16, 16, 16}, true, 0.5f},
      {"person", 2254, 12, 224, {8, 16, 32, 32, 32}, true, 0.5f},
  }};
  return models;
}

}  // namespace

const BlazeModel* FindBlazeModel(int anchors, int values) {
  for (const BlazeModel& model : Models()) {
    if (model.anchors == anchors && model.values == values) return &model;
  }
  return nullptr;
}

Result<std::vector<Detection>> DecodeBlaze(std::span<const float> boxes,
                                           std::span<const float> scores, int values,
                                           int input_size) {
  const BlazeModel* model = FindBlazeModel(static_cast<int>(scores.size()), values);
  if (!model || boxes.size() != scores.size() * static_cast<size_t>(values) || input_size < 1) {
    return InvalidError(fmt::format(
        "face detector: {} box values in rows of {}, {} scores and an input of {} pixels "
        "fit none of MediaPipe's detectors",
        boxes.size(), values, scores.size(), input_size));
  }
  // Anchors are relative, so those of the model's own input serve every size.
  AnchorOptions layout;
  layout.input_width = layout.input_height = model->input_size;
  layout.strides = model->strides;
  layout.aspect_ratios = {1.0f};
  layout.interpolated_aspect_ratio = model->interpolated_anchor ? 1.0f : 0.0f;
  layout.unit_size = true;
  DLPU_TRY(const std::vector<Anchor> anchors, MakeAnchors(layout));
  const float size = static_cast<float>(input_size);
  const BoxCoder coder = {size, size, size, size, false, true};
  std::vector<Detection> found;
  for (size_t i = 0; i < anchors.size(); ++i) {
    const float score = Sigmoid(std::clamp(scores[i], -kScoreClip, kScoreClip));
    if (!(score >= model->score_threshold)) continue;
    const auto raw = boxes.subspan(i * values, values);
    Detection d = DecodeBox(raw.first(4), anchors[i], coder);
    d.score = score;
    d.label = model->name;
    for (int k = 4; k + 1 < values; k += 2) {
      d.keypoints.push_back(
          {raw[k] / size + anchors[i].x_center, raw[k + 1] / size + anchors[i].y_center, 1.0f});
    }
    found.push_back(std::move(d));
  }
  NmsOptions nms;
  nms.iou_threshold = kMergeIou;
  return MergeNonMaxima(std::move(found), nms);
}

}  // namespace dlpu
