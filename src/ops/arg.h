// SPDX-License-Identifier: Apache-2.0
// What ARG_MAX and ARG_MIN share. Pure functions; any thread.
#pragma once

#include "ops/movement.h"

namespace dlpu {

// The input's shape without the axis in input 1, as int32 or int64.
Result<std::vector<OutputSpec>> InferArg(const OpContext& context);
Result<PreparedOp> PrepareArg(const PrepareContext& context, bool maximum);
Work ArgWork(const OpContext& context);

}  // namespace dlpu
