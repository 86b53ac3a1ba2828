// SPDX-License-Identifier: Apache-2.0
// NOT_EQUAL: whether a and b differ.
#include <functional>

#include "ops/comparison.h"
#include "ops/unary.h"

namespace dlpu {
namespace {

Result<PreparedOp> Prepare(const PrepareContext& context) {
  return PrepareComparison(context, std::not_equal_to<>(), true);
}

}  // namespace

const OpDef kNotEqualOp = {
    .op = Op::kNotEqual,
    .arity = Arity{2, 2, 1, 1},
    .infer = InferComparison,
    .quantize = QuantizeRule{.kind = QuantizeRule::Kind::kUntyped},
    .work = CountElements<1>,
    .prepare = Prepare,
    .alias = Alias::kNone,
};

}  // namespace dlpu
