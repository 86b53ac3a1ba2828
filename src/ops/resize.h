// SPDX-License-Identifier: Apache-2.0
// What the resizing ops share. Pure functions; any thread.
#pragma once

#include <vector>

#include "kernels/resize/resize.h"
#include "ops/common.h"
#include "ops/op.h"

namespace dlpu {

// Input 0 is NHWC, input 1 a constant [height, width]; output N, height, width, C.
Result<std::vector<OutputSpec>> InferResize(const OpContext& context);

// Shape and coordinates of both axes. REQUIRES: InferResize succeeded.
struct ResizeGeometry {
  ResizeShape shape;
  ResizeAxis y, x;
};
ResizeGeometry ResizeGeometryOf(const OpContext& context);

}  // namespace dlpu
