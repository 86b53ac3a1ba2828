// SPDX-License-Identifier: Apache-2.0
// SQUARED_DIFFERENCE: (a - b)^2 with broadcasting.
#include <fmt/format.h>

#include <cmath>

#include "kernels/elementwise/quantized.h"
#include "ops/binary.h"
#include "ops/unary.h"

namespace dlpu {
namespace {

Result<PreparedOp> PrepareCodes(const PrepareContext& context) {
  DLPU_RETURN_IF_ERROR(ExpectBinaryCodes(context));
  const Quantization &a = context.input(0).quantization, &b = context.input(1).quantization,
                     &out = context.output(0).quantization;
  QuantizedSquaredDifference squared;
  QuantizedSum& d = squared.difference;
  d.zero_a = a.zero0();
  d.zero_b = b.zero0();
  d.zero_out = out.zero0();
  d.left_shift = 7;
  d.subtract = true;
  d.low = LowestCode(DataType::kInt8);
  d.high = HighestCode(DataType::kInt8);
  const double twice_largest = static_cast<double>(2 * std::max(a.scale0(), b.scale0()));
  const double factor = twice_largest * twice_largest /
                        static_cast<double>(static_cast<float>(1 << 14) * out.scale0());
  d.a = QuantizeMultiplier(a.scale0() / twice_largest);
  d.b = QuantizeMultiplier(b.scale0() / twice_largest);
  d.out = QuantizeMultiplier(factor);
  if (!std::isfinite(twice_largest) || !(factor < 1) || d.out.shift > 0) {
    return context.Unsupported(
        fmt::format("output scale {} is too small for inputs of scale {} and {}", out.scale0(),
                    a.scale0(), b.scale0()));
  }
  return PrepareBinary<int8_t>(
      context, [squared](int8_t x, int8_t y) { return static_cast<int8_t>(squared(x, y)); });
}

Result<PreparedOp> Prepare(const PrepareContext& context) {
  DLPU_RETURN_IF_ERROR(InferBinary(context));
  switch (context.input(0).type) {
    case DataType::kFloat32:
      return PrepareBinary<float>(context, [](float x, float y) { return (x - y) * (x - y); });
    case DataType::kInt32:
      return PrepareBinary<int32_t>(context, [](int32_t x, int32_t y) {
        const int32_t difference = SubWrap(x, y);
        return MulWrap(difference, difference);
      });
    case DataType::kInt8:
      return PrepareCodes(context);
    default:
      return context.UnsupportedType(context.input(0), "float32, int8 or int32");
  }
}

}  // namespace

const OpDef kSquaredDifferenceOp = {
    .op = Op::kSquaredDifference,
    .arity = Arity{2, 2, 1, 1},
    .infer = InferBinary,
    .quantize = QuantizeRule{},
    .work = CountElements<2>,
    .prepare = Prepare,
    .alias = Alias::kNone,
};

}  // namespace dlpu
