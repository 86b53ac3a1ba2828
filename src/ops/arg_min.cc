// SPDX-License-Identifier: Apache-2.0
// ARG_MIN: index of the smallest element along an axis.
#include "ops/arg.h"

namespace dlpu {
namespace {
Result<PreparedOp> Prepare(const PrepareContext& context) { return PrepareArg(context, false); }
}  // namespace

const OpDef kArgMinOp = {
    .op = Op::kArgMin,
    .arity = Arity{2, 2, 1, 1},
    .infer = InferArg,
    .quantize = QuantizeRule{.kind = QuantizeRule::Kind::kUntyped},
    .work = ArgWork,
    .prepare = Prepare,
    .alias = Alias::kNone,
};

}  // namespace dlpu
