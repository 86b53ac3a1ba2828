// SPDX-License-Identifier: Apache-2.0
// ABS: the absolute value.
#include <cmath>

#include "kernels/elementwise/quantized.h"
#include "ops/unary.h"

namespace dlpu {
namespace {

Result<PreparedOp> PrepareQuantized(const PrepareContext& context) {
  DLPU_TRY(const UnaryCodes codes, ExpectUnaryCodes(context));
  QuantizedAbs abs;
  abs.zero_in = codes.in.zero;
  abs.zero_out = codes.out.zero;
  abs.same_scale = codes.in.scale == codes.out.scale;
  abs.multiplier = QuantizeMultiplier(codes.in.scale / codes.out.scale);
  abs.low = codes.low;
  abs.high = codes.high;
  return PrepareCodeMap(context, abs);
}

Result<PreparedOp> Prepare(const PrepareContext& context) {
  switch (context.input(0).type) {
    case DataType::kFloat32:
      return PrepareMap<float>(context, [](float x) { return std::abs(x); });
    case DataType::kInt32:
      return PrepareMap<int32_t>(context, [](int32_t x) { return x < 0 ? SubWrap(0, x) : x; });
    case DataType::kInt16:
      if (context.input(0).quantization.present()) return PrepareQuantized(context);
      return PrepareMap<int16_t>(context,
                                 [](int16_t x) { return static_cast<int16_t>(x < 0 ? -x : x); });
    case DataType::kInt8:
      return PrepareQuantized(context);
    default:
      return context.UnsupportedType(context.input(0), "float32, int8, int16 or int32");
  }
}

}  // namespace

const OpDef kAbsOp = {
    .op = Op::kAbs,
    .arity = Arity{1, 1, 1, 1},
    .infer = InferSameAsInput,
    .quantize = QuantizeRule{},
    .work = CountElements<1>,
    .prepare = Prepare,
    .alias = Alias::kNone,
};

}  // namespace dlpu
