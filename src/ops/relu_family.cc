// SPDX-License-Identifier: Apache-2.0
// The clamps of the RELU family.
#include "ops/relu_family.h"

#include <cmath>

#include "kernels/elementwise/quantized.h"
#include "kernels/elementwise_f32/rows.h"
#include "ops/unary.h"

namespace dlpu {
namespace {

Result<PreparedOp> PrepareQuantized(const PrepareContext& context, float low, float high) {
  DLPU_TRY(const UnaryCodes codes, ExpectUnaryCodes(context));
  const auto bound = [&](float v) -> int64_t {
    return codes.out.zero + static_cast<int64_t>(RoundToInt32(std::round(v / codes.out.scale)));
  };
  Rescale rescale;
  rescale.zero_in = codes.in.zero;
  rescale.zero_out = codes.out.zero;
  rescale.multiplier = QuantizeMultiplier(codes.in.scale / codes.out.scale);
  rescale.low = static_cast<int32_t>(std::max<int64_t>(codes.low, bound(low)));
  rescale.high = codes.high;
  if (!std::isinf(high)) {
    rescale.high = static_cast<int32_t>(std::min<int64_t>(codes.high, bound(high)));
  }
  return PrepareCodeMap(context, rescale);
}

}  // namespace

Result<PreparedOp> PrepareRelu(const PrepareContext& context, float low, float high,
                               bool takes_int16) {
  switch (context.input(0).type) {
    case DataType::kFloat32:
      if (const ElementwiseF32Row* row = ChooseElementwiseF32(context.cpu); row != nullptr) {
        // Times 1, then clamped.
        return PrepareFloatRow(
            context, row->name,
            [product = row->float_product, low, high](const float* in, float* out, int64_t n) {
              const float one = 1;
              product({in, &one, true, false, low, high}, out, n);
            });
      }
      // A NaN passes, as in LiteRT's comparisons.
      return PrepareMap<float>(context, [low, high](float x) {
        return x > high ? high : x < low ? low : x;
      });
    case DataType::kInt16:
      if (takes_int16) return PrepareQuantized(context, low, high);
      break;
    case DataType::kInt8:
    case DataType::kUInt8:
      return PrepareQuantized(context, low, high);
    default:
      break;
  }
  return context.UnsupportedType(
      context.input(0), takes_int16 ? "float32, int8, uint8 or int16" : "float32, int8 or uint8");
}

Work ReluWork(const OpContext& context) { return ElementwiseWork(context, 1); }

}  // namespace dlpu
