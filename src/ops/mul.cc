// SPDX-License-Identifier: Apache-2.0
// MUL: a * b with broadcasting and a fused activation.
#include <fmt/format.h>

#include <array>
#include <cmath>
#include <optional>

#include "kernels/elementwise/quantized.h"
#include "kernels/requant/sums.h"
#include "ops/binary.h"
#include "ops/xnnpack_binary.h"

namespace dlpu {
namespace {

// Two int16 inputs may also have an 8-bit output.
bool IsNarrowing(const OpContext& context) {
  const DataType out = context.output(0).type;
  return context.input(0).type == DataType::kInt16 &&
         (out == DataType::kInt8 || out == DataType::kUInt8);
}

Result<std::vector<OutputSpec>> Infer(const OpContext& context) {
  DLPU_TRY(auto specs, InferBinary(context));
  if (IsNarrowing(context)) specs[0].type = context.output(0).type;
  return specs;
}

Work CountWork(const OpContext& context) { return ElementwiseWork(context, 1); }

Result<CodeRange> Range(const PrepareContext& context) {
  return QuantizedActivationRange(context, context.attrs<ArithmeticAttrs>().activation,
                                  context.output(0));
}

Result<PreparedOp> PrepareQuantized(const PrepareContext& context) {
  DLPU_RETURN_IF_ERROR(ExpectBinaryCodes(context));
  const Quantization &a = context.input(0).quantization, &b = context.input(1).quantization,
                     &out = context.output(0).quantization;
  if (context.profile == Profile::kXnnpack && context.input(0).type != DataType::kInt16) {
    DLPU_TRY(const std::optional<XnnpackProduct> xnnpack, MakeXnnpackProduct(context));
    if (xnnpack) return PrepareXnnpackProduct(context, *xnnpack);
  }
  DLPU_TRY(const CodeRange range, Range(context));
  QuantizedProduct product;
  product.zero_a = a.zero0();
  product.zero_b = b.zero0();
  product.zero_out = out.zero0();
  // LiteRT computes this factor in binary32.
  const float factor = a.scale0() * b.scale0() / out.scale0();
  if (!std::isfinite(factor)) {
    return context.Invalid(
        fmt::format("scales {} x {} / {} overflow", a.scale0(), b.scale0(), out.scale0()));
  }
  product.multiplier = QuantizeMultiplier(factor);
  product.low = range.low;
  product.high = range.high;
  if (context.input(0).type == DataType::kInt16) return PrepareBinaryCodes(context, product);
  BytePairGuess guess;
  guess.form = BytePairForm::kProduct;
  guess.scale_x = RealFactor(product.multiplier);
  guess.zero_x = product.zero_a;
  guess.zero_y = product.zero_b;
  guess.zero_out = product.zero_out;
  guess.low = product.low;
  guess.high = product.high;
  const bool is_signed = context.input(0).type == DataType::kInt8;
  const RequantLayer layer{Rounding::kDouble, product.zero_out, product.low, product.high,
                           is_signed};
  return PrepareBytePairRows(context, guess, [&](uint8_t x, uint8_t* codes) {
    const auto value = [&](uint8_t byte) {
      return is_signed ? static_cast<int8_t>(byte) : static_cast<int32_t>(byte);
    };
    std::array<int32_t, 256> products;
    for (int y = 0; y < 256; ++y) {
      products[y] = product.Product(value(x), value(static_cast<uint8_t>(y)));
    }
    RequantizeSums(layer, product.multiplier, products, codes, context.cpu);
  });
}

Result<PreparedOp> PrepareNarrowing(const PrepareContext& context) {
  if (context.input(0).shape != context.input(1).shape) {
    return context.Unsupported("int16 inputs of different shapes with an 8-bit output");
  }
  DLPU_RETURN_IF_ERROR(ExpectPerTensorQuantization(context, context.output(0)));
  DLPU_TRY(const CodeRange range, Range(context));
  const QuantizedProduct16To8 product{context.output(0).quantization.zero0(), range.low,
                                      range.high};
  return PrepareBinary<int16_t, int16_t, uint8_t>(
      context, [product](int16_t x, int16_t y) { return static_cast<uint8_t>(product(x, y)); });
}

template <typename T>
Result<PreparedOp> PrepareIntegers(const PrepareContext& context) {
  DLPU_TRY(const auto range,
           IntegerActivationRange<T>(context, context.attrs<ArithmeticAttrs>().activation));
  return PrepareBinary<T>(context, [range](T x, T y) {
    // Products wrap; uint64_t because two 16-bit numbers would promote to a signed int.
    const auto product = static_cast<T>(static_cast<uint64_t>(x) * static_cast<uint64_t>(y));
    return std::min(std::max(product, range.low), range.high);
  });
}

Result<PreparedOp> PrepareFloat(const PrepareContext& context) {
  DLPU_TRY(const FloatRange range,
           FloatActivationRange(context, context.attrs<ArithmeticAttrs>().activation));
  if (const ElementwiseF32Row* row = ChooseElementwiseF32(context.cpu); row != nullptr) {
    return PrepareFloats(context, *row, row->float_product, range);
  }
  return PrepareBinary<float>(context, [range](float x, float y) {
    return std::min(std::max(x * y, range.low), range.high);
  });
}

Result<PreparedOp> Prepare(const PrepareContext& context) {
  DLPU_RETURN_IF_ERROR(Infer(context));
  switch (context.input(0).type) {
    case DataType::kFloat32:
      return PrepareFloat(context);
    case DataType::kInt32:
      return PrepareIntegers<int32_t>(context);
    case DataType::kUInt32:
      return PrepareIntegers<uint32_t>(context);
    case DataType::kInt64:
      return PrepareIntegers<int64_t>(context);
    case DataType::kInt16:
      if (IsNarrowing(context)) return PrepareNarrowing(context);
      if (IsPlainInt16(context)) return PrepareIntegers<int16_t>(context);
      return PrepareQuantized(context);
    case DataType::kInt8:
    case DataType::kUInt8:
      return PrepareQuantized(context);
    default:
      return context.UnsupportedType(context.input(0),
                                     "float32, int8, uint8, int16, int32, uint32 or int64");
  }
}

}  // namespace

const OpDef kMulOp = {
    .op = Op::kMul,
    .arity = Arity{2, 2, 1, 1},
    .infer = Infer,
    .quantize = QuantizeRule{},
    .work = CountWork,
    .prepare = Prepare,
    .alias = Alias::kNone,
};

}  // namespace dlpu
