// SPDX-License-Identifier: Apache-2.0
// What GATHER, GATHER_ND and SCATTER_ND share: index tensors. Pure functions; any thread.
#pragma once

#include "kernels/copy/gather.h"
#include "ops/movement.h"

namespace dlpu {

// int16, int32 or int64; an error for other types.
Result<IndexType> IndexTypeOf(const OpContext& context, const Tensor& indices);

}  // namespace dlpu
