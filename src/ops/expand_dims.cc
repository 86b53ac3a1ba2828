// SPDX-License-Identifier: Apache-2.0
// EXPAND_DIMS: the same bytes with an extent of 1 more, in front of the axis in input 1.
#include "ops/movement.h"

namespace dlpu {
namespace {

Result<std::vector<OutputSpec>> Infer(const OpContext& context) {
  const Tensor& input = context.input(0);
  DLPU_TRY(const int64_t value, ConstantInt(context, 1));
  DLPU_TRY(const int axis, NormaliseAxis(context, value, input.shape.size() + 1));
  Shape shape = input.shape;
  shape.insert(shape.begin() + axis, 1);
  return std::vector<OutputSpec>{{input.type, shape}};
}

Result<PreparedOp> Prepare(const PrepareContext& context) {
  DLPU_RETURN_IF_ERROR(ExpectSameQuantization(context, context.input(0), context.output(0)));
  return PrepareSameBytes(context);
}

}  // namespace

const OpDef kExpandDimsOp = {
    .op = Op::kExpandDims,
    .arity = Arity{2, 2, 1, 1},
    .infer = Infer,
    .quantize = QuantizeRule{.kind = QuantizeRule::Kind::kSameAsInput},
    .work = MovementWork,
    .prepare = Prepare,
    .alias = Alias::kInput0,
};

}  // namespace dlpu
