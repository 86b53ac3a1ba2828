// SPDX-License-Identifier: Apache-2.0
// Outputs of models that decode their boxes themselves. Pure functions; any thread.
#pragma once

#include <span>
#include <vector>

#include "base/result.h"
#include "vision/detection.h"

namespace dlpu {

struct PostProcessOptions {
  float score_threshold = 0.5f;
  int label_offset = 0;  // added to the class, which does not count the background
};

// LiteRT's TFLite_Detection_PostProcess: boxes [N, 4] (ymin, xmin, ymax, xmax, 0..1), classes [N],
// scores [N], count [1]. Converters differ in the order of classes and scores: if `classes` holds a
// fraction and `scores` none, they are exchanged. A count beyond N or not a number is limited to
// N; rows whose class is not a number are left out. Returns rows in the model's order, which is
// best first. Errors: sizes that do not match.
Result<std::vector<Detection>> DecodePostProcess(std::span<const float> boxes,
                                                 std::span<const float> classes,
                                                 std::span<const float> scores,
                                                 std::span<const float> count,
                                                 const PostProcessOptions& options);

// Detectors that end in their own suppression (YOLOv10, "NMS included" exports): rows [N, 6] of
// xmin, ymin, xmax, ymax, score, class. Coordinates are pixels of an input of
// input_width x input_height, or 0..1 where none is above 2. Same filtering and errors.
Result<std::vector<Detection>> DecodeEndToEnd(std::span<const float> rows, int input_width,
                                              int input_height, const PostProcessOptions& options);

}  // namespace dlpu
