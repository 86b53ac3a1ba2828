// SPDX-License-Identifier: Apache-2.0
// ARG_MAX: index of the largest element along an axis.
#include <fmt/format.h>

#include "kernels/reduce/arg.h"
#include "ops/arg.h"

namespace dlpu {
namespace {

Result<int> ReadAxis(const OpContext& context) {
  const Tensor& input = context.input(0);
  DLPU_TRY(const int64_t value, ConstantInt(context, 1));
  DLPU_TRY(const int axis, NormaliseAxis(context, value, input.shape.size()));
  if (input.shape[axis] < 1) {
    return context.Invalid(fmt::format("axis {} of {} is empty", axis, ShapeText(input.shape)));
  }
  return axis;
}

struct ArgShape {
  int64_t outer, axis, inner;
};

template <typename T, typename Index>
PreparedOp MakeStep(ArgShape shape, bool maximum) {
  PreparedOp op;
  op.run = [shape, maximum](const RunArgs& args) {
    ArgExtreme(args.in<T>(0), shape.outer, shape.axis, shape.inner, maximum, args.out<Index>(0),
               args.pool);
    return OkStatus();
  };
  return op;
}

template <typename T>
PreparedOp MakeStepFor(DataType index, ArgShape shape, bool maximum) {
  return index == DataType::kInt32 ? MakeStep<T, int32_t>(shape, maximum)
                                   : MakeStep<T, int64_t>(shape, maximum);
}

}  // namespace

Result<std::vector<OutputSpec>> InferArg(const OpContext& context) {
  const DataType index = context.attrs<OutputTypeAttrs>().output_type;
  if (index != DataType::kInt32 && index != DataType::kInt64) {
    return context.Unsupported(fmt::format("an index of type {}", DataTypeName(index)));
  }
  DLPU_TRY(const int axis, ReadAxis(context));
  Shape shape = context.input(0).shape;
  shape.erase(shape.begin() + axis);
  return std::vector<OutputSpec>{{index, shape}};
}

Result<PreparedOp> PrepareArg(const PrepareContext& context, bool maximum) {
  const Tensor& input = context.input(0);
  DLPU_TRY(const int axis, ReadAxis(context));
  const std::vector<int64_t> extents = Extents(input.shape);
  const ArgShape shape{ProductOf(extents, 0, axis), extents[axis],
                       ProductOf(extents, axis + 1, extents.size())};
  const DataType index = context.attrs<OutputTypeAttrs>().output_type;
  if (context.output(0).type != index)
    return context.UnsupportedType(context.output(0), DataTypeName(index));
  switch (input.type) {
    case DataType::kFloat32:
      return MakeStepFor<float>(index, shape, maximum);
    case DataType::kUInt8:
    case DataType::kBool:
      return MakeStepFor<uint8_t>(index, shape, maximum);
    case DataType::kInt8:
      return MakeStepFor<int8_t>(index, shape, maximum);
    case DataType::kInt32:
      return MakeStepFor<int32_t>(index, shape, maximum);
    default:
      return context.UnsupportedType(input, "float32, int8, uint8, int32 or bool");
  }
}

Work ArgWork(const OpContext& context) {
  Work work = ElementwiseWork(context, 0);
  work.vector_ops = ElementCount(context.input(0).shape);
  return work;
}

namespace {
Result<PreparedOp> Prepare(const PrepareContext& context) { return PrepareArg(context, true); }
}  // namespace

const OpDef kArgMaxOp = {
    .op = Op::kArgMax,
    .arity = Arity{2, 2, 1, 1},
    .infer = InferArg,
    .quantize = QuantizeRule{.kind = QuantizeRule::Kind::kUntyped},
    .work = ArgWork,
    .prepare = Prepare,
    .alias = Alias::kNone,
};

}  // namespace dlpu
