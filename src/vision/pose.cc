// SPDX-License-Identifier: Apache-2.0
// Decoding of keypoint heads.
#include "vision/pose.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace dlpu {
namespace {

constexpr int kCocoKeypoints = 17;

float MeanScore(const std::vector<Keypoint>& keypoints) {
  float sum = 0;
  for (const Keypoint& k : keypoints) sum += k.score;
  return keypoints.empty() ? 0 : sum / static_cast<float>(keypoints.size());
}

// A stack of score maps, read by keypoint and cell.
struct Maps {
  std::span<const float> values;
  int height, width, count;
  bool planar;

  float At(int keypoint, int y, int x) const {
    const size_t cell = static_cast<size_t>(y) * width + x;
    return planar ? values[static_cast<size_t>(keypoint) * height * width + cell]
                  : values[cell * count + keypoint];
  }
};

struct Peak {
  int x = 0, y = 0;
  float value = 0;
};

// The largest cell, the first of equal ones; NaNs lose against everything.
Peak FindPeak(const Maps& maps, int keypoint) {
  Peak peak{0, 0, maps.At(keypoint, 0, 0)};
  for (int y = 0; y < maps.height; ++y) {
    for (int x = 0; x < maps.width; ++x) {
      const float v = maps.At(keypoint, y, x);
      if (v > peak.value || (std::isnan(peak.value) && !std::isnan(v))) peak = {x, y, v};
    }
  }
  return peak;
}

// A quarter of a cell towards the higher of the two neighbours; none at the border.
float QuarterStep(float below, float above) {
  return above > below ? 0.25f : above < below ? -0.25f : 0.0f;
}

bool SizesFit(size_t values, int64_t height, int64_t width, int64_t depth) {
  constexpr int64_t kMost = 1 << 16;
  return height >= 1 && width >= 1 && depth >= 1 && height <= kMost && width <= kMost &&
         depth <= kMost && values / (height * width) == static_cast<size_t>(depth) &&
         values % (height * width) == 0;
}

constexpr std::pair<int, int> kCocoSkeleton[] = {
    {0, 1},  {0, 2},  {1, 3},  {2, 4},   {5, 6},   {5, 7},   {7, 9},   {6, 8},
    {8, 10}, {5, 11}, {6, 12}, {11, 12}, {11, 13}, {13, 15}, {12, 14}, {14, 16}};
constexpr std::pair<int, int> kHandSkeleton[] = {
    {0, 1},   {1, 2},   {2, 3},   {3, 4},   {0, 5},   {5, 6},   {6, 7},
    {7, 8},   {5, 9},   {9, 10},  {10, 11}, {11, 12}, {9, 13},  {13, 14},
    {14, 15}, {15, 16}, {13, 17}, {0, 17},  {17, 18}, {18, 19}, {19, 20}};
constexpr std::pair<int, int> kBodySkeleton[] = {
    {0, 2},   {2, 7},   {0, 5},   {5, 8},   {9, 10},  {11, 12}, {11, 13},
    {13, 15}, {12, 14}, {14, 16}, {11, 23}, {12, 24}, {23, 24}, {23, 25},
    {25, 27}, {27, 29}, {29, 31}, {24, 26}, {26, 28}, {28, 30}, {30, 32}};

}  // namespace

Result<Pose> DecodeHeatmaps(std::span<const float> heatmaps, int height, int width, int keypoints,
                            bool planar) {
  if (!SizesFit(heatmaps.size(), height, width, keypoints)) {
    return InvalidError(fmt::format("pose head: {} values are not {} heatmaps of {}x{}",
                                    heatmaps.size(), keypoints, width, height));
  }
  const Maps maps{heatmaps, height, width, keypoints, planar};
  Pose pose;
  for (int k = 0; k < keypoints; ++k) {
    const Peak peak = FindPeak(maps, k);
    float x = static_cast<float>(peak.x), y = static_cast<float>(peak.y);
    if (peak.x > 0 && peak.x < width - 1) {
      x += QuarterStep(maps.At(k, peak.y, peak.x - 1), maps.At(k, peak.y, peak.x + 1));
    }
    if (peak.y > 0 && peak.y < height - 1) {
      y += QuarterStep(maps.At(k, peak.y - 1, peak.x), maps.At(k, peak.y + 1, peak.x));
    }
    pose.keypoints.push_back({x / width, y / height, peak.value});
  }
  pose.score = MeanScore(pose.keypoints);
  return pose;
}

