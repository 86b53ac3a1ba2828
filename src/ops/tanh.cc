// SPDX-License-Identifier: Apache-2.0
// TANH: the hyperbolic tangent. A 16-bit output has scale 1/32768.
#include <fmt/format.h>

#include <cmath>

#include "kernels/lut/portable_math.h"
#include "kernels/lut/sigmoid16.h"
#include "ops/unary.h"

namespace dlpu {
namespace {

Work CountWork(const OpContext& context) { return ElementwiseWork(context, 8); }

Result<PreparedOp> Prepare16(const PrepareContext& context) {
  DLPU_TRY(const UnaryCodes codes, ExpectUnaryCodes(context));
  if (std::abs(std::log2(codes.out.scale) + 15) >= 1e-3f) {
    return context.Unsupported(
        fmt::format("the output's scale must be 1/32768, not {}", codes.out.scale));
  }
  const Sigmoid16Input scale = MakeSigmoid16Input(codes.in.scale, true);
  return PrepareCodeMap(context, [scale](int32_t code) -> int32_t {
    return Tanh16(scale, static_cast<int16_t>(code));
  });
}

Result<PreparedOp> Prepare(const PrepareContext& context) {
  switch (context.input(0).type) {
    case DataType::kFloat32:
      return PrepareMap<float>(context, [](float x) { return std::tanh(x); });
    case DataType::kInt8:
    case DataType::kUInt8:
      return PrepareTable8(context, [](float x) { return static_cast<float>(PortableTanh(x)); });
    case DataType::kInt16:
      return Prepare16(context);
    default:
      return context.UnsupportedType(context.input(0), "float32, int8, uint8 or int16");
  }
}

}  // namespace

const OpDef kTanhOp = {
    .op = Op::kTanh,
    .arity = Arity{1, 1, 1, 1},
    .infer = InferSameAsInput,
    .quantize = QuantizeRule{.kind = QuantizeRule::Kind::kFixedOutput,
                             .fixed_scale = 1.0f / 128,
                             .fixed_zero_point = 0},
    .work = CountWork,
    .prepare = Prepare,
    .alias = Alias::kNone,
};

}  // namespace dlpu
