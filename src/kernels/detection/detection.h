// SPDX-License-Identifier: Apache-2.0
// Decoding of SSD boxes and non-maximum suppression, as TFLite_Detection_PostProcess does it
// (LiteRT kernels/detection_postprocess.cc). Single-threaded: the order of equal scores is then
// defined (lower class first, then lower anchor). Allocates nothing but the caller's scratch.
#pragma once

#include <cstdint>

namespace dlpu {

struct DetectionBox {
  float ymin, xmin, ymax, xmax;
};

struct DetectionSpec {
  int32_t boxes = 0;        // anchors
  int32_t box_columns = 4;  // values of an encoded box; the first four are y, x, h, w
  int32_t columns = 0;      // scores of each anchor
  int32_t classes = 0;      // the last `classes` of them count; at most one stands before them
  int32_t max_detections = 0, max_classes_per_detection = 1, detections_per_class = 100;
  bool regular = false;  // suppression in each class, not once for all
  float score_threshold = 0, iou_threshold = 0;
  float y_scale = 1, x_scale = 1, h_scale = 1, w_scale = 1;
  // Of uint8 inputs: boxes, scores, anchors.
  float input_scale[3] = {1, 1, 1};
  int32_t input_zero[3] = {0, 0, 0};
};

// Outputs with max_detections * max_classes_per_detection slots. A slot without a detection is
// zero (LiteRT leaves what was there in the fast form).
struct DetectionOutputs {
  DetectionBox* boxes;
  float* classes;
  float* scores;
  float* count;
};

int64_t DetectionScratchBytes(const DetectionSpec& spec);

// Boxes, scores and anchors (boxes x 4) as float32 or as uint8 codes. False if a decoded box has
// its minimum above its maximum.
bool Detect(const DetectionSpec& spec, const float* boxes, const float* scores,
            const float* anchors, const DetectionOutputs& out, uint8_t* scratch);
bool Detect(const DetectionSpec& spec, const uint8_t* boxes, const uint8_t* scores,
            const uint8_t* anchors, const DetectionOutputs& out, uint8_t* scratch);
// The same with uint8 boxes and anchors and float32 scores.
bool Detect(const DetectionSpec& spec, const uint8_t* boxes, const float* scores,
            const uint8_t* anchors, const DetectionOutputs& out, uint8_t* scratch);

}  // namespace dlpu
