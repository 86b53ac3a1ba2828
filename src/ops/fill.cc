// SPDX-License-Identifier: Apache-2.0
// FILL: a tensor of the shape in input 0 (a constant), every element the scalar in input 1.
#include <fmt/format.h>

#include "ops/movement.h"

namespace dlpu {
namespace {

Result<std::vector<OutputSpec>> Infer(const OpContext& context) {
  const Tensor& value = context.input(1);
  DLPU_RETURN_IF_ERROR(ExpectTypeIn(context, value, kMovableTypes));
  if (!value.shape.empty()) {
    return context.Invalid(
        fmt::format("value '{}' is {}, must be a scalar", value.name, ShapeText(value.shape)));
  }
  DLPU_TRY(const std::vector<int64_t> extents, context.ConstantInts(0));
  return OneOutput(context, value.type, extents);
}

Result<PreparedOp> Prepare(const PrepareContext& context) {
  const Tensor& value = context.input(1);
  DLPU_RETURN_IF_ERROR(ExpectSameQuantization(context, value, context.output(0)));
  DLPU_TRY(const std::vector<int64_t> extents, context.ConstantInts(0));
  const CopySpec spec{.element_bytes = ElementBytes(value),
                      .extents = {ProductOf(extents, 0, extents.size())},
                      .in_strides = {0},
                      .out_strides = {1}};
  return CopyStep({{StridedCopy(spec), 1, 0}});
}

}  // namespace

const OpDef kFillOp = {
    .op = Op::kFill,
    .arity = Arity{2, 2, 1, 1},
    .infer = Infer,
    .quantize = QuantizeRule{.kind = QuantizeRule::Kind::kUntyped},
    .work = MovementWork,
    .prepare = Prepare,
    .alias = Alias::kNone,
};

}  // namespace dlpu
