// SPDX-License-Identifier: Apache-2.0
// MINIMUM: the smaller of two values; codes are compared as they are.
#include "ops/binary.h"
#include "ops/unary.h"

namespace dlpu {
namespace {

Result<PreparedOp> Prepare(const PrepareContext& context) {
  DLPU_RETURN_IF_ERROR(InferBinary(context));
  return PrepareForNumbers(context, [](auto a, auto b) { return a < b ? a : b; });
}

}  // namespace

const OpDef kMinimumOp = {
    .op = Op::kMinimum,
    .arity = Arity{2, 2, 1, 1},
    .infer = InferBinary,
    .quantize = QuantizeRule{.kind = QuantizeRule::Kind::kSameAsInput},
    .work = CountElements<1>,
    .prepare = Prepare,
    .alias = Alias::kNone,
};

}  // namespace dlpu
