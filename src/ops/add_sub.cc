// SPDX-License-Identifier: Apache-2.0
// ADD and SUB: quantized by common rescaling, 16-bit with powers of two by shifting, plain integers
// and floats with a clamp.
#include "ops/add_sub.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <type_traits>

#include "base/half.h"
#include "kernels/elementwise/quantized.h"
#include "kernels/requant/sums.h"
#include "ops/binary.h"
#include "ops/xnnpack_binary.h"

namespace dlpu {
namespace {

// Multipliers of the general quantized form; an error when the output's scale is so small that a
// multiplier would reach 1 (LiteRT stops there).
Result<QuantizedSum> MakeQuantizedSum(const PrepareContext& context, bool subtract) {
  const Quantization &a = context.input(0).quantization, &b = context.input(1).quantization,
                     &out = context.output(0).quantization;
  QuantizedSum sum;
  sum.zero_a = a.zero0();
  sum.zero_b = b.zero0();
  sum.zero_out = out.zero0();
  sum.left_shift = context.input(0).type == DataType::kInt16 ? 15 : 20;
  sum.subtract = subtract;
  // The doubled maximum and the scaled output scale are binary32 products.
  const double twice_largest = static_cast<double>(2 * std::max(a.scale0(), b.scale0()));
  const auto scaled_out =
      static_cast<double>(static_cast<float>(1 << sum.left_shift) * out.scale0());
  sum.a = QuantizeMultiplier(a.scale0() / twice_largest);
  sum.b = QuantizeMultiplier(b.scale0() / twice_largest);
  sum.out = QuantizeMultiplier(twice_largest / scaled_out);
  if (!std::isfinite(twice_largest) || !(twice_largest / scaled_out < 1) || sum.out.shift > 0) {
    return context.Unsupported(
        fmt::format("output scale {} is too small for inputs of scale {} and {}", out.scale0(),
                    a.scale0(), b.scale0()));
  }
  return sum;
}

// log2(scale) when it is a whole number within 1e-3, as LiteRT's CheckedLog2 decides.
std::optional<int> PowerOfTwo(float scale) {
  const float log2 = std::log(scale) * (1.0f / std::log(2.0f));
  const float nearest = std::round(log2);
  if (!(std::abs(log2 - nearest) < 1e-3f)) return std::nullopt;
  return static_cast<int>(nearest);
}

// The 16-bit form with power-of-two scales; nothing when it does not apply.
Result<std::optional<PowerOfTwoSum>> MakePowerOfTwoSum(const PrepareContext& context,
                                                       bool subtract) {
  const auto& attrs = context.attrs<ArithmeticAttrs>();
  if (context.input(0).type != DataType::kInt16 || !attrs.pot_scale_int16) {
    return std::optional<PowerOfTwoSum>();
  }
  const std::optional<int> a = PowerOfTwo(context.input(0).quantization.scale0());
  const std::optional<int> b = PowerOfTwo(context.input(1).quantization.scale0());
  const std::optional<int> out = PowerOfTwo(context.output(0).quantization.scale0());
  if (!a || !b || !out) return std::optional<PowerOfTwoSum>();
  const int shift_a = *out - *a, shift_b = *out - *b;
  if ((shift_a != 0 && shift_b != 0) || shift_a < 0 || shift_b < 0) {
    return context.Unsupported(
        "with power-of-two int16 scales one input must have the output's scale, and the other no "
        "coarser one");
  }
  if (!subtract && context.input(0).shape != context.input(1).shape) {
    return context.Unsupported(
        "inputs of different shapes with power-of-two int16 scales; clear pot_scale_int16");
  }
  PowerOfTwoSum sum;
  sum.shift_a = std::min(shift_a, 31);
  sum.shift_b = std::min(shift_b, 31);
  sum.subtract = subtract;
  return std::optional<PowerOfTwoSum>(sum);
}

// The quantized form of 8-bit codes, tried out as a float formula for all pairs of codes.
template <typename T>
Result<PreparedOp> PrepareSum8(const PrepareContext& context, const QuantizedSum& sum) {
  std::array<int32_t, 256> a, b;
  for (int i = 0; i < 256; ++i) {
    const T code = static_cast<T>(static_cast<uint8_t>(i));
    a[i] = sum.ScaleA(code);
    b[i] = sum.ScaleB(code);
  }
  const double unit = std::ldexp(RealFactor(sum.out), sum.left_shift);
  BytePairGuess guess;
  guess.form = BytePairForm::kSum;
  guess.scale_x = RealFactor(sum.a) * unit;
  guess.scale_y = (sum.subtract ? -1.0 : 1.0) * RealFactor(sum.b) * unit;
  guess.zero_x = sum.zero_a;
  guess.zero_y = sum.zero_b;
  guess.zero_out = sum.zero_out;
  guess.low = sum.low;
  guess.high = sum.high;
  const RequantLayer layer{Rounding::kDouble, sum.zero_out, sum.low, sum.high, std::is_signed_v<T>};
  return PrepareBytePairRows(context, guess, [&](uint8_t x, uint8_t* codes) {
    std::array<int32_t, 256> sums;
    for (int y = 0; y < 256; ++y) sums[y] = AddWrap(a[x], b[y]);
    RequantizeSums(layer, sum.out, sums, codes, context.cpu);
  });
}

Result<PreparedOp> PrepareQuantized(const PrepareContext& context, bool subtract) {
  DLPU_RETURN_IF_ERROR(ExpectBinaryCodes(context));
  DLPU_TRY(const CodeRange range,
           QuantizedActivationRange(context, context.attrs<ArithmeticAttrs>().activation,
                                    context.output(0)));
  DLPU_TRY(std::optional<PowerOfTwoSum> shifted, MakePowerOfTwoSum(context, subtract));
  if (shifted) {
    shifted->low = range.low;
    shifted->high = range.high;
    return PrepareBinaryCodes(context, *shifted);
  }
  if (context.profile == Profile::kXnnpack && context.input(0).type != DataType::kInt16) {
    DLPU_TRY(const std::optional<XnnpackSum> xnnpack, MakeXnnpackSum(context, subtract));
    if (xnnpack) return PrepareXnnpackSum(context, *xnnpack);
  }
  DLPU_TRY(QuantizedSum sum, MakeQuantizedSum(context, subtract));
  sum.low = range.low;
  sum.high = range.high;
  switch (context.input(0).type) {
    case DataType::kInt8:
      return PrepareSum8<int8_t>(context, sum);
    case DataType::kUInt8:
      return PrepareSum8<uint8_t>(context, sum);
    default:
      return PrepareBinaryCodes(context, sum);
  }
}

template <typename T>
Result<PreparedOp> PrepareIntegers(const PrepareContext& context, bool subtract) {
  using Bits = std::make_unsigned_t<T>;  // sums wrap
  DLPU_TRY(const auto range,
           IntegerActivationRange<T>(context, context.attrs<ArithmeticAttrs>().activation));
  return PrepareBinary<T>(context, [range, subtract](T x, T y) {
    const auto b = static_cast<Bits>(y);
    const auto sum = static_cast<T>(static_cast<Bits>(x) + (subtract ? Bits{0} - b : b));
    return std::min(std::max(sum, range.low), range.high);
  });
}

Result<PreparedOp> PrepareFloat(const PrepareContext& context, bool subtract) {
  DLPU_TRY(const FloatRange range,
           FloatActivationRange(context, context.attrs<ArithmeticAttrs>().activation));
  if (const ElementwiseF32Row* row = ChooseElementwiseF32(context.cpu); row != nullptr) {
    return PrepareFloats(context, *row, subtract ? row->float_difference : row->float_sum, range);
  }
  const float sign = subtract ? -1.0f : 1.0f;  // x + -1 * y is x - y exactly
  return PrepareBinary<float>(context, [range, sign](float x, float y) {
    return std::min(std::max(x + sign * y, range.low), range.high);
  });
}

}  // namespace

Result<PreparedOp> PrepareSum(const PrepareContext& context, bool subtract) {
  DLPU_RETURN_IF_ERROR(InferBinary(context));
  switch (context.input(0).type) {
    case DataType::kFloat32:
      return PrepareFloat(context, subtract);
    case DataType::kInt32:
      return PrepareIntegers<int32_t>(context, subtract);
    case DataType::kInt64:
      return PrepareIntegers<int64_t>(context, subtract);
    case DataType::kInt16:
      if (!subtract && IsPlainInt16(context)) return PrepareIntegers<int16_t>(context, subtract);
      return PrepareQuantized(context, subtract);
    case DataType::kInt8:
    case DataType::kUInt8:
      return PrepareQuantized(context, subtract);
    default:
      return context.UnsupportedType(context.input(0),
                                     "float32, int8, uint8, int16, int32 or int64");
  }
}

}  // namespace dlpu
