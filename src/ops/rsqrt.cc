// SPDX-License-Identifier: Apache-2.0
// RSQRT: 1 / sqrt(x); a negative code is an error.
#include <cmath>

#include "kernels/elementwise/quantized.h"
#include "ops/unary.h"

namespace dlpu {
namespace {

Result<PreparedOp> PrepareInt8(const PrepareContext& context) {
  DLPU_TRY(const UnaryCodes codes, ExpectUnaryCodes(context));
  QuantizedRsqrt root;
  root.zero_in = codes.in.zero;
  root.zero_out = codes.out.zero;
  root.multiplier =
      QuantizeMultiplier(1.0 / static_cast<double>(std::sqrt(codes.in.scale) * codes.out.scale));
  root.low = codes.low;
  root.high = codes.high;
  return PrepareNonNegativeCodes(context, codes, root);
}

Result<PreparedOp> PrepareInt16(const PrepareContext& context) {
  DLPU_TRY(const UnaryCodes codes, ExpectUnaryCodes(context));
  const float highest = 32767 * codes.out.scale;
  const auto rsqrt = [highest](float x) { return x <= 0 ? highest : 1.0f / std::sqrt(x); };
  const std::vector<int16_t> table =
      MakeTable16<float>(rsqrt, codes.in.scale, 0, codes.out.scale, 0);
  return PrepareNonNegativeCodes(context, codes, [&](int32_t code) -> int32_t {
    return LookUp16(table, static_cast<int16_t>(code));
  });
}

Result<PreparedOp> Prepare(const PrepareContext& context) {
  switch (context.input(0).type) {
    case DataType::kFloat32:
      return PrepareMap<float>(context, [](float x) { return 1.0f / std::sqrt(x); });
    case DataType::kInt8:
      return PrepareInt8(context);
    case DataType::kInt16:
      return PrepareInt16(context);
    default:
      return context.UnsupportedType(context.input(0), "float32, int8 or int16");
  }
}

}  // namespace

const OpDef kRsqrtOp = {
    .op = Op::kRsqrt,
    .arity = Arity{1, 1, 1, 1},
    .infer = InferSameAsInput,
    .quantize = QuantizeRule{},
    .work = CountElements<5>,
    .prepare = Prepare,
    .alias = Alias::kNone,
};

}  // namespace dlpu
