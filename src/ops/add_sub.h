// SPDX-License-Identifier: Apache-2.0
// What ADD and SUB share: one set of formulas with a sign. Any thread.
#pragma once

#include "base/result.h"
#include "ops/op.h"

namespace dlpu {

// Chooses how to compute a + b, or a - b when `subtract`.
Result<PreparedOp> PrepareSum(const PrepareContext& context, bool subtract);

}  // namespace dlpu
