// SPDX-License-Identifier: Apache-2.0
// Where ONNX's Resize reads, as numbers: for each output element of one axis, which input elements
// with which weights. From the specification of Resize (opset 19) and onnx.reference. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace dlpu {

// How one axis is resampled.
struct ResampleAxis {
  int32_t in = 1, out = 1;
  double scale = 1;  // as stated; out / in when a size was stated
  double roi_begin = 0, roi_end = 1;
};

struct ResampleMode {
  std::string mode = "nearest";                // nearest, linear, cubic
  std::string coordinates = "half_pixel";      // coordinate_transformation_mode
  std::string nearest = "round_prefer_floor";  // nearest_mode
  double cubic_a = -0.75;
  bool exclude_outside = false, antialias = false;
};

// Taps of one output element, sorted by index, one for each index.
struct ResampleTap {
  int32_t index;
  double weight;
};
using ResampleRow = std::vector<ResampleTap>;

// One row for each output element; an empty row lies outside the region (tf_crop_and_resize).
std::vector<ResampleRow> OnnxRows(const ResampleMode& mode, const ResampleAxis& axis);
// What RESIZE_NEAREST_NEIGHBOR or RESIZE_BILINEAR reads.
std::vector<ResampleRow> TfliteRows(bool nearest, bool align_corners, bool half_pixel_centers,
                                    const ResampleAxis& axis);
// Whether both read the same elements with weights that differ by less than 1e-4.
bool SameRows(const std::vector<ResampleRow>& a, const std::vector<ResampleRow>& b);

}  // namespace dlpu
