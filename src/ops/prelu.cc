// SPDX-License-Identifier: Apache-2.0
// PRELU: x where x >= 0, else x * slope; the slopes (input 1) broadcast to x.
#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <type_traits>

#include "kernels/elementwise/quantized.h"
#include "ops/binary.h"
#include "ops/unary.h"

namespace dlpu {
namespace {

Result<std::vector<OutputSpec>> Infer(const OpContext& context) {
  DLPU_TRY(Shape shape, BinaryShape(context));
  if (shape != context.input(0).shape) {
    return context.Invalid(fmt::format("slopes {} do not broadcast to the input's shape {}",
                                       ShapeText(context.input(1).shape),
                                       ShapeText(context.input(0).shape)));
  }
  return std::vector<OutputSpec>{{context.input(0).type, std::move(shape)}};
}

Work CountWork(const OpContext& context) { return ElementwiseWork(context, 2); }

template <typename T>
Result<PreparedOp> PrepareBytes(const PrepareContext& context, const QuantizedPrelu& prelu) {
  BytePairGuess guess;
  guess.form = BytePairForm::kPrelu;
  guess.scale_x = RealFactor(prelu.positive);
  guess.scale_y = RealFactor(prelu.negative);
  guess.zero_x = prelu.zero_in;
  guess.zero_y = prelu.zero_slope;
  guess.zero_out = prelu.zero_out;
  guess.low = prelu.low;
  guess.high = prelu.high;
  return PrepareBytePairs(context, guess, [prelu](uint8_t x, uint8_t slope) {
    return static_cast<uint8_t>(prelu(static_cast<T>(x), static_cast<T>(slope)));
  });
}

template <typename T, typename S>
Result<PreparedOp> PrepareQuantized(const PrepareContext& context) {
  const Tensor &x = context.input(0), &slope = context.input(1), &out = context.output(0);
  if (slope.type != DataTypeOf<S>::value) {
    return context.UnsupportedType(slope, DataTypeName(DataTypeOf<S>::value));
  }
  if (out.type != x.type) return context.UnsupportedType(out, DataTypeName(x.type));
  for (const Tensor* tensor : {&x, &slope, &out}) {
    DLPU_RETURN_IF_ERROR(ExpectPerTensorQuantization(context, *tensor));
  }
  QuantizedPrelu prelu;
  prelu.zero_in = x.quantization.zero0();
  prelu.zero_slope = slope.quantization.zero0();
  prelu.zero_out = out.quantization.zero0();
  // Both factors are binary32 in LiteRT.
  const float positive = x.quantization.scale0() / out.quantization.scale0();
  const float negative =
      x.quantization.scale0() * slope.quantization.scale0() / out.quantization.scale0();
  if (!std::isfinite(positive) || !std::isfinite(negative)) {
    return context.Invalid("the scales overflow");
  }
  prelu.positive = QuantizeMultiplier(positive);
  prelu.negative = QuantizeMultiplier(negative);
  prelu.low = LowestCode(out.type);
  prelu.high = HighestCode(out.type);
  if (sizeof(T) == 1 && std::is_same_v<T, S>) return PrepareBytes<T>(context, prelu);
  return PrepareBinary<T, S, T>(context, [prelu](T v, S s) { return static_cast<T>(prelu(v, s)); });
}

Result<PreparedOp> PrepareFloat(const PrepareContext& context) {
  if (context.input(1).type != DataType::kFloat32) {
    return context.UnsupportedType(context.input(1), "float32");
  }
  if (const ElementwiseF32Row* row = ChooseElementwiseF32(context.cpu); row != nullptr) {
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    return PrepareFloats(context, *row, row->float_prelu, {-kInfinity, kInfinity});
  }
  return PrepareBinary<float>(context, [](float x, float slope) { return x >= 0 ? x : x * slope; });
}

Result<PreparedOp> Prepare(const PrepareContext& context) {
  DLPU_RETURN_IF_ERROR(Infer(context));
  switch (context.input(0).type) {
    case DataType::kFloat32:
      return PrepareFloat(context);
    case DataType::kInt8:
      return PrepareQuantized<int8_t, int8_t>(context);
    case DataType::kUInt8:
      return PrepareQuantized<uint8_t, uint8_t>(context);
    case DataType::kInt16:
      return PrepareQuantized<int16_t, int8_t>(context);
    default:
      return context.UnsupportedType(context.input(0), "float32, int8, uint8 or int16");
  }
}

}  // namespace

const OpDef kPreluOp = {
    .op = Op::kPrelu,
    .arity = Arity{2, 2, 1, 1},
    .infer = Infer,
    .quantize = QuantizeRule{},
    .work = CountWork,
    .prepare = Prepare,
    .alias = Alias::kNone,
};

}  // namespace dlpu
