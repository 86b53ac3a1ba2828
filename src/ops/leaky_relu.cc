// SPDX-License-Identifier: Apache-2.0
// LEAKY_RELU: x where x > 0, else alpha * x.
#include <fmt/format.h>

#include <cmath>

#include "kernels/elementwise/quantized.h"
#include "ops/unary.h"

namespace dlpu {
namespace {

Result<PreparedOp> PrepareQuantized(const PrepareContext& context, float alpha) {
  DLPU_TRY(const UnaryCodes codes, ExpectUnaryCodes(context));
  // Both factors are binary32 in LiteRT.
  const float positive = codes.in.scale / codes.out.scale;
  const float negative = codes.in.scale * alpha / codes.out.scale;
  if (!std::isfinite(positive) || !std::isfinite(negative)) {
    return context.Invalid(fmt::format("alpha {} or the scales overflow", alpha));
  }
  RescaleBySign rescale;
  rescale.zero_in = codes.in.zero;
  rescale.zero_out = codes.out.zero;
  rescale.positive = QuantizeMultiplier(positive);
  rescale.negative = QuantizeMultiplier(negative);
  rescale.low = codes.low;
  rescale.high = codes.high;
  return PrepareCodeMap(context, rescale);
}

Result<PreparedOp> Prepare(const PrepareContext& context) {
  const float alpha = context.attrs<LeakyReluAttrs>().alpha;
  switch (context.input(0).type) {
    case DataType::kFloat32:
      return PrepareMap<float>(context, [alpha](float x) { return x > 0 ? x : x * alpha; });
    case DataType::kInt8:
    case DataType::kUInt8:
    case DataType::kInt16:
      return PrepareQuantized(context, alpha);
    default:
      return context.UnsupportedType(context.input(0), "float32, int8, uint8 or int16");
  }
}

}  // namespace

const OpDef kLeakyReluOp = {
    .op = Op::kLeakyRelu,
    .arity = Arity{1, 1, 1, 1},
    .infer = InferSameAsInput,
    .quantize = QuantizeRule{},
    .work = CountElements<2>,
    .prepare = Prepare,
    .alias = Alias::kNone,
};

}  // namespace dlpu
