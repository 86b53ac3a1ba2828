// SPDX-License-Identifier: Apache-2.0
// FLOOR_DIV: the largest whole number not above a / b; codes are plain integers.
#include <cmath>
#include <type_traits>

#include "ops/binary.h"
#include "ops/unary.h"

namespace dlpu {
namespace {

// The quotient in binary64, as LiteRT has it: exact for integers of 32 bits.
template <typename T>
Result<PreparedOp> PrepareType(const PrepareContext& context) {
  DLPU_TRY(PreparedOp op, PrepareBinary<T>(context, [](T a, T b) {
             const double q = std::floor(static_cast<double>(a) / static_cast<double>(b));
             if constexpr (std::is_integral_v<T>) {
               return static_cast<T>(static_cast<int64_t>(q));  // -2^31 / -1 wraps
             } else {
               return static_cast<T>(q);
             }
           }));
  return GuardDivisor<T>(context, std::move(op), 0);
}

Result<PreparedOp> Prepare(const PrepareContext& context) {
  DLPU_RETURN_IF_ERROR(InferBinary(context));
  switch (context.input(0).type) {
    case DataType::kFloat32:
      return PrepareType<float>(context);
    case DataType::kInt8:
      return PrepareType<int8_t>(context);
    case DataType::kInt16:
      return PrepareType<int16_t>(context);
    case DataType::kInt32:
      return PrepareType<int32_t>(context);
    default:
      return context.UnsupportedType(context.input(0), "float32, int8, int16 or int32");
  }
}

}  // namespace

const OpDef kFloorDivOp = {
    .op = Op::kFloorDiv,
    .arity = Arity{2, 2, 1, 1},
    .infer = InferBinary,
    .quantize = QuantizeRule{.kind = QuantizeRule::Kind::kFloatOnly},
    .work = CountElements<4>,
    .prepare = Prepare,
    .alias = Alias::kNone,
};

}  // namespace dlpu
