// SPDX-License-Identifier: Apache-2.0
// Segmentation heads: a class for every pixel. Pure functions; any thread.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "vision/resize.h"

namespace dlpu {

// One class per pixel, in rows from the top.
struct ClassMap {
  int width = 0, height = 0;
  std::vector<uint16_t> classes;
  bool operator==(const ClassMap&) const = default;
};

// scores: [height, width, classes], or [classes, height, width] if `planar`. The largest score
// wins, the first of equal ones; at most 65535 classes.
Result<ClassMap> ClassMapFromScores(std::span<const float> scores, int height, int width,
                                    int classes, bool planar);

// ids: [height, width], what a model with its own ARG_MAX gives. Whole numbers 0..65535.
Result<ClassMap> ClassMapFromIds(std::span<const float> ids, int height, int width);

// mask: [height, width]. Class 1 where the value is above the threshold, else 0.
Result<ClassMap> ClassMapFromMask(std::span<const float> mask, int height, int width,
                                  float threshold = 0.5f);

// The map of the model's input brought to the picture's size, nearest pixel. Parts of the picture
// that the model did not see (FitMode::kCrop) get class 0.
// REQUIRES: a placement and a map with sizes of at least 1.
ClassMap ToPicture(const Placement& placement, const ClassMap& map);

struct ClassShare {
  int class_id = 0;
  int64_t pixels = 0;
  bool operator==(const ClassShare&) const = default;
};

// Pixels per class, the largest first, then by class; classes without pixels are left out.
std::vector<ClassShare> CountClasses(const ClassMap& map);

}  // namespace dlpu
