// SPDX-License-Identifier: Apache-2.0
// GREATER_EQUAL: whether a >= b.
#include <functional>

#include "ops/comparison.h"
#include "ops/unary.h"

namespace dlpu {
namespace {

Result<PreparedOp> Prepare(const PrepareContext& context) {
  return PrepareComparison(context, std::greater_equal<>(), false);
}

}  // namespace

const OpDef kGreaterEqualOp = {
    .op = Op::kGreaterEqual,
    .arity = Arity{2, 2, 1, 1},
    .infer = InferComparison,
    .quantize = QuantizeRule{.kind = QuantizeRule::Kind::kUntyped},
    .work = CountElements<1>,
    .prepare = Prepare,
    .alias = Alias::kNone,
};

}  // namespace dlpu
