// SPDX-License-Identifier: Apache-2.0
// DEPTH_TO_SPACE: the channels of each pixel become a block of pixels.
#include "ops/block.h"

namespace dlpu {
namespace {

Result<std::vector<OutputSpec>> Infer(const OpContext& context) {
  DLPU_TRY(const BlockGeometry g, ComputeBlocks(context, false));
  return OneOutput(context, context.input(0).type, {g.n, g.h * g.block, g.w * g.block, g.c});
}

Result<PreparedOp> Prepare(const PrepareContext& context) { return PrepareBlocks(context, false); }

}  // namespace

const OpDef kDepthToSpaceOp = {
    .op = Op::kDepthToSpace,
    .arity = Arity{1, 1, 1, 1},
    .infer = Infer,
    .quantize = QuantizeRule{.kind = QuantizeRule::Kind::kSameAsInput},
    .work = MovementWork,
    .prepare = Prepare,
    .alias = Alias::kNone,
};

}  // namespace dlpu
