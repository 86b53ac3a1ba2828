// SPDX-License-Identifier: Apache-2.0
// MediaPipe's anchor-based detectors of one class with keypoints: faces, palms, persons. Pure
// functions; any thread. Options: MediaPipe's face_detection_short_range.pbtxt,
// face_detection_full_range.pbtxt, palm_detection_cpu.pbtxt and pose_detection_cpu.pbtxt.
#pragma once

#include <span>
#include <vector>

#include "base/result.h"
#include "vision/detection.h"
#include "vision/ssd.h"

namespace dlpu {

// One of MediaPipe's detectors, known by the shape of its box output [1, anchors, values].
struct BlazeModel {
  const char* name;     // "face" (short and full range), "palm", "person"
  int anchors, values;  // values: 4 of the box, 2 per keypoint
  int input_size;       // of MediaPipe's own model
  std::vector<int> strides;
  bool interpolated_anchor;  // a second anchor per cell and layer
  float score_threshold;
};

// The model with that many anchors and values; nullptr if none is known.
const BlazeModel* FindBlazeModel(int anchors, int values);

// boxes: [anchors, values] with x, y, width, height and x, y per keypoint in pixels of an input of
// input_size x input_size, relative to the anchors; scores: [anchors], logits. The 896-anchor face
// model exists for 128 and 256 pixels: hence `input_size`. Returns detections of class 0 labelled
// with the model's name, merged as MediaPipe does (overlap above 0.3), best first. Errors: sizes
// that fit no known model.
Result<std::vector<Detection>> DecodeBlaze(std::span<const float> boxes,
                                           std::span<const float> scores, int values,
                                           int input_size);

}  // namespace dlpu
