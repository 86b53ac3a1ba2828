// SPDX-License-Identifier: Apache-2.0
// What SPACE_TO_DEPTH and DEPTH_TO_SPACE share. Pure functions; any thread.
#pragma once

#include "ops/movement.h"

namespace dlpu {

// Batch, the smaller picture's height and width, the smaller depth, and the block.
struct BlockGeometry {
  int64_t n, h, w, c, block;
};
// An error unless input 0 is NHWC of a type the ops take and the block divides it.
Result<BlockGeometry> ComputeBlocks(const OpContext& context, bool to_depth);
// to_depth: out[n][y][x][(i * block + j) * c + k] = in[n][y * block + i][x * block + j][k];
// otherwise the other way round.
Result<PreparedOp> PrepareBlocks(const PrepareContext& context, bool to_depth);

}  // namespace dlpu
