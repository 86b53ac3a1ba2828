// SPDX-License-Identifier: Apache-2.0
// REDUCE_PROD: the product over a set of axes. Codes are rescaled after each factor so that the
// accumulator cannot overflow (LiteRT QuantizedReduceProd).
#include <cmath>

#include "ops/reduce.h"

namespace dlpu {
namespace {

template <typename T>
PreparedOp Plain(ReducePlan plan) {
  return FoldInPlaceStep<T>(std::move(plan), ProductFold<T>{}, T{1});
}

// The scale of one step is in_scale / out_scale^(1/n), so that n steps give in_scale^n / out_scale.
template <typename T>
Result<PreparedOp> Quantized(const PrepareContext& context, ReducePlan plan) {
  DLPU_RETURN_IF_ERROR(ExpectReducibleCodes(context));
  const Quantization& in = context.input(0).quantization;
  const Quantization& out = context.output(0).quantization;
  QuantizedMultiplier scale;
  if (plan.folded > 0) {
    const double root =
        std::pow(static_cast<double>(out.scale0()), 1.0 / static_cast<double>(plan.folded));
    scale = QuantizeMultiplier(static_cast<double>(in.scale0()) / root);
  }
  if (scale.shift >= 8) {
    return context.Unsupported("a product whose scale grows 128-fold with each factor");
  }
  const auto finish = [scale, zero = out.zero0()](int32_t product) {
    const int32_t code = AddWrap(MultiplyByQuantizedMultiplier64(product, scale), zero);
    return static_cast<T>(
        std::clamp<int32_t>(code, std::numeric_limits<T>::min(), std::numeric_limits<T>::max()));
  };
  return FoldStep<T, int32_t>(std::move(plan), QuantizedProductFold{in.zero0(), scale}, finish,
                              T{0});
}

Result<PreparedOp> Prepare(const PrepareContext& context) {
  DLPU_TRY(ReducePlan plan, ReadReduction(context));
  const bool quantized = context.input(0).quantization.present();
  switch (context.input(0).type) {
    case DataType::kFloat32:
      return Plain<float>(std::move(plan));
    case DataType::kInt32:
      return Plain<int32_t>(std::move(plan));
    case DataType::kInt64:
      return Plain<int64_t>(std::move(plan));
    case DataType::kInt8:
      if (quantized) return Quantized<int8_t>(context, std::move(plan));
      return Plain<int8_t>(std::move(plan));
    case DataType::kInt16:
      if (quantized) return Quantized<int16_t>(context, std::move(plan));
      return Plain<int16_t>(std::move(plan));
    default:
      return context.UnsupportedType(context.input(0), "float32, int8, int16, int32 or int64");
  }
}

}  // namespace

const OpDef kReduceProdOp = {
    .op = Op::kReduceProd,
    .arity = Arity{2, 2, 1, 1},
    .infer = InferReduction,
    .quantize = QuantizeRule{},
    .work = ReductionWork,
    .prepare = Prepare,
    .alias = Alias::kNone,
};

}  // namespace dlpu
