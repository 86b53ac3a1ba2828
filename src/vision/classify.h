// SPDX-License-Identifier: Apache-2.0
// From a classifier's scores to the best classes. Pure functions; any thread.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "vision/labels.h"

namespace dlpu {

struct Classification {
  int class_id = 0;  // index into the output plus ClassifyOptions::label_offset
  float score = 0;
  std::string label = {};
};

struct ClassifyOptions {
  int top = 5;
  bool softmax = false;  // the output holds logits
  // Added to the index: -1 for a 1001-class output (background first) with 1000 labels, 1 for the
  // reverse. Classes that become negative are left out.
  int label_offset = 0;
};

// e^x / sum of e^x, in double with the largest subtracted first. Values that are not a number
// count as minus infinity.
std::vector<float> Softmax(std::span<const float> logits);

// scores: [classes]. The best `top`, best first; equal scores in the order of their classes;
// values that are not a number are left out.
std::vector<Classification> TopClasses(std::span<const float> scores,
                                       const ClassifyOptions& options, const Labels& labels = {});

}  // namespace dlpu
