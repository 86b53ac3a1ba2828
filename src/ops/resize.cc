// SPDX-License-Identifier: Apache-2.0
// Shapes of resizing ops.
#include "ops/resize.h"

#include <fmt/format.h>

namespace dlpu {

Result<std::vector<OutputSpec>> InferResize(const OpContext& context) {
  const Tensor& input = context.input(0);
  const auto& attrs = context.attrs<ResizeAttrs>();
  if (input.shape.size() != 4) {
    return context.Invalid(fmt::format("input {} must have 4 dimensions", ShapeText(input.shape)));
  }
  if (attrs.align_corners && attrs.half_pixel_centers) {
    return context.Invalid("align_corners and half_pixel_centers exclude each other");
  }
  DLPU_TRY(const std::vector<int64_t> size, context.ConstantInts(1));
  if (size.size() != 2) return context.Invalid("the new size must be [height, width]");
  for (const int64_t extent : size) {
    if (extent < 1 || extent > 1 << 20) {
      return context.Invalid(fmt::format("new extent {} is not between 1 and 2^20", extent));
    }
  }
  if (input.shape[1] < 1 || input.shape[2] < 1) return context.Invalid("the input is empty");
  return std::vector<OutputSpec>{{input.type,
                                  {input.shape[0], static_cast<int32_t>(size[0]),
                                   static_cast<int32_t>(size[1]), input.shape[3]}}};
}

ResizeGeometry ResizeGeometryOf(const OpContext& context) {
  const Shape &in = context.input(0).shape, &out = context.output(0).shape;
  const auto& attrs = context.attrs<ResizeAttrs>();
  return {{in[0], in[1], in[2], out[1], out[2], in[3]},
          {in[1], out[1], attrs.align_corners, attrs.half_pixel_centers},
          {in[2], out[2], attrs.align_corners, attrs.half_pixel_centers}};
}

}  // namespace dlpu
