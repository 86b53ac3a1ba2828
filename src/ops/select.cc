// SPDX-License-Identifier: Apache-2.0
// SELECT: condition ? x : y; the condition has the values' shape, or is one element, or has one
// for each index of the first axis.
#include <fmt/format.h>

#include "kernels/elementwise/broadcast.h"
#include "ops/common.h"
#include "ops/select_family.h"
#include "ops/unary.h"

namespace dlpu {
namespace {

// The condition's shape as it broadcasts; an error when it is none of the three.
Result<Shape> ConditionShape(const OpContext& context) {
  const Shape &condition = context.input(0).shape, &x = context.input(1).shape;
  if (condition == x || condition.empty()) return condition;
  if (condition.size() == 1 && !x.empty() && condition[0] == x[0]) {
    Shape shape(x.size(), 1);
    shape[0] = condition[0];
    return shape;
  }
  return context.Invalid(
      fmt::format("a condition {} does not fit values {}", ShapeText(condition), ShapeText(x)));
}

bool IsSingle(const OpContext& context) {
  return ElementCount(context.input(0).shape) == 1 && ElementCount(context.input(1).shape) == 1 &&
         ElementCount(context.input(2).shape) == 1;
}

Result<std::vector<OutputSpec>> Infer(const OpContext& context) {
  if (IsSingle(context)) return InferSelect(context);
  const Tensor &condition = context.input(0), &x = context.input(1), &y = context.input(2);
  if (condition.type != DataType::kBool) return context.UnsupportedType(condition, "bool");
  if (x.type != y.type || x.shape != y.shape) {
    return context.Invalid(fmt::format("values {} {} and {} {} must have one type and shape",
                                       DataTypeName(x.type), ShapeText(x.shape),
                                       DataTypeName(y.type), ShapeText(y.shape)));
  }
  DLPU_RETURN_IF_ERROR(ConditionShape(context));
  return std::vector<OutputSpec>{{x.type, x.shape}};
}

Result<PreparedOp> Prepare(const PrepareContext& context) {
  DLPU_TRY(const auto specs, Infer(context));
  if (IsSingle(context)) return PrepareSelect(context, {}, specs[0].shape);
  if (specs[0].shape.size() > BroadcastPlan::kMaxAxes) {
    return context.Unsupported(fmt::format("{} has more than {} dimensions",
                                           ShapeText(specs[0].shape), BroadcastPlan::kMaxAxes));
  }
  DLPU_TRY(const Shape condition, ConditionShape(context));
  return PrepareSelect(context, condition, specs[0].shape);
}

}  // namespace

const OpDef kSelectOp = {
    .op = Op::kSelect,
    .arity = Arity{3, 3, 1, 1},
    .infer = Infer,
    .quantize = QuantizeRule{.kind = QuantizeRule::Kind::kSameAsInput},
    .work = CountElements<1>,
    .prepare = Prepare,
    .alias = Alias::kNone,
};

}  // namespace dlpu
