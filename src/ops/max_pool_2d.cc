// SPDX-License-Identifier: Apache-2.0
// MAX_POOL_2D: input NHWC, output N, out_h, out_w, C with the input's codes.
#include "ops/pool.h"

namespace dlpu {
namespace {

Result<PreparedOp> Prepare(const PrepareContext& context) {
  return PreparePool(context, [](const auto& spec, const auto* in, auto* out, const RunArgs& args) {
    MaxPool(spec, in, out, args.pool);
  });
}

}  // namespace

const OpDef kMaxPool2dOp = {
    .op = Op::kMaxPool2d,
    .arity = Arity{1, 1, 1, 1},
    .infer = InferPool,
    .quantize = QuantizeRule{.kind = QuantizeRule::Kind::kSameAsInput},
    .work = PoolWork,
    .prepare = Prepare,
    .alias = Alias::kNone,
};

}  // namespace dlpu
