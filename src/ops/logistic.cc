// SPDX-License-Identifier: Apache-2.0
// LOGISTIC: 1 / (1 + exp(-x)). Quantized outputs have scale 1/256 (8 bits) or 1/32768 (16 bits).
#include <fmt/format.h>

#include <cmath>

#include "kernels/elementwise_f32/rows.h"
#include "kernels/lut/portable_math.h"
#include "kernels/lut/sigmoid16.h"
#include "ops/unary.h"

namespace dlpu {
namespace {

Work CountWork(const OpContext& context) { return ElementwiseWork(context, 8); }

Status ExpectOutputScale(const OpContext& context, float scale) {
  const float actual = context.output(0).quantization.scale0();
  if (actual == scale) return OkStatus();
  return context.Unsupported(fmt::format(
      "the output's scale must be {}, not {}; quantize the model again", scale, actual));
}

// LiteRT's float kernel: outside [-9, 16.6190472] one exponential or none is exact enough.
float Logistic(float x) {
  if (x > 16.619047164916992188f) return 1.0f;
  if (x < -9.0f) return std::exp(x);
  return 1.0f / (1.0f + std::exp(-x));
}

Result<PreparedOp> Prepare(const PrepareContext& context) {
  switch (context.input(0).type) {
    case DataType::kFloat32:
      if (const ElementwiseF32Row* row = ChooseElementwiseF32(context.cpu); row != nullptr) {
        return PrepareFloatRow(context, row->name, row->float_logistic);
      }
      return PrepareMap<float>(context, Logistic);
    case DataType::kInt8:
    case DataType::kUInt8: {
      DLPU_RETURN_IF_ERROR(ExpectUnaryCodes(context));
      DLPU_RETURN_IF_ERROR(ExpectOutputScale(context, 1.0f / 256));
      return PrepareTable8(
          context, [](float x) { return 1.0f / (1.0f + static_cast<float>(PortableExp(-x))); });
    }
    case DataType::kInt16: {
      DLPU_RETURN_IF_ERROR(ExpectUnaryCodes(context));
      DLPU_RETURN_IF_ERROR(ExpectOutputScale(context, 1.0f / 32768));
      const Sigmoid16Input scale =
          MakeSigmoid16Input(context.input(0).quantization.scale0(), false);
      return PrepareCodeMap(context, [scale](int32_t code) -> int32_t {
        return Logistic16(scale, static_cast<int16_t>(code));
      });
    }
    default:
      return context.UnsupportedType(context.input(0), "float32, int8, uint8 or int16");
  }
}

}  // namespace

const OpDef kLogisticOp = {
    .op = Op::kLogistic,
    .arity = Arity{1, 1, 1, 1},
    .infer = InferSameAsInput,
    .quantize = QuantizeRule{.kind = QuantizeRule::Kind::kFixedOutput,
                             .fixed_scale = 1.0f / 256,
                             .fixed_zero_point = -128},
    .work = CountWork,
    .prepare = Prepare,
    .alias = Alias::kNone,
};

}  // namespace dlpu
