// SPDX-License-Identifier: Apache-2.0
// Scales and bounds of XNNPACK's 8-bit binary operators.
#include "ops/xnnpack_binary.h"

#include <cmath>
#include <functional>

#include "ops/binary.h"
#include "ops/common.h"

namespace dlpu {
namespace {

// Bounds of a fused activation, ties to even, the zero point added before rounding.
Result<CodeRange> XnnpackRange(const OpContext& context) {
  const Tensor& output = context.output(0);
  const CodeRange all{LowestCode(output.type), HighestCode(output.type)};
  const Activation activation = context.attrs<ArithmeticAttrs>().activation;
  if (activation == Activation::kNone) return all;
  DLPU_TRY(const FloatRange real, FloatActivationRange(context, activation));
  const auto code = [&](float v) {
    const float shifted =
        v / output.quantization.scale0() + static_cast<float>(output.quantization.zero0());
    const float bounded =
        std::min(std::max(shifted, static_cast<float>(all.low)), static_cast<float>(all.high));
    return static_cast<int32_t>(std::nearbyint(bounded));
  };
  return CodeRange{code(real.low), activation == Activation::kRelu ? all.high : code(real.high)};
}

// A formula on codes as a function of their bytes.
template <typename Formula>
auto OnBytes(const OpContext& context, const Formula& formula) {
  const bool is_signed = context.input(0).type == DataType::kInt8;
  return [formula, is_signed](uint8_t x, uint8_t y) {
    return static_cast<uint8_t>(is_signed ? formula(static_cast<int8_t>(x), static_cast<int8_t>(y))
                                          : formula(x, y));
  };
}

}  // namespace

Result<std::optional<XnnpackSum>> MakeXnnpackSum(const OpContext& context, bool subtract) {
  const Quantization &a = context.input(0).quantization, &b = context.input(1).quantization,
                     &out = context.output(0).quantization;
  const float ratio_a = a.scale0() / out.scale0(), ratio_b = b.scale0() / out.scale0();
  for (const float ratio : {ratio_a, ratio_b}) {
    if (!(ratio >= 0x1p-10f && ratio < 0x1p8f)) return std::optional<XnnpackSum>();
  }
  DLPU_TRY(const CodeRange range, XnnpackRange(context));
  XnnpackSum sum;
  sum.shift = 20 - std::ilogb(std::max(ratio_a, ratio_b));
  sum.factor_a = static_cast<int32_t>(std::nearbyint(std::ldexp(ratio_a, sum.shift)));
  sum.factor_b = static_cast<int32_t>(std::nearbyint(std::ldexp(ratio_b, sum.shift)));
  if (subtract) sum.factor_b = -sum.factor_b;
  sum.zero_a = a.zero0();
  sum.zero_b = b.zero0();
  sum.zero_out = out.zero0();
  sum.low = range.low;
  sum.high = range.high;
  return std::optional<XnnpackSum>(sum);
}

Result<std::optional<XnnpackProduct>> MakeXnnpackProduct(const OpContext& context) {
  const Quantization &a = context.input(0).quantization, &b = context.input(1).quantization,
                     &out = context.output(0).quantization;
  const float scale = a.scale0() * b.scale0() / out.scale0();
  if (!(scale >= 0x1p-16f && scale < 0x1p8f)) return std::optional<XnnpackProduct>();
  DLPU_TRY(const CodeRange range, XnnpackRange(context));
  return std::optional<XnnpackProduct>(
      XnnpackProduct{a.zero0(), b.zero0(), out.zero0(), scale, range.low, range.high});
}

Result<PreparedOp> PrepareXnnpackSum(const PrepareContext& context, const XnnpackSum& sum) {
  BytePairGuess guess;
  guess.form = BytePairForm::kSum;
  guess.scale_x = std::ldexp(static_cast<double>(sum.factor_a), -sum.shift);
  guess.scale_y = std::ldexp(static_cast<double>(sum.factor_b), -sum.shift);
  guess.zero_x = sum.zero_a;
  guess.zero_y = sum.zero_b;
  guess.zero_out = sum.zero_out;
  guess.low = sum.low;
  guess.high = sum.high;
  return PrepareBytePairs(context, guess, OnBytes(context, sum));
}

Result<PreparedOp> PrepareXnnpackProduct(const PrepareContext& context,
                                         const XnnpackProduct& product) {
  BytePairGuess guess;
  guess.form = BytePairForm::kProduct;
  guess.scale_x = product.scale;
  guess.zero_x = product.zero_a;
  guess.zero_y = product.zero_b;
  guess.zero_out = product.zero_out;
  guess.low = product.low;
  guess.high = product.high;
  return PrepareBytePairs(context, guess, OnBytes(context, product));
}

}  // namespace dlpu
