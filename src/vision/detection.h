// SPDX-License-Identifier: Apache-2.0
// What every detection decoder returns. Plain values: whoever holds one owns it; any thread.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "vision/resize.h"

namespace dlpu {

// A point found by a model, relative to the width and height (0..1; may lie outside).
struct Keypoint {
  float x = 0, y = 0;
  float score = 0;  // 0..1; 1 where the model gives none
};

// A found object. Edges are relative to the width and height of the model's input (or of the
// picture, after ToPicture); they may lie outside 0..1.
struct Detection {
  float ymin = 0, xmin = 0, ymax = 0, xmax = 0;
  float score = 0;
  int class_id = 0;
  std::string label = {};                // empty until labels are applied
  std::vector<Keypoint> keypoints = {};  // of models that find some with the box
};

// 1 / (1 + e^-x).
inline float Sigmoid(float x) { return 1.0f / (1.0f + std::exp(-x)); }

// Carries a result from the model's input to the picture it was made from.
void ToPicture(const Placement& placement, Keypoint& point);
void ToPicture(const Placement& placement, std::vector<Detection>& detections);

// Moves the edges into 0..1. Keypoints stay.
void ClipToPicture(std::vector<Detection>& detections);

}  // namespace dlpu
