// SPDX-License-Identifier: Apache-2.0
// REDUCE_MAX: the largest element over a set of axes.
#include "ops/reduce.h"

namespace dlpu {
namespace {

Result<PreparedOp> Prepare(const PrepareContext& context) {
  return PrepareExtreme(context, []<typename T>(ReducePlan plan) {
    return FoldInPlaceStep<T>(std::move(plan), MaximumFold<T>{}, std::numeric_limits<T>::lowest());
  });
}

}  // namespace

const OpDef kReduceMaxOp = {
    .op = Op::kReduceMax,
    .arity = Arity{2, 2, 1, 1},
    .infer = InferReduction,
    .quantize = QuantizeRule{.kind = QuantizeRule::Kind::kSameAsInput},
    .work = ReductionWork,
    .prepare = Prepare,
    .alias = Alias::kNone,
};

}  // namespace dlpu
