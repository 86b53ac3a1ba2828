// SPDX-License-Identifier: Apache-2.0
// The rules that tell heads apart, from the most to the least particular.
#include "vision/head.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>

#include "vision/blazeface.h"
#include "vision/pose.h"

namespace dlpu {
namespace {

using Outputs = std::span<const OutputInfo>;

constexpr int kCocoKeypoints = 17;
constexpr int kSmallestMap = 32;  // pixels of a segmentation's side
constexpr int kFewestAnchors = 100;

bool Contains(const std::string& text, std::string_view part) {
  const auto same = [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) ==
           std::tolower(static_cast<unsigned char>(b));
  };
  return std::search(text.begin(), text.end(), part.begin(), part.end(), same) != text.end();
}

bool IsShape(const OutputInfo& o, std::initializer_list<int> shape) {
  return std::equal(o.shape.begin(), o.shape.end(), shape.begin(), shape.end());
}

int64_t CountValues(const OutputInfo& o) {
  int64_t count = 1;
  for (const int d : o.shape) count *= std::clamp(d, 0, 1 << 20);
  return count;
}

// [1, a, b] with any number of further ones in front.
bool IsTable(const OutputInfo& o, int& a, int& b) {
  if (o.shape.size() < 3) return false;
  for (size_t i = 0; i + 2 < o.shape.size(); ++i) {
    if (o.shape[i] != 1) return false;
  }
  a = o.shape[o.shape.size() - 2];
  b = o.shape[o.shape.size() - 1];
  return true;
}

// The four outputs of TFLite_Detection_PostProcess: by shape, or, where the file gives none, by
// name. Boxes and the count are told by their shape, classes and scores by name or order.
Head RecognisePostProcess(Outputs outputs) {
  if (outputs.size() < 4) return {};
  const bool named = std::all_of(outputs.begin(), outputs.begin() + 4, [](const OutputInfo& o) {
    return Contains(o.name, "Detection_PostProcess");
  });
  if (named) return {HeadKind::kDetectionPostProcess, {0, 1, 2, 3}};
  if (outputs.size() != 4) return {};
  int boxes = -1, count = -1;
  std::vector<int> rows;
  for (int i = 0; i < 4; ++i) {
    int a = 0, b = 0;
    if (IsTable(outputs[i], a, b) && b == 4) {
      boxes = i;
    } else if (CountValues(outputs[i]) == 1 && outputs[i].shape.size() <= 1) {
      count = i;
    } else if (outputs[i].shape.size() == 2 && outputs[i].shape[0] == 1) {
      rows.push_back(i);
    }
  }
  if (boxes < 0 || count < 0 || rows.size() != 2) return {};
  const int n = outputs[boxes].shape[outputs[boxes].shape.size() - 2];
  if (outputs[rows[0]].shape[1] != n || outputs[rows[1]].shape[1] != n) return {};
  // Classes come first in LiteRT's op; a name may say otherwise.
  if (Contains(outputs[rows[0]].name, "score") || Contains(outputs[rows[1]].name, "class")) {
    std::swap(rows[0], rows[1]);
  }
  return {HeadKind::kDetectionPostProcess, {boxes, rows[0], rows[1], count}};
}

// Two tables with one row per anchor: boxes and scores.
Head RecogniseAnchors(Outputs outputs) {
  if (outputs.size() != 2) return {};
  for (const int boxes : {0, 1}) {
    const int scores = 1 - boxes;
    int n = 0, values = 0, m = 0, classes = 0;
    if (!IsTable(outputs[boxes], n, values) || !IsTable(outputs[scores], m, classes) || n != m ||
        n < kFewestAnchors) {
      continue;
    }
    if (classes == 1 && FindBlazeModel(n, values)) return {HeadKind::kBlaze, {boxes, scores}};
    if (values == 4 && classes >= 2 && classes != 4) return {HeadKind::kSsd, {boxes, scores}};
  }
  return {};
}

Head RecognisePose(Outputs outputs) {
  if (outputs.size() >= 4 && std::all_of(outputs.begin(), outputs.begin() + 4, [](const auto& o) {
        return o.name == "poses" || o.name.starts_with("poses:");
      })) {
    return {HeadKind::kPosenetPoses, {0, 1, 2, 3}};
  }
  if (outputs.size() == 1 && IsShape(outputs[0], {1, 1, kCocoKeypoints, 3})) {
    return {HeadKind::kMoveNet, {0}};
  }
  // Heatmaps with offsets beside them: PoseNet; one output alone: HRNet and its kin.
  for (int i = 0; i < static_cast<int>(outputs.size()); ++i) {
    const std::vector<int>& s = outputs[i].shape;
    if (s.size() != 4 || s[0] != 1) continue;
    if (outputs.size() == 1 && s[1] == kCocoKeypoints && s[2] > 8 && s[3] > 8) {
      return {HeadKind::kHeatmaps, {0}, true};
    }
    if (s[3] != kCocoKeypoints || s[1] < 5 || s[2] < 5) continue;
    if (outputs.size() == 1) return {HeadKind::kHeatmaps, {0}};
    for (int j = 0; j < static_cast<int>(outputs.size()); ++j) {
      if (IsShape(outputs[j], {1, s[1], s[2], 2 * kCocoKeypoints})) {
        return {HeadKind::kPosenet, {i, j}};
      }
    }
  }
  return {};
}

// MediaPipe's landmark models: the list comes first; a flag or more outputs follow.
Head RecogniseLandmarks(Outputs outputs) {
  if (outputs.size() < 2) return {};
  const int64_t count = CountValues(outputs[0]);
  const std::vector<int>& s = outputs[0].shape;
  if (s.empty() || s.back() != count || LandmarkValues(s.back()) == 0) return {};
  return {HeadKind::kLandmarks, {0}};
}

Head RecogniseSegmentation(const OutputInfo& o) {
  const std::vector<int>& s = o.shape;
  if (s.size() < 3 || s[0] != 1) return {};
  const auto is_map = [](int height, int width) {
    return height >= kSmallestMap && width >= kSmallestMap;
  };
  if (o.type == OutputType::kInteger) {
    const bool flat = s.size() == 3 || (s.size() == 4 && s[3] == 1);
    return flat && is_map(s[1], s[2]) ? Head{HeadKind::kSegmentIds, {0}} : Head{};
  }
  if (s.size() != 4) return {};
  // Three channels may as well be a picture, and hundreds are features.
  const auto are_classes = [](int channels) {
    return channels >= 1 && channels != 3 && channels <= 256;
  };
  const bool last = is_map(s[1], s[2]) && are_classes(s[3]) && s[3] < std::min(s[1], s[2]);
  const bool first = is_map(s[2], s[3]) && are_classes(s[1]) && s[1] < std::min(s[2], s[3]);
  if (last == first) return {};
  return {HeadKind::kSegment, {0}, first};
}

Head RecogniseSingle(const OutputInfo& o, int input_width, int input_height) {
  int a = 0, b = 0;
  if (o.shape.size() == 3 && IsTable(o, a, b)) {
    if (b == 6 && (a == 100 || a == 300)) return {HeadKind::kEndToEnd, {0}};
    if (const auto yolo = RecogniseYolo(o.shape, input_width, input_height)) {
      return {HeadKind::kYolo, {0}, false, yolo};
    }
  }
  const Head segment = RecogniseSegmentation(o);
  if (segment.kind != HeadKind::kUnknown) return segment;
  // All in one axis: classes, unless the name speaks of features.
  const int64_t count = CountValues(o);
  const bool flat = std::any_of(o.shape.begin(), o.shape.end(), [&](int d) { return d == count; });
  const bool features =
      Contains(o.name, "embedding") || Contains(o.name, "feature") || Contains(o.name, "AvgPool");
  if (flat && count >= 2 && o.shape[0] == 1 && o.shape.size() >= 2 && !features &&
      o.type != OutputType::kInteger) {
    return {HeadKind::kClassify, {0}};
  }
  return {};
}

}  // namespace

