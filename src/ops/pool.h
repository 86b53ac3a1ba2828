// SPDX-License-Identifier: Apache-2.0
// What the pooling ops share: shapes, cost and the kernels' specification. Pure functions; any
// thread.
#pragma once

#include <vector>

#include "kernels/pool/pool.h"
#include "ops/common.h"
#include "ops/op.h"

namespace dlpu {

// Input NHWC; output N, out_h, out_w, C of the input's type.
Result<std::vector<OutputSpec>> InferPool(const OpContext& context);
Work PoolWork(const OpContext& context);

// The specification with the bounds of the fused activation. Input and output must be the same
// codes: pooling does not requantize. An error names what does not fit.
Result<PoolSpecInt> MakePoolSpecInt(const OpContext& context);
Result<PoolSpecFloat> MakePoolSpecFloat(const OpContext& context);

}  // namespace dlpu
