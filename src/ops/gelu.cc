// SPDX-License-Identifier: Apache-2.0
// GELU: x times the normal distribution function of x, or its approximation by tanh.
#include <cmath>

#include "kernels/lut/portable_math.h"
#include "ops/unary.h"

namespace dlpu {
namespace {

constexpr float kSqrtHalf = 0.70710678118654752440f;
constexpr float kSqrtTwoOverPi = 0.79788456080286535588f;

// Both in binary32 from left to right; `erfc` and `tanh` are those of the C library for float
// tensors, portable ones for tables.
template <typename Erfc>
float Exact(float x, Erfc erfc) {
  return 0.5f * x * erfc(x * -kSqrtHalf);
}
template <typename Tanh>
float Approximate(float x, Tanh tanh) {
  return 0.5f * x * (1.0f + tanh(kSqrtTwoOverPi * (x + 0.044715f * x * x * x)));
}

float ExactForTable(float x) {
  return Exact(x, [](float v) { return static_cast<float>(1.0 - PortableErf(v)); });
}
float ApproximateForTable(float x) {
  return Approximate(x, [](float v) { return static_cast<float>(PortableTanh(v)); });
}

Result<PreparedOp> Prepare(const PrepareContext& context) {
  const bool approximate = context.attrs<GeluAttrs>().approximate;
  switch (context.input(0).type) {
    case DataType::kFloat32:
      if (approximate) {
        return PrepareMap<float>(
            context, [](float x) { return Approximate(x, [](float v) { return std::tanh(v); }); });
      }
      return PrepareMap<float>(
          context, [](float x) { return Exact(x, [](float v) { return std::erfc(v); }); });
    case DataType::kInt8:
    case DataType::kUInt8:
      return PrepareTable8(context, approximate ? ApproximateForTable : ExactForTable);
    case DataType::kInt16:
      return PrepareTable16(context, approximate ? ApproximateForTable : ExactForTable);
    default:
      return context.UnsupportedType(context.input(0), "float32, int8, uint8 or int16");
  }
}

}  // namespace

const OpDef kGeluOp = {
    .op = Op::kGelu,
    .arity = Arity{1, 1, 1, 1},
    .infer = InferSameAsInput,
    .quantize = QuantizeRule{},
    .work = CountElements<10>,
    .prepare = Prepare,
    .alias = Alias::kNone,
};

}  // namespace dlpu