Result<Pose> DecodePosenet(std::span<const float> heatmaps, std::span<const float> offsets,
                           int height, int width, int input_width, int input_height) {
  const int64_t cells = int64_t{height} * width;
  const int count = cells > 0 ? static_cast<int>(heatmaps.size() / cells) : 0;
  if (!SizesFit(heatmaps.size(), height, width, count) || offsets.size() != 2 * heatmaps.size() ||
      height < 2 || width < 2 || input_width < 2 || input_height < 2) {
    return InvalidError(fmt::format(
        "PoseNet head: {} scores and {} offsets do not fit {}x{} cells of an input of {}x{}",
        heatmaps.size(), offsets.size(), width, height, input_width, input_height));
  }
  const Maps scores{heatmaps, height, width, count, false};
  const Maps shifts{offsets, height, width, 2 * count, false};
  const float stride_y = (input_height - 1.0f) / (height - 1.0f);
  const float stride_x = (input_width - 1.0f) / (width - 1.0f);
  Pose pose;
  for (int k = 0; k < count; ++k) {
    const Peak peak = FindPeak(scores, k);
    const float y = peak.y * stride_y + shifts.At(k, peak.y, peak.x);
    const float x = peak.x * stride_x + shifts.At(k + count, peak.y, peak.x);
    pose.keypoints.push_back({x / input_width, y / input_height, Sigmoid(peak.value)});
  }
  pose.score = MeanScore(pose.keypoints);
  return pose;
}

Result<std::vector<Pose>> DecodePosenetPoses(std::span<const float> poses,
                                             std::span<const float> keypoint_scores,
                                             std::span<const float> pose_scores,
                                             std::span<const float> count, int input_width,
                                             int input_height, float score_threshold) {
  const size_t rows = pose_scores.size();
  if (keypoint_scores.size() != rows * kCocoKeypoints ||
      poses.size() != 2 * keypoint_scores.size() || count.size() != 1 || input_width < 1 ||
      input_height < 1) {
    return InvalidError(fmt::format(
        "PoseNet decoder output: {} coordinates, {} keypoint scores, {} pose scores and {} counts "
        "do not belong together",
        poses.size(), keypoint_scores.size(), rows, count.size()));
  }
  size_t shown = rows;
  if (count[0] < static_cast<float>(rows)) shown = static_cast<size_t>(std::max(count[0], 0.0f));
  const bool pixels = std::any_of(poses.begin(), poses.end(), [](float v) { return v > 2; });
  const float width = pixels ? static_cast<float>(input_width) : 1.0f;
  const float height = pixels ? static_cast<float>(input_height) : 1.0f;
  std::vector<Pose> found;
  for (size_t i = 0; i < shown; ++i) {
    if (!(pose_scores[i] >= score_threshold)) continue;
    Pose pose;
    pose.score = pose_scores[i];
    for (size_t k = i * kCocoKeypoints; k < (i + 1) * kCocoKeypoints; ++k) {
      pose.keypoints.push_back(
          {poses[2 * k + 1] / width, poses[2 * k] / height, keypoint_scores[k]});
    }
    found.push_back(std::move(pose));
  }
  return found;
}

Result<Pose> DecodeMoveNet(std::span<const float> values) {
  if (values.empty() || values.size() % 3 != 0) {
    return InvalidError(
        fmt::format("MoveNet head: {} values are not rows of y, x, score", values.size()));
  }
  Pose pose;
  for (size_t i = 0; i < values.size(); i += 3) {
    pose.keypoints.push_back({values[i + 1], values[i], values[i + 2]});
  }
  pose.score = MeanScore(pose.keypoints);
  return pose;
}

Result<Pose> DecodeLandmarks(std::span<const float> rows, int values, int input_width,
                             int input_height) {
  if (values < 2 || rows.empty() || rows.size() % values != 0 || input_width < 1 ||
      input_height < 1) {
    return InvalidError(fmt::format("landmarks: {} values are not rows of {} for an input of {}x{}",
                                    rows.size(), values, input_width, input_height));
  }
  Pose pose;
  for (size_t i = 0; i < rows.size(); i += values) {
    const float score = values > 3 ? Sigmoid(rows[i + 3]) : 1.0f;
    pose.keypoints.push_back({rows[i] / input_width, rows[i + 1] / input_height, score});
  }
  pose.score = MeanScore(pose.keypoints);
  return pose;
}

int LandmarkValues(int total) {
  switch (total) {
    case 21 * 3:
    case 468 * 3:
    case 478 * 3:
      return 3;
    case 39 * 5:
      return 5;
    default:
      return 0;
  }
}

std::span<const std::pair<int, int>> SkeletonOf(int keypoints) {
  switch (keypoints) {
    case kCocoKeypoints:
      return kCocoSkeleton;
    case 21:
      return kHandSkeleton;
    case 33:
    case 39:
      return kBodySkeleton;
    default:
      return {};
  }
}

std::string KeypointName(int keypoints, int index) {
  static constexpr std::array<const char*, kCocoKeypoints> kNames = {
      "nose",           "left eye",   "right eye",   "left ear",   "right ear",   "left shoulder",
      "right shoulder", "left elbow", "right elbow", "left wrist", "right wrist", "left hip",
      "right hip",      "left knee",  "right knee",  "left ankle", "right ankle"};
  if (keypoints == kCocoKeypoints && index >= 0 && index < kCocoKeypoints) return kNames[index];
  return fmt::format("point {}", index);
}

void ToPicture(const Placement& placement, std::vector<Pose>& poses) {
  for (Pose& pose : poses) {
    for (Keypoint& k : pose.keypoints) ToPicture(placement, k);
  }
}

}  // namespace dlpu
