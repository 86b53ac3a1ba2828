// SPDX-License-Identifier: Apache-2.0
// LOG: the natural logarithm; codes without one give the lowest output code.
#include <cmath>

#include "kernels/lut/portable_math.h"
#include "ops/unary.h"

namespace dlpu {
namespace {

Result<PreparedOp> PrepareQuantized(const PrepareContext& context) {
  DLPU_TRY(const UnaryCodes codes, ExpectUnaryCodes(context));
  const float lowest = static_cast<float>(codes.low - codes.out.zero) * codes.out.scale;
  const auto log = [lowest](float x) {
    return x <= 0 ? lowest : static_cast<float>(PortableLog(x));
  };
  if (context.input(0).type == DataType::kInt8) return PrepareTable8(context, log);
  return PrepareTable16(context, log);
}

Result<PreparedOp> Prepare(const PrepareContext& context) {
  switch (context.input(0).type) {
    case DataType::kFloat32:
      return PrepareMap<float>(context, [](float x) { return std::log(x); });
    case DataType::kInt8:
    case DataType::kInt16:
      return PrepareQuantized(context);
    default:
      return context.UnsupportedType(context.input(0), "float32, int8 or int16");
  }
}

}  // namespace

const OpDef kLogOp = {
    .op = Op::kLog,
    .arity = Arity{1, 1, 1, 1},
    .infer = InferSameAsInput,
    .quantize = QuantizeRule{},
    .work = CountElements<8>,
    .prepare = Prepare,
    .alias = Alias::kNone,
};

}  // namespace dlpu
