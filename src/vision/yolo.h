// SPDX-License-Identifier: Apache-2.0
// YOLO heads with all boxes in one tensor. Pure functions; any thread. Layouts: the exports of
// ultralytics/yolov5, ultralytics/ultralytics (v8, v9, 11) and Megvii-BaseDetection/YOLOX.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "base/result.h"
#include "vision/detection.h"
#include "vision/nms.h"

namespace dlpu {

enum class YoloFormat {
  kV5,     // x, y, width, height (centre, decoded), objectness, classes: all after the sigmoid
  kV8,     // x, y, width, height (centre, decoded), classes after the sigmoid
  kYolox,  // as kV5, but x, y, width, height still relative to the cell of a stride 8, 16, 32 grid
};

// What one row says and how rows lie in memory.
struct YoloLayout {
  YoloFormat format = YoloFormat::kV5;
  int boxes = 0;              // 25200 (v5) or 8400 (v8, YOLOX) at 640x640
  int values = 0;             // per box
  bool values_first = false;  // [1, values, boxes] instead of [1, boxes, values]
  int keypoints = 0;          // 3 values each (x, y, score) at the end of a row
  bool operator==(const YoloLayout&) const = default;

  int classes() const { return values - (format == YoloFormat::kV8 ? 4 : 5) - 3 * keypoints; }
};

// The layout of a [1, a, b] output for an input of that size (0: unknown, then only sizes that no
// other head has are taken). Nothing when unsure. 56 values first are 17 keypoints.
std::optional<YoloLayout> RecogniseYolo(std::span<const int> shape, int input_width,
                                        int input_height);

struct YoloOptions {
  int input_width = 640, input_height = 640;
  float score_threshold = 0.25f;  // on objectness * class
  NmsOptions nms = {0.45f, 300, true};
};

// values: boxes * values floats in the layout's order. Coordinates may be pixels of the input or
// 0..1: they are pixels if a box that passes the threshold is wider or higher than 2. Best first.
// Errors: sizes that do not match, a grid that does not fit the input.
Result<std::vector<Detection>> DecodeYolo(std::span<const float> values, const YoloLayout& layout,
                                          const YoloOptions& options);

}  // namespace dlpu
