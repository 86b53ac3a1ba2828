// SPDX-License-Identifier: Apache-2.0
// From a model's outputs to a result for people: the decoder that a head names, with its usual
// settings, and the result brought back to the picture. Values; any thread.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "vision/classify.h"
#include "vision/detection.h"
#include "vision/head.h"
#include "vision/pose.h"
#include "vision/segment.h"

namespace dlpu {

// One output as real numbers (dequantized), with the shape it has after the run.
struct OutputValues {
  std::vector<int> shape;
  std::span<const float> values;
};

struct InterpretOptions {
  int input_width = 0, input_height = 0;  // of the model
  Placement placement;                    // of the picture in the input (ModelInput::placement)
  Labels labels;
  int label_offset = 0;                  // added to classes before they are named
  std::optional<float> score_threshold;  // instead of the decoder's own
  int top = 5;                           // classes to list
};

// What was found, relative to the picture. Only what the head gives is filled.
struct Interpretation {
  HeadKind kind = HeadKind::kUnknown;
  std::vector<Classification> classes;
  std::vector<Detection> detections;
  std::vector<Pose> poses;
  std::optional<ClassMap> map;  // of the picture's size
};

// outputs: all of the model's, in its order. Scores that leave 0..1 are taken for logits
// (softmax for classes, sigmoid for SSD and masks). Errors: an unknown head, outputs that do not
// have the head's shapes, an SSD with other anchors than the 1917 of SSD MobileNet 300x300.
Result<Interpretation> Interpret(const Head& head, std::span<const OutputValues> outputs,
                                 const InterpretOptions& options);

// Draws it on the picture it was made from (3 channels).
void DrawInterpretation(Image& image, const Interpretation& result);

}  // namespace dlpu