const char* HeadName(HeadKind kind) {
  switch (kind) {
    case HeadKind::kUnknown:
      return "unknown";
    case HeadKind::kClassify:
      return "classification";
    case HeadKind::kSsd:
      return "SSD detection";
    case HeadKind::kDetectionPostProcess:
      return "detection with post-processing";
    case HeadKind::kEndToEnd:
      return "end-to-end detection";
    case HeadKind::kYolo:
      return "YOLO detection";
    case HeadKind::kBlaze:
      return "MediaPipe detection";
    case HeadKind::kHeatmaps:
      return "pose (heatmaps)";
    case HeadKind::kPosenet:
      return "pose (PoseNet)";
    case HeadKind::kPosenetPoses:
      return "poses (PoseNet decoder)";
    case HeadKind::kMoveNet:
      return "pose (MoveNet)";
    case HeadKind::kLandmarks:
      return "landmarks";
    case HeadKind::kSegment:
      return "segmentation";
    case HeadKind::kSegmentIds:
      return "segmentation (class ids)";
  }
  return "unknown";
}

Head RecogniseHead(std::span<const OutputInfo> outputs, int input_width, int input_height) {
  for (const Head& head : {RecognisePostProcess(outputs), RecogniseAnchors(outputs),
                           RecognisePose(outputs), RecogniseLandmarks(outputs)}) {
    if (head.kind != HeadKind::kUnknown) return head;
  }
  if (outputs.size() == 1) return RecogniseSingle(outputs[0], input_width, input_height);
  return {};
}

}  // namespace dlpu
