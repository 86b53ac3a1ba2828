// SPDX-License-Identifier: Apache-2.0
// Shape and type rules of ops with two broadcasting inputs.
#include "ops/binary.h"

#include <fmt/format.h>

#include <memory>

#include "ops/unary.h"

namespace dlpu {

Result<Shape> BinaryShape(const OpContext& context) {
  DLPU_TRY(Shape shape, BroadcastShapes(context, context.input(0).shape, context.input(1).shape));
  if (shape.size() > BroadcastPlan::kMaxAxes) {
    return context.Unsupported(fmt::format("{} has {} dimensions; at most {} are possible",
                                           ShapeText(shape), shape.size(),
                                           BroadcastPlan::kMaxAxes));
  }
  return shape;
}

Result<std::vector<OutputSpec>> InferBinary(const OpContext& context) {
  const Tensor &a = context.input(0), &b = context.input(1);
  if (a.type != b.type) {
    return context.Invalid(fmt::format("inputs are {} and {}; both must have one type",
                                       DataTypeName(a.type), DataTypeName(b.type)));
  }
  DLPU_TRY(Shape shape, BinaryShape(context));
  return std::vector<OutputSpec>{{a.type, std::move(shape)}};
}

Status ExpectBinaryCodes(const OpContext& context) {
  for (const Tensor* tensor : {&context.input(0), &context.input(1), &context.output(0)}) {
    if (tensor->type != context.input(0).type) {
      return context.UnsupportedType(*tensor, DataTypeName(context.input(0).type));
    }
    DLPU_RETURN_IF_ERROR(ExpectPerTensorQuantization(context, *tensor));
    DLPU_RETURN_IF_ERROR(ExpectSymmetric16(context, *tensor));
  }
  return OkStatus();
}

Result<PreparedOp> PrepareFloats(const PrepareContext& context, const ElementwiseF32Row& row,
                                 void (*function)(const FloatOperands&, float*, int64_t),
                                 FloatRange range) {
  DLPU_TRY(const Shape shape, BinaryShape(context));
  const BroadcastPlan plan =
      PlanBroadcast({&context.input(0).shape, &context.input(1).shape}, shape);
  PreparedOp op;
  op.row = row.name;
  op.run = [plan, function, range](const RunArgs& args) {
    const float *a = args.in<float>(0), *b = args.in<float>(1);
    float* out = args.out<float>(0);
    args.pool.ParallelFor(plan.count, kElementwiseGrain, [&](int64_t begin, int64_t end, int) {
      ForEachRun(plan, begin, end, [&](const int64_t* offsets, int64_t first, int64_t n) {
        function({a + offsets[0], b + offsets[1], plan.advances[0], plan.advances[1], range.low,
                  range.high},
                 out + first, n);
      });
    });
    return OkStatus();
  };
  return op;
}

bool IsPlainInt16(const OpContext& context) {
  return context.input(0).type == DataType::kInt16 && !context.input(0).quantization.present() &&
         !context.input(1).quantization.present() && !context.output(0).quantization.present();
}

Result<PreparedOp> PrepareBytePairs(const PrepareContext& context, BytePairGuess guess,
                                    const std::function<uint8_t(uint8_t, uint8_t)>& code) {
  DLPU_TRY(const Shape shape, BinaryShape(context));
  const BroadcastPlan plan =
      PlanBroadcast({&context.input(0).shape, &context.input(1).shape}, shape);
  guess.is_signed = context.input(0).type == DataType::kInt8;
  const auto function = std::make_shared<const BytePairFunction>(guess, code, context.cpu);
  PreparedOp op;
  op.row = function->row();
  op.run = [plan, function](const RunArgs& args) {
    BroadcastBytePairs(plan, *function, args.inputs[0], args.inputs[1], args.outputs[0], args.pool);
    return OkStatus();
  };
  return op;
}

}  // namespace dlpu
