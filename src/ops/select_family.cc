// SPDX-License-Identifier: Apache-2.0
// SELECT and SELECT_V2 as one three-operand walk.
#include "ops/select_family.h"

#include <fmt/format.h>

#include "kernels/elementwise/broadcast.h"
#include "ops/common.h"

namespace dlpu {
namespace {

// T is any type with the element's size: bits are copied, never looked at.
template <typename T>
PreparedOp PrepareSize(const BroadcastPlan& plan) {
  PreparedOp op;
  op.row = "select";
  op.run = [plan](const RunArgs& args) {
    const uint8_t* condition = args.inputs[0];
    const T *x = args.in<T>(1), *y = args.in<T>(2);
    T* out = args.out<T>(0);
    args.pool.ParallelFor(plan.count, kElementwiseGrain, [&](int64_t begin, int64_t end, int) {
      ForEachRun(plan, begin, end, [&](const int64_t* offsets, int64_t first, int64_t n) {
        const int64_t step[] = {plan.advances[0], plan.advances[1], plan.advances[2]};
        for (int64_t i = 0; i < n; ++i) {
          const T a = x[offsets[1] + i * step[1]], b = y[offsets[2] + i * step[2]];
          out[first + i] = condition[offsets[0] + i * step[0]] != 0 ? a : b;
        }
      });
    });
    return OkStatus();
  };
  return op;
}

}  // namespace

Result<std::vector<OutputSpec>> InferSelect(const OpContext& context) {
  const Tensor &condition = context.input(0), &x = context.input(1), &y = context.input(2);
  if (condition.type != DataType::kBool) return context.UnsupportedType(condition, "bool");
  if (x.type != y.type) {
    return context.Invalid(fmt::format("values are {} and {}; both must have one type",
                                       DataTypeName(x.type), DataTypeName(y.type)));
  }
  DLPU_TRY(const Shape values, BroadcastShapes(context, x.shape, y.shape));
  DLPU_TRY(Shape shape, BroadcastShapes(context, condition.shape, values));
  if (shape.size() > BroadcastPlan::kMaxAxes) {
    return context.Unsupported(
        fmt::format("{} has more than {} dimensions", ShapeText(shape), BroadcastPlan::kMaxAxes));
  }
  // Single elements of different ranks: LiteRT keeps the shape the file declares.
  const bool same = condition.shape == x.shape && x.shape == y.shape;
  const Shape& declared = context.output(0).shape;
  if (!same && ElementCount(shape) == 1 && ElementCount(declared) == 1) shape = declared;
  return std::vector<OutputSpec>{{x.type, std::move(shape)}};
}

Result<PreparedOp> PrepareSelect(const PrepareContext& context, const Shape& condition,
                                 const Shape& output) {
  const Shape single;  // one element however it is shaped
  const bool one = ElementCount(output) == 1;
  const Shape &x = one ? single : context.input(1).shape,
              &y = one ? single : context.input(2).shape;
  const BroadcastPlan plan =
      PlanBroadcast({one ? &single : &condition, &x, &y}, one ? single : output);
  switch (BitsOf(context.input(1).type)) {
    case 8:
      return PrepareSize<uint8_t>(plan);
    case 16:
      return PrepareSize<uint16_t>(plan);
    case 32:
      return PrepareSize<uint32_t>(plan);
    case 64:
      return PrepareSize<uint64_t>(plan);
    default:
      return context.UnsupportedType(context.input(1), "a type of 8, 16, 32 or 64 bits");
  }
}

}  // namespace dlpu
