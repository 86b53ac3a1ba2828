// SPDX-License-Identifier: Apache-2.0
// HARD_SWISH: x * relu6(x + 3) / 6.
#include <algorithm>

#include "kernels/elementwise/quantized.h"
#include "ops/unary.h"

namespace dlpu {
namespace {

Work CountWork(const OpContext& context) { return ElementwiseWork(context, 4); }

Result<PreparedOp> PrepareQuantized(const PrepareContext& context) {
  DLPU_TRY(const UnaryCodes codes, ExpectUnaryCodes(context));
  // The input with 7 more bits; the gate's scale makes 3.0 the code 32768. All in binary32.
  const float fine_scale = (1.0f / 128.0f) * codes.in.scale;
  const QuantizedMultiplier output = QuantizeMultiplier(fine_scale / codes.out.scale);
  const QuantizedMultiplier reluish = QuantizeMultiplier(fine_scale / (3.0f / 32768.0f));
  if (output.shift > 0) {
    return context.Unsupported("the output's scale is below 1/128 of the input's");
  }
  QuantizedHardSwish swish;
  swish.zero_in = codes.in.zero;
  swish.zero_out = codes.out.zero;
  swish.output = ReduceMultiplierTo16(output.multiplier);
  swish.output_exponent = output.shift;
  swish.reluish = ReduceMultiplierTo16(reluish.multiplier);
  swish.reluish_exponent = std::min(reluish.shift, 31);
  swish.low = codes.low;
  swish.high = codes.high;
  return PrepareCodeMap(context, swish);
}

Result<PreparedOp> Prepare(const PrepareContext& context) {
  switch (context.input(0).type) {
    case DataType::kFloat32:
      return PrepareMap<float>(
          context, [](float x) { return x * std::min(6.0f, std::max(0.0f, x + 3)) / 6; });
    case DataType::kInt8:
    case DataType::kUInt8:
      return PrepareQuantized(context);
    default:
      return context.UnsupportedType(context.input(0), "float32, int8 or uint8");
  }
}

}  // namespace

const OpDef kHardSwishOp = {
    .op = Op::kHardSwish,
    .arity = Arity{1, 1, 1, 1},
    .infer = InferSameAsInput,
    .quantize = QuantizeRule{},
    .work = CountWork,
    .prepare = Prepare,
    .alias = Alias::kNone,
};

}  // namespace dlpu
