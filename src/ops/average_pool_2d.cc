// SPDX-License-Identifier: Apache-2.0
// AVERAGE_POOL_2D: input NHWC, output N, out_h, out_w, C with the input's codes.
#include "ops/pool.h"

namespace dlpu {
namespace {

Result<PreparedOp> Prepare(const PrepareContext& context) {
  const auto pool = [](const auto& spec, const auto* in, auto* out, const RunArgs& args) {
    AveragePool(spec, in, out, args.scratch, args.pool);
  };
  DLPU_TRY(PreparedOp op, PreparePool(context, pool));
  op.scratch_bytes = AveragePoolScratchBytes(context.input(0).shape[3], context.threads);
  return op;
}

}  // namespace

const OpDef kAveragePool2dOp = {
    .op = Op::kAveragePool2d,
    .arity = Arity{1, 1, 1, 1},
    .infer = InferPool,
    .quantize = QuantizeRule{.kind = QuantizeRule::Kind::kSameAsInput},
    .work = PoolWork,
    .prepare = Prepare,
    .alias = Alias::kNone,
};

}  // namespace dlpu
