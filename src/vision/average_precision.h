// SPDX-License-Identifier: Apache-2.0
// Mean average precision as COCO defines it: 101 recall points, ten thresholds of overlap from 0.50
// to 0.95, at most 100 detections of a class in a picture, crowds ignored. The same sums in the
// same order as pycocotools (cocoeval.py, COCOeval with iouType "bbox"). Pure functions; any
// thread.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

namespace dlpu {

// x and y of the upper left corner, in pixels.
struct TruthBox {
  int64_t category = 0;
  double x = 0, y = 0, width = 0, height = 0;
  double area = 0;  // as annotated: of the object, which may be less than the box
  bool crowd = false;
};

struct FoundBox {
  int64_t category = 0;
  double score = 0;
  double x = 0, y = 0, width = 0, height = 0;
};

struct PictureBoxes {
  std::vector<TruthBox> truth;
  std::vector<FoundBox> found;
};

// -1 stands for "no object of that kind".
struct MeanPrecision {
  double map = -1;  // mean over the thresholds
  double ap50 = -1, ap75 = -1;
  double small = -1, medium = -1, large = -1;  // objects below 32^2, 96^2 pixels, above
  std::map<int64_t, double> categories;        // mean over the thresholds, of those with objects
};

// Pictures in a fixed order (by identifier): it decides between equal scores.
MeanPrecision AveragePrecision(const std::vector<PictureBoxes>& pictures);

}  // namespace dlpu
