// SPDX-License-Identifier: Apache-2.0
// What TRANSPOSE_CONV and MediaPipe's Convolution2DTransposeBias share. Pure functions; any thread.
#pragma once

#include <memory>

#include "kernels/transpose_conv/phases.h"
#include "kernels/transpose_conv/transpose_conv.h"
#include "ops/conv.h"

namespace dlpu {

// Which inputs of the op are what.
struct TransposedInputs {
  size_t data, weights, bias;
};

// input NHWC, weights OHWI of the same channels, strides in range.
Status ExpectTransposed(const OpContext& context, const TransposedInputs& inputs);

// The kernel's specification for the output's shape. REQUIRES: ExpectTransposed succeeded and the
// output has its shape.
TransposeConvSpec TransposedSpec(const OpContext& context, const TransposedInputs& inputs,
                                 int32_t pad_top, int32_t pad_left);

// Each input is multiplied with every weight of its channel.
Work TransposedWork(const OpContext& context, const TransposedInputs& inputs);

// The step that runs `phased`.
PreparedOp RunPhased(const PrepareContext& context, const TransposedInputs& inputs,
                     std::shared_ptr<const PhasedTransposeConv> phased);

// float32 form; the bias is optional.
Result<PreparedOp> PrepareTransposedFloat(const PrepareContext& context,
                                          const TransposedInputs& inputs,
                                          const TransposeConvSpec& spec,
                                          const TransposeConvFloatOutput& out);

}  // namespace dlpu
