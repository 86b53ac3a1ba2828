// SPDX-License-Identifier: Apache-2.0
// RELU, RELU6, RELU_N1_TO_1 and RELU_0_TO_1: a clamp to fixed real bounds. Any thread.
#pragma once

#include "base/result.h"
#include "ops/op.h"

namespace dlpu {

// Clamps to [low, high]; high may be infinity. Quantized tensors are rescaled to the output's scale
// as well. `takes_int16`: whether the op has a 16-bit form.
Result<PreparedOp> PrepareRelu(const PrepareContext& context, float low, float high,
                               bool takes_int16);
Work ReluWork(const OpContext& context);

}  // namespace dlpu
