// SPDX-License-Identifier: Apache-2.0
// Non-maximum suppression: of boxes that lie over each other the best stays. Pure functions; any
// thread. Deterministic: equal scores keep the order of the input.
#pragma once

#include <vector>

#include "vision/detection.h"

namespace dlpu {

// Area of the intersection over area of the union; 0 for boxes without area. Boxes with an edge
// that is not a number count as apart.
float IntersectionOverUnion(const Detection& a, const Detection& b);

struct NmsOptions {
  float iou_threshold = 0.5f;  // a box that overlaps a better one by more is dropped
  int max_detections = 100;
  bool per_class = true;  // only boxes of one class suppress each other
};

// Greedy suppression. Returns what stays, best first. Detections with a score or an edge that is
// not a number, or with xmax < xmin or ymax < ymin, are dropped.
std::vector<Detection> SuppressNonMaxima(std::vector<Detection> detections,
                                         const NmsOptions& options);

// MediaPipe's WEIGHTED variant (non_max_suppression_calculator.cc): boxes that overlap the best
// one by more than the threshold are averaged into it, weighted by score, keypoints too; it keeps
// its own score. Classes are not told apart.
std::vector<Detection> MergeNonMaxima(std::vector<Detection> detections, const NmsOptions& options);

}  // namespace dlpu
