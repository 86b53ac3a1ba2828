// SPDX-License-Identifier: Apache-2.0
// NEG: -x. Codes are negated as plain integers: scale and zero point play no part.
#include "ops/unary.h"

namespace dlpu {
namespace {

template <typename T>
PreparedOp PrepareIntegers(const PrepareContext& context) {
  // The lowest value stays itself, as in two's complement.
  return PrepareMap<T>(context, [](T x) { return static_cast<T>(0 - static_cast<uint64_t>(x)); });
}

Result<PreparedOp> Prepare(const PrepareContext& context) {
  switch (context.input(0).type) {
    case DataType::kFloat32:
      return PrepareMap<float>(context, [](float x) { return -x; });
    case DataType::kInt8:
      return PrepareIntegers<int8_t>(context);
    case DataType::kInt16:
      return PrepareIntegers<int16_t>(context);
    case DataType::kInt32:
      return PrepareIntegers<int32_t>(context);
    case DataType::kInt64:
      return PrepareIntegers<int64_t>(context);
    default:
      return context.UnsupportedType(context.input(0), "float32, int8, int16, int32 or int64");
  }
}

}  // namespace

const OpDef kNegOp = {
    .op = Op::kNeg,
    .arity = Arity{1, 1, 1, 1},
    .infer = InferSameAsInput,
    .quantize = QuantizeRule{.kind = QuantizeRule::Kind::kFloatOnly},
    .work = CountElements<1>,
    .prepare = Prepare,
    .alias = Alias::kNone,
};

}  // namespace dlpu
