// SPDX-License-Identifier: Apache-2.0
// What convolutions and poolings of ONNX share: kernel, strides, dilations and padding as numbers,
// and the way between ONNX's NC[H]W and the IR's NHWC. A signal of one spatial axis is a picture
// of height 1.
#pragma once

#include <array>

#include "formats/onnx_builder.h"

namespace dlpu {

// [0] is the height, [1] the width.
struct OnnxWindow {
  std::array<int32_t, 2> kernel{1, 1}, stride{1, 1}, dilation{1, 1};
  std::array<int32_t, 2> before{0, 0}, after{0, 0};  // padding

  int32_t reach(int d) const { return (kernel[d] - 1) * dilation[d] + 1; }
  bool padded() const { return before[0] != 0 || before[1] != 0 || after[0] != 0 || after[1] != 0; }
};

// Whether the node's input has one or two spatial axes; anything else fails the rule.
bool ExpectPicture(OnnxBuilder& b, TensorId x);
// Height and width of an NC[H]W tensor. REQUIRES: ExpectPicture.
std::array<int32_t, 2> PictureSize(const OnnxBuilder& b, TensorId x);

// Reads the attributes; `kernel_shape` when the attribute is left out (a convolution's weights
// know it). Padding is resolved for the size of x; ceil_mode adds to `after`.
OnnxWindow ReadWindow(OnnxBuilder& b, TensorId x, std::vector<int64_t> kernel_shape);
// Whether TensorFlow's SAME padding is exactly this padding for that size.
bool IsSamePadding(const OnnxWindow& window, const std::array<int32_t, 2>& size);

// NC[H]W to NHWC and back to `rank` dimensions.
TensorId ToNhwc(OnnxBuilder& b, TensorId x);
TensorId FromNhwc(OnnxBuilder& b, TensorId y, size_t rank);
// An NHWC tensor with the window's padding around it; `value` fills it.
TensorId PadPicture(OnnxBuilder& b, TensorId x, const OnnxWindow& window, float value);

}  // namespace dlpu
