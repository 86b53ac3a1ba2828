// SPDX-License-Identifier: Apache-2.0
// POW: a^b with broadcasting; a negative integer exponent is an error.
#include <cfloat>
#include <cmath>

#include "ops/binary.h"
#include "ops/unary.h"

namespace dlpu {
namespace {

// x^n, n >= 1, as LiteRT multiplies it out for a single exponent: float products are limited to the
// finite range.
float Multiply(float a, float b) { return std::min(std::max(a * b, -FLT_MAX), FLT_MAX); }
int32_t Multiply(int32_t a, int32_t b) { return MulWrap(a, b); }
template <typename T>
T WholePower(T x, int n) {
  if (n == 1) return x;
  const T half = WholePower(x, n / 2);
  const T square = Multiply(half, half);
  return n % 2 == 1 ? Multiply(x, square) : square;
}

float Power(float a, float b) { return std::pow(a, b); }
int32_t Power(int32_t a, int32_t b) {
  return RoundToInt32(std::trunc(std::pow(static_cast<double>(a), static_cast<double>(b))));
}

template <typename T>
Result<PreparedOp> PrepareType(const PrepareContext& context) {
  const Shape &base = context.input(0).shape, &exponent = context.input(1).shape;
  if (base == exponent || ElementCount(exponent) != 1) {
    return PrepareBinary<T>(context, [](T a, T b) { return Power(a, b); });
  }
  return PrepareBinary<T>(context, [](T a, T b) {
    const float nearest = std::round(static_cast<float>(b));
    const bool whole = nearest >= 1 && nearest < 1e9f && std::abs(b - nearest) < 1e-5f;
    return whole ? WholePower(a, static_cast<int>(nearest)) : Power(a, b);
  });
}

Result<PreparedOp> Prepare(const PrepareContext& context) {
  DLPU_RETURN_IF_ERROR(InferBinary(context));
  switch (context.input(0).type) {
    case DataType::kFloat32:
      return PrepareType<float>(context);
    case DataType::kInt32: {
      DLPU_TRY(PreparedOp op, PrepareType<int32_t>(context));
      return GuardInput<int32_t>(std::move(op), 1, ElementCount(context.input(1).shape),
                                 context.Invalid("an exponent is negative"),
                                 [](int32_t b) { return b >= 0; });
    }
    default:
      return context.UnsupportedType(context.input(0), "float32 or int32");
  }
}

}  // namespace

const OpDef kPowOp = {
    .op = Op::kPow,
    .arity = Arity{2, 2, 1, 1},
    .infer = InferBinary,
    .quantize = QuantizeRule{.kind = QuantizeRule::Kind::kFloatOnly},
    .work = CountElements<16>,
    .prepare = Prepare,
    .alias = Alias::kNone,
};

}  // namespace dlpu
