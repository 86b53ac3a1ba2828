// SPDX-License-Identifier: Apache-2.0
// FLOOR_MOD: the remainder of a / b with the sign of b; codes are plain integers.
#include <cmath>
#include <type_traits>

#include "ops/binary.h"
#include "ops/unary.h"

namespace dlpu {
namespace {

template <typename T>
T Remainder(T a, T b) {
  if constexpr (std::is_integral_v<T>) {
    return b == -1 ? T{0} : static_cast<T>(a % b);  // the lowest value % -1 would trap
  } else {
    return std::fmod(a, b);
  }
}

template <typename T>
Result<PreparedOp> PrepareType(const PrepareContext& context) {
  return PrepareBinary<T>(context, [](T a, T b) {
    const T r = b == 0 && std::is_integral_v<T> ? T{0} : Remainder(a, b);
    return static_cast<T>(r != 0 && (b < 0) != (r < 0) ? r + b : r);
  });
}

template <typename T>
Result<PreparedOp> PrepareIntegers(const PrepareContext& context) {
  DLPU_TRY(PreparedOp op, PrepareType<T>(context));
  return GuardDivisor<T>(context, std::move(op), 0);
}

Result<PreparedOp> Prepare(const PrepareContext& context) {
  DLPU_RETURN_IF_ERROR(InferBinary(context));
  switch (context.input(0).type) {
    case DataType::kFloat32:  // division by 0 gives NaN
      return PrepareType<float>(context);
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

const OpDef kFloorModOp = {
    .op = Op::kFloorMod,
    .arity = Arity{2, 2, 1, 1},
    .infer = InferBinary,
    .quantize = QuantizeRule{.kind = QuantizeRule::Kind::kFloatOnly},
    .work = CountElements<4>,
    .prepare = Prepare,
    .alias = Alias::kNone,
};

}  // namespace dlpu
