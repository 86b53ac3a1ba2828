// SPDX-License-Identifier: Apache-2.0
// DIV: a / b with broadcasting and a fused activation; an integer division by 0 is an error.
#include <fmt/format.h>

#include <cmath>

#include "kernels/elementwise/quantized.h"
#include "ops/binary.h"
#include "ops/unary.h"

namespace dlpu {
namespace {

template <typename T>
Result<PreparedOp> PrepareCodes(const PrepareContext& context) {
  DLPU_RETURN_IF_ERROR(ExpectBinaryCodes(context));
  const Quantization &a = context.input(0).quantization, &b = context.input(1).quantization,
                     &out = context.output(0).quantization;
  DLPU_TRY(const CodeRange range,
           QuantizedActivationRange(context, context.attrs<ArithmeticAttrs>().activation,
                                    context.output(0)));
  // LiteRT computes this factor in binary32.
  const float factor = a.scale0() / (b.scale0() * out.scale0());
  if (!std::isfinite(factor)) {
    return context.Invalid(
        fmt::format("scales {} / ({} x {}) overflow", a.scale0(), b.scale0(), out.scale0()));
  }
  const QuantizedQuotient quotient{a.zero0(), b.zero0(), out.zero0(), QuantizeMultiplier(factor),
                                   range.low, range.high};
  DLPU_TRY(PreparedOp op, PrepareBinary<T>(context, [quotient](T x, T y) {
             return static_cast<T>(quotient(x, y));
           }));
  return GuardDivisor<T>(context, std::move(op), b.zero0());
}

Result<PreparedOp> PrepareInt32(const PrepareContext& context) {
  DLPU_TRY(const auto range,
           IntegerActivationRange<int32_t>(context, context.attrs<ArithmeticAttrs>().activation));
  DLPU_TRY(PreparedOp op, PrepareBinary<int32_t>(context, [range](int32_t x, int32_t y) {
             const int32_t q = y == -1 ? SubWrap(0, x) : x / y;  // -2^31 / -1 would trap
             return std::min(std::max(q, range.low), range.high);
           }));
  return GuardDivisor<int32_t>(context, std::move(op), 0);
}

Result<PreparedOp> PrepareFloat(const PrepareContext& context) {
  DLPU_TRY(const FloatRange range,
           FloatActivationRange(context, context.attrs<ArithmeticAttrs>().activation));
  if (const ElementwiseF32Row* row = ChooseElementwiseF32(context.cpu); row != nullptr) {
    return PrepareFloats(context, *row, row->float_quotient, range);
  }
  return PrepareBinary<float>(context, [range](float x, float y) {
    return std::min(std::max(x / y, range.low), range.high);
  });
}

Result<PreparedOp> Prepare(const PrepareContext& context) {
  DLPU_RETURN_IF_ERROR(InferBinary(context));
  switch (context.input(0).type) {
    case DataType::kFloat32:
      return PrepareFloat(context);
    case DataType::kInt32:
      return PrepareInt32(context);
    case DataType::kInt8:
      return PrepareCodes<int8_t>(context);
    case DataType::kUInt8:
      return PrepareCodes<uint8_t>(context);
    case DataType::kInt16:
      return PrepareCodes<int16_t>(context);
    default:
      return context.UnsupportedType(context.input(0), "float32, int8, uint8, int16 or int32");
  }
}

}  // namespace

const OpDef kDivOp = {
    .op = Op::kDiv,
    .arity = Arity{2, 2, 1, 1},
    .infer = InferBinary,
    .quantize = QuantizeRule{},
    .work = CountElements<4>,
    .prepare = Prepare,
    .alias = Alias::kNone,
};

}  // namespace dlpu
