// SPDX-License-Identifier: Apache-2.0
// What SELECT and SELECT_V2 share: out = condition ? x : y, on elements of any type. Any thread.
#pragma once

#include "base/result.h"
#include "ops/op.h"

namespace dlpu {

// Checks the types (bool, and one type for both values) and that all three shapes broadcast.
Result<std::vector<OutputSpec>> InferSelect(const OpContext& context);
// The three inputs as shapes that broadcast to `output`.
Result<PreparedOp> PrepareSelect(const PrepareContext& context, const Shape& condition,
                                 const Shape& output);

}  // namespace dlpu
