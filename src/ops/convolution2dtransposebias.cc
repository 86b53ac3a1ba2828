// SPDX-License-Identifier: Apache-2.0
// Convolution2DTransposeBias, MediaPipe's float32 transposed convolution: input NHWC, weights OHWI
// and a bias that every sum starts with. Source: transpose_conv_bias.cc of MediaPipe.
#include <fmt/format.h>

#include <algorithm>
#include <cfloat>

#include "ops/transposed.h"

namespace dlpu {
namespace {

constexpr TransposedInputs kInputs = {.data = 0, .weights = 1, .bias = 2};

// What SAME padding takes off the full output along one axis.
int64_t TakenOff(Padding padding, int64_t input, int64_t kernel, int64_t stride) {
  return padding == Padding::kSame ? std::max<int64_t>(0, kernel - (input - 1) % stride - 1) : 0;
}

Result<std::vector<OutputSpec>> Infer(const OpContext& context) {
  DLPU_RETURN_IF_ERROR(ExpectTransposed(context, kInputs));
  const Shape &data = context.input(0).shape, &weights = context.input(1).shape;
  const auto& attrs = context.attrs<ConvAttrs>();
  const auto extent = [&](int64_t input, int64_t kernel, int64_t stride) {
    return stride * (input - 1) + kernel - TakenOff(attrs.padding, input, kernel, stride);
  };
  const int64_t height = extent(data[1], weights[1], attrs.stride_h);
  const int64_t width = extent(data[2], weights[2], attrs.stride_w);
  if (height > INT32_MAX || width > INT32_MAX) return context.Invalid("the output is too large");
  return std::vector<OutputSpec>{
      {DataType::kFloat32,
       {data[0], static_cast<int32_t>(height), static_cast<int32_t>(width), weights[0]}}};
}

Work CountWork(const OpContext& context) { return TransposedWork(context, kInputs); }

Result<PreparedOp> Prepare(const PrepareContext& context) {
  const Tensor& data = context.input(0);
  if (data.type != DataType::kFloat32) return context.UnsupportedType(data, "float32");
  const Shape& weights = context.input(1).shape;
  const auto& attrs = context.attrs<ConvAttrs>();
  const int64_t top = TakenOff(attrs.padding, data.shape[1], weights[1], attrs.stride_h) / 2;
  const int64_t left = TakenOff(attrs.padding, data.shape[2], weights[2], attrs.stride_w) / 2;
  const TransposeConvSpec spec =
      TransposedSpec(context, kInputs, static_cast<int32_t>(top), static_cast<int32_t>(left));
  // There is no activation and no clamp.
  constexpr float kInfinity = __builtin_huge_valf();
  return PrepareTransposedFloat(context, kInputs, spec, {true, -kInfinity, kInfinity});
}

}  // namespace

const OpDef kConvolution2dTransposeBiasOp = {
    .op = Op::kConvolution2dTransposeBias,
    .arity = Arity{3, 3, 1, 1},
    .infer = Infer,
    .quantize = QuantizeRule{.kind = QuantizeRule::Kind::kFloatOnly},
    .work = CountWork,
    .prepare = Prepare,
    .alias = Alias::kNone,
};

}  // namespace dlpu
