// SPDX-License-Identifier: Apache-2.0
// What TILE and BROADCAST_TO share: an output that holds its input several times along each axis.
// Pure functions; any thread.
#pragma once

#include "ops/movement.h"

namespace dlpu {

// The input, with extents of 1 put in front to fill the rank, repeats[d] times along axis d.
Result<PreparedOp> PrepareRepeat(const PrepareContext& context,
                                 const std::vector<int64_t>& repeats);

}  // namespace dlpu
