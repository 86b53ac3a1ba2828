// SPDX-License-Identifier: Apache-2.0
// Shared rules of the reductions.
#include "ops/reduce.h"

#include <fmt/format.h>

namespace dlpu {
namespace {

// Which axes of input 0 are reduced. The axes of a scalar are not looked at, as in LiteRT.
Result<std::vector<bool>> ReadAxes(const OpContext& context) {
  const size_t rank = context.input(0).shape.size();
  std::vector<bool> reduced(rank, false);
  if (context.input(1).type != DataType::kInt32) {
    return context.UnsupportedType(context.input(1), "int32");
  }
  DLPU_TRY(const std::vector<int64_t> axes, context.ConstantInts(1));
  if (rank == 0) return reduced;
  for (const int64_t value : axes) {
    DLPU_TRY(const int axis, NormaliseAxis(context, value, rank));
    reduced[axis] = true;
  }
  return reduced;
}

// The mean's multiplier: sum * (scale / n) without a second rounding of the sum.
QuantizedMultiplier DivideMultiplier(QuantizedMultiplier m, int64_t n) {
  int shift = 63 - __builtin_clzll(static_cast<uint64_t>(n));
  shift = std::min(shift, 32);
  shift = std::min(shift, 31 + m.shift);
  const int64_t divided = (static_cast<int64_t>(m.multiplier) << shift) / n;
  return {static_cast<int32_t>(divided), m.shift - shift};
}

template <typename T>
PreparedOp QuantizedSumStep(ReducePlan plan, QuantizedMultiplier scale, int32_t in_zero,
                            int32_t out_zero) {
  const auto bias = static_cast<int32_t>(in_zero * plan.folded);
  const auto finish = [scale, bias, out_zero](int32_t sum) {
    const int32_t code =
        AddWrap(MultiplyByQuantizedMultiplier(SubWrap(sum, bias), scale), out_zero);
    return static_cast<T>(
        std::clamp<int32_t>(code, std::numeric_limits<T>::min(), std::numeric_limits<T>::max()));
  };
  return FoldStep<T, int32_t>(std::move(plan), SumFold<int32_t>{}, finish, T{0});
}

}  // namespace

Result<ReducePlan> ReadReduction(const OpContext& context) {
  DLPU_TRY(const std::vector<bool> reduced, ReadAxes(context));
  return PlanReduction(Extents(context.input(0).shape), reduced);
}

Result<std::vector<OutputSpec>> InferReduction(const OpContext& context) {
  DLPU_TRY(const std::vector<bool> reduced, ReadAxes(context));
  const Tensor& input = context.input(0);
  const bool keep = context.attrs<ReduceAttrs>().keep_dims;
  Shape shape;
  for (size_t d = 0; d < reduced.size(); ++d) {
    if (!reduced[d]) {
      shape.push_back(input.shape[d]);
    } else if (keep) {
      shape.push_back(1);
    }
  }
  return std::vector<OutputSpec>{{input.type, shape}};
}

Work ReductionWork(const OpContext& context) {
  Work work = ElementwiseWork(context, 0);
  work.vector_ops = ElementCount(context.input(0).shape);
  return work;
}

Status ExpectReducibleCodes(const OpContext& context) {
  for (const Tensor* tensor : {&context.input(0), &context.output(0)}) {
    DLPU_RETURN_IF_ERROR(ExpectPerTensorQuantization(context, *tensor));
    if (tensor->type == DataType::kInt16 && tensor->quantization.zero0() != 0) {
      return context.Unsupported(fmt::format("int16 tensor '{}' has zero point {}, needs 0",
                                             tensor->name, tensor->quantization.zero0()));
    }
  }
  return OkStatus();
}

Status ExpectSameCodes(const OpContext& context) {
  const Tensor& input = context.input(0);
  if (!IsInteger(input.type) || BitsOf(input.type) > 16) return OkStatus();
  return ExpectSameQuantization(context, input, context.output(0));
}

Result<PreparedOp> PrepareQuantizedSum(const PrepareContext& context, bool mean) {
  DLPU_RETURN_IF_ERROR(ExpectReducibleCodes(context));
  DLPU_TRY(ReducePlan plan, ReadReduction(context));
  const Quantization& in = context.input(0).quantization;
  const Quantization& out = context.output(0).quantization;
  QuantizedMultiplier scale = QuantizeMultiplier(static_cast<double>(in.scale0()) / out.scale0());
  if (mean && plan.folded > 0) scale = DivideMultiplier(scale, plan.folded);
  switch (context.input(0).type) {
    case DataType::kUInt8:
      return QuantizedSumStep<uint8_t>(std::move(plan), scale, in.zero0(), out.zero0());
    case DataType::kInt8:
      return QuantizedSumStep<int8_t>(std::move(plan), scale, in.zero0(), out.zero0());
    case DataType::kInt16:
      return QuantizedSumStep<int16_t>(std::move(plan), scale, in.zero0(), out.zero0());
    default:
      return context.UnsupportedType(context.input(0), "int8, uint8 or int16");
  }
}

}  // namespace dlpu
