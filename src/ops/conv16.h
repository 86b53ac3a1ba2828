// SPDX-License-Identifier: Apache-2.0
// What the 16x8 forms of convolution-like ops share. Pure functions; any thread.
#pragma once

#include <vector>

#include "kernels/conv16/conv16.h"
#include "ops/conv.h"

namespace dlpu {

// int16 input and output of zero point 0, constant int8 or int4 weights (also int16 with
// `wide_weights`) with scales along `channel_axis`.
Status ExpectQuantized16(const OpContext& context, int channel_axis, bool wide_weights = false);

// The values of an int32 or int64 bias, or zeros when it is left out. `stated` is the attribute
// quantized_bias_type: float32 stands for "not stated". An error if the bias has another type.
Result<std::vector<int64_t>> WideBias(const OpContext& context, size_t index, int32_t channels,
                                      DataType stated);

// Constant int4, int8 or int16 weights minus one zero point.
std::vector<int16_t> WideWeights(const Tensor& weights, int32_t zero);

// A step that runs the convolution from input 0 to output 0.
PreparedOp RunConv16(Conv16Spec spec, std::vector<int16_t> weights, std::vector<int64_t> bias);

}  // namespace dlpu
