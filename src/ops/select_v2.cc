// SPDX-License-Identifier: Apache-2.0
// SELECT_V2: condition ? x : y with broadcasting.
#include "ops/select_family.h"
#include "ops/unary.h"

namespace dlpu {
namespace {

Result<PreparedOp> Prepare(const PrepareContext& context) {
  DLPU_TRY(const auto specs, InferSelect(context));
  return PrepareSelect(context, context.input(0).shape, specs[0].shape);
}

}  // namespace

const OpDef kSelectV2Op = {
    .op = Op::kSelectV2,
    .arity = Arity{3, 3, 1, 1},
    .infer = InferSelect,
    .quantize = QuantizeRule{.kind = QuantizeRule::Kind::kSameAsInput},
    .work = CountElements<1>,
    .prepare = Prepare,
    .alias = Alias::kNone,
};

}  // namespace dlpu
