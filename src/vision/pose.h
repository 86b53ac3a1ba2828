// SPDX-License-Identifier: Apache-2.0
// Heads that find points: heatmaps, heatmaps with offsets, and plain lists. Pure functions; any
// thread. All points are relative to the model's input (0..1).
#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "vision/detection.h"

namespace dlpu {

struct Pose {
  std::vector<Keypoint> keypoints;
  float score = 0;  // mean of the keypoints' scores unless the model gives one
};

// Heatmaps, one per keypoint: [height, width, keypoints], or [keypoints, height, width] if
// `planar`. A keypoint is the largest cell (the first of equal ones), moved a quarter of a cell
// towards the higher neighbour on each axis; relative position: cell / size. Source: HRNet,
// K. Sun et al. 2019, get_final_preds of leoxiaobin/deep-high-resolution-net.pytorch.
Result<Pose> DecodeHeatmaps(std::span<const float> heatmaps, int height, int width, int keypoints,
                            bool planar);

// PoseNet, single pose: heatmaps [height, width, K] of logits, offsets [height, width, 2 K] (all y
// before all x) in pixels of the input. Position: cell * stride + offset, stride being
// (input - 1) / (size - 1). Source: decodeSinglePose of tensorflow/tfjs-models/posenet.
Result<Pose> DecodePosenet(std::span<const float> heatmaps, std::span<const float> offsets,
                           int height, int width, int input_width, int input_height);

// Coral's PoseNet with its decoder inside: poses [N, 17, 2] (y, x; in pixels if one is above 2),
// keypoint scores [N, 17], pose scores [N], count [1]. Poses below the threshold are left out.
Result<std::vector<Pose>> DecodePosenetPoses(std::span<const float> poses,
                                             std::span<const float> keypoint_scores,
                                             std::span<const float> pose_scores,
                                             std::span<const float> count, int input_width,
                                             int input_height, float score_threshold);

// MoveNet, single pose: [17, 3] of y, x (0..1), score.
Result<Pose> DecodeMoveNet(std::span<const float> values);

// MediaPipe's landmark models: rows of x, y, z and, where `values` is 4 or 5, visibility and
// presence as logits. x, y in pixels of the input. The score is the sigmoid of the visibility,
// or 1. Source: tensors_to_landmarks_calculator.cc.
Result<Pose> DecodeLandmarks(std::span<const float> rows, int values, int input_width,
                             int input_height);

// Values per landmark of a list with that many values in all: 63 (hand, 21 points), 195 (body,
// 39), 1404 and 1434 (face, 468 and 478). 0 for others.
int LandmarkValues(int total);

// Pairs of keypoints to connect for a model with that many: 17 (COCO), 21 (hand), 33 and 39
// (MediaPipe body). Empty for others.
std::span<const std::pair<int, int>> SkeletonOf(int keypoints);

// "nose", "left eye"... for the 17 of COCO; "point 3" for others.
std::string KeypointName(int keypoints, int index);

void ToPicture(const Placement& placement, std::vector<Pose>& poses);

}  // namespace dlpu
