// SPDX-License-Identifier: Apache-2.0
// SUB: a-b with broadcasting and a fused activation.
#include "ops/add_sub.h"
#include "ops/binary.h"

namespace dlpu {
namespace {

Work CountWork(const OpContext& context) { return ElementwiseWork(context, 1); }

Result<PreparedOp> Prepare(const PrepareContext& context) { return PrepareSum(context, true); }

}  // namespace

const OpDef kSubOp = {
    .op = Op::kSub,
    .arity = Arity{2, 2, 1, 1},
    .infer = InferBinary,
    .quantize = QuantizeRule{},
    .work = CountWork,
    .prepare = Prepare,
    .alias = Alias::kNone,
};

}  // namespace dlpu
