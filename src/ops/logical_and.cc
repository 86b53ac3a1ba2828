// SPDX-License-Identifier: Apache-2.0
// LOGICAL_AND: a and b.
#include "ops/binary.h"
#include "ops/unary.h"

namespace dlpu {
namespace {

Result<PreparedOp> Prepare(const PrepareContext& context) {
  DLPU_RETURN_IF_ERROR(InferBinary(context));
  if (context.input(0).type != DataType::kBool) {
    return context.UnsupportedType(context.input(0), "bool");
  }
  return PrepareBinary<uint8_t>(context, [](uint8_t x, uint8_t y) {
    const bool a = x != 0, b = y != 0;
    return static_cast<uint8_t>(a & b);
  });
}

}  // namespace

const OpDef kLogicalAndOp = {
    .op = Op::kLogicalAnd,
    .arity = Arity{2, 2, 1, 1},
    .infer = InferBinary,
    .quantize = QuantizeRule{.kind = QuantizeRule::Kind::kUntyped},
    .work = CountElements<1>,
    .prepare = Prepare,
    .alias = Alias::kNone,
};

}  // namespace dlpu
