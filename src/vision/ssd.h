// SPDX-License-Identifier: Apache-2.0
// SSD heads without post-processing inside the model: anchors and the box coder. Pure functions;
// any thread. Formulas: W. Liu et al., "SSD: Single Shot MultiBox Detector" (2016), as MediaPipe's
// ssd_anchors_calculator.cc and tensors_to_detections_calculator.cc carry them out.
#pragma once

#include <span>
#include <vector>

#include "base/result.h"
#include "vision/detection.h"
#include "vision/nms.h"

namespace dlpu {

// A prior box; all values relative to the input.
struct Anchor {
  float y_center = 0, x_center = 0, height = 0, width = 0;
};

struct AnchorOptions {
  int input_width = 300, input_height = 300;
  float min_scale = 0.2f, max_scale = 0.95f;
  std::vector<int> strides = {16, 32, 64, 128, 256, 512};
  std::vector<float> aspect_ratios = {1.0f, 2.0f, 0.5f, 3.0f, 0.3333f};
  float interpolated_aspect_ratio = 1.0f;  // one more box between two scales; 0: none
  bool reduce_lowest_layer = true;         // three boxes, of scales 0.1 and min_scale twice
  bool unit_size = false;                  // all sizes 1 (BlazeFace)
};

// Row by row over each layer's cells; neighbouring layers of one stride share their cells. With
// the defaults the 1917 anchors of SSD MobileNet 300x300: layers of 19, 10, 5, 3, 2, 1 cells.
// Errors: no or negative strides, sizes below 1, more than a million anchors.
Result<std::vector<Anchor>> MakeAnchors(const AnchorOptions& options);

// How raw values become a box: centre = raw / scale * anchor size + anchor centre.
struct BoxCoder {
  float y_scale = 10, x_scale = 10, height_scale = 5, width_scale = 5;
  bool exponential_size = true;  // size = e^(raw / scale) * anchor size; else without e^
  bool x_first = false;          // raw is x, y, width, height; else y, x, height, width
};

// raw: 4 values.
Detection DecodeBox(std::span<const float> raw, const Anchor& anchor, const BoxCoder& coder);

struct SsdOptions {
  int classes = 24;        // columns of the scores
  bool background = true;  // column 0 is "nothing"; class ids keep counting it
  bool sigmoid = true;     // scores are logits
  float score_clip = 0;    // logits are limited to +-this before the sigmoid; 0: not
  float score_threshold = 0.5f;
  bool best_class_only = true;  // one class per anchor; else every class above the threshold
  BoxCoder coder;
  NmsOptions nms;
};

// boxes: [anchors, 4], scores: [anchors, classes]. Returns detections after suppression, best
// first, class ids being columns. The defaults are those of MediaPipe's
// object_detection_oid_v4_cpu.pbtxt, but suppression is per class. Errors: sizes that do not
// match.
Result<std::vector<Detection>> DecodeSsd(std::span<const float> boxes,
                                         std::span<const float> scores,
                                         std::span<const Anchor> anchors,
                                         const SsdOptions& options);

}  // namespace dlpu
