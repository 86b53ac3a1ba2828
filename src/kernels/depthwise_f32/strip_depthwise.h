// SPDX-License-Identifier: Apache-2.0
// Float depthwise convolution by strips of output pixels. Used by the rows of depthwise_f32 only.
#pragma once

#include <memory>

#include "kernels/depthwise_f32/depthwise_f32.h"
#include "kernels/depthwise_f32/strip.h"

namespace dlpu {

// `name` is what row() answers. `kernel` and `name` outlive the result.
std::unique_ptr<PreparedDepthwiseF32> PrepareStripDepthwiseF32(const DepthwiseF32Kernel& kernel,
                                                               const char* name,
                                                               const DepthwiseF32Spec& spec,
                                                               const float* weights,
                                                               const float* bias);

}  // namespace dlpu
