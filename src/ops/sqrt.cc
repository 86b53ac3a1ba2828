// SPDX-License-Identifier: Apache-2.0
// SQRT: the square root; a negative code is an error.
#include <cmath>

#include "kernels/elementwise/quantized.h"
#include "ops/unary.h"

namespace dlpu {
namespace {

Result<PreparedOp> PrepareQuantized(const PrepareContext& context) {
  DLPU_TRY(const UnaryCodes codes, ExpectUnaryCodes(context));
  const QuantizedSqrt root{codes.in.scale, codes.out.scale, codes.in.zero,
                           codes.out.zero, codes.low,       codes.high};
  return PrepareNonNegativeCodes(context, codes, root);
}

Result<PreparedOp> Prepare(const PrepareContext& context) {
  switch (context.input(0).type) {
    case DataType::kFloat32:
      return PrepareMap<float>(context, [](float x) { return std::sqrt(x); });
    case DataType::kInt8:
    case DataType::kInt16:
      return PrepareQuantized(context);
    default:
      return context.UnsupportedType(context.input(0), "float32, int8 or int16");
  }
}

}  // namespace

const OpDef kSqrtOp = {
    .op = Op::kSqrt,
    .arity = Arity{1, 1, 1, 1},
    .infer = InferSameAsInput,
    .quantize = QuantizeRule{},
    .work = CountElements<4>,
    .prepare = Prepare,
    .alias = Alias::kNone,
};

}  // namespace dlpu
