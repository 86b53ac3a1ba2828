// SPDX-License-Identifier: Apache-2.0
// LOGICAL_NOT: not a.
#include "ops/unary.h"

namespace dlpu {
namespace {

Result<PreparedOp> Prepare(const PrepareContext& context) {
  if (context.input(0).type != DataType::kBool) {
    return context.UnsupportedType(context.input(0), "bool");
  }
  return PrepareMap<uint8_t>(context, [](uint8_t x) { return static_cast<uint8_t>(x == 0); });
}

}  // namespace

const OpDef kLogicalNotOp = {
    .op = Op::kLogicalNot,
    .arity = Arity{1, 1, 1, 1},
    .infer = InferSameAsInput,
    .quantize = QuantizeRule{.kind = QuantizeRule::Kind::kUntyped},
    .work = CountElements<1>,
    .prepare = Prepare,
    .alias = Alias::kNone,
};

}  // namespace dlpu
