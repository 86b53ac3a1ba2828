// SPDX-License-Identifier: Apache-2.0
// DEPTHWISE_CONV_2D: input NHWC, filter 1HWO with O = C * multiplier, optional bias; output NHWO.
// The multiplier is taken from the shapes, as LiteRT does, and the attribute is ignored.
#include <fmt/format.h>

#include <memory>
#include <utility>

#include "kernels/depthwise/depthwise.h"
#include "kernels/depthwise_f32/depthwise_f32.h"
#include "ops/common.h"
#include "ops/conv.h"
#include "ops/conv16.h"
#include "ops/hybrid.h"
#include "ops/layer.h"

namespace dlpu {
namespace {

struct Geometry {
  int32_t out_c = 0, multiplier = 1;
  ConvWindows window;
};

Result<Geometry> ComputeGeometry(const OpContext& context) {
  const Shape& input = context.input(0).shape;
  const Shape& filter = context.input(1).shape;
  if (input.size() != 4 || filter.size() != 4 || filter[0] != 1) {
    return context.Invalid(fmt::format("input {} must be NxHxWxC and filter {} 1xHxWxO",
                                       ShapeText(input), ShapeText(filter)));
  }
  Geometry g;
  g.out_c = filter[3];
  if (input[3] < 1 || g.out_c < 1 || g.out_c % input[3] != 0) {
    return context.Invalid(fmt::format("{} output channels are not a multiple of {} input channels",
                                       g.out_c, input[3]));
  }
  g.multiplier = g.out_c / input[3];
  DLPU_TRY(g.window, ComputeConvWindows(context, filter[1], filter[2]));
  return g;
}

Result<std::vector<OutputSpec>> Infer(const OpContext& context) {
  DLPU_TRY(const Geometry g, ComputeGeometry(context));
  const Tensor& input = context.input(0);
  return std::vector<OutputSpec>{
      {input.type, {input.shape[0], g.window.y.output, g.window.x.output, g.out_c}}};
}

Work CountWork(const OpContext& context) {
  Work work = ElementwiseWork(context, 1);
  const Shape& filter = context.input(1).shape;
  work.macs = ElementCount(context.output(0).shape) * filter[1] * filter[2];
  return work;
}

Result<DepthwiseSpec> MakeSpec(const PrepareContext& context, const Geometry& g) {
  const Tensor &input = context.input(0), &filter = context.input(1), &output = context.output(0);
  const auto& attrs = context.attrs<ConvAttrs>();
  const bool is_unsigned = input.type == DataType::kUInt8;
  const Profile profile = LayerProfile(context, LayerKind::kConvolution);
  DLPU_TRY(const CodeRange range, LayerActivationRange(context, profile, attrs.activation, output));
  // The optimized int8 kernel rounds vectors of eight channels half up and the rest as the
  // reference does; the uint8 kernel rounds all of them as the reference does.
  const bool builtin = profile == Profile::kTfliteBuiltin;
  const Rounding rounding = builtin && is_unsigned ? Rounding::kDouble : ConvRounding(profile);
  auto spec = SpatialSpec<DepthwiseSpec>(context, g.window);
  spec.multiplier = g.multiplier;
  spec.input_signed = spec.weights_signed = spec.output_signed = !is_unsigned;
  spec.input_zero = input.quantization.zero0();
  spec.weights_zero = is_unsigned ? filter.quantization.zero0() : 0;
  spec.output_zero = output.quantization.zero0();
  spec.low = range.low;
  spec.high = range.high;
  spec.rounding = rounding;
  spec.tail_rounding = builtin ? Rounding::kDouble : rounding;
  spec.rounding_split = builtin ? g.out_c / 8 * 8 : INT32_MAX;
  DLPU_TRY(spec.requantization,
           ConvRequantization(context, profile, input, filter, output, g.out_c));
  return spec;
}

Result<PreparedOp> PrepareQuantized(const PrepareContext& context, const Geometry& g) {
  DLPU_RETURN_IF_ERROR(ExpectQuantized8(context, 3));
  DLPU_RETURN_IF_ERROR(ExpectBias(context, 2, DataType::kInt32, g.out_c));
  DLPU_TRY(DepthwiseSpec spec, MakeSpec(context, g));
  LeaveOutBorder(context.border, spec);
  const std::vector<int32_t> bias = Int32Bias(context, 2, g.out_c);
  std::shared_ptr<PreparedDepthwise> kernel =
      PrepareDepthwise(spec, WeightBytes(context.input(1)).data(), bias.data(), context.cpu);
  return RunByteKernel(context, kernel);
}

// As a grouped convolution, whose weights stand O,H,W,1 instead of 1,H,W,O.
std::vector<int16_t> GroupWeights(const std::vector<int16_t>& weights, int64_t channels) {
  const int64_t positions = static_cast<int64_t>(weights.size()) / channels;
  std::vector<int16_t> grouped(weights.size());
  for (int64_t c = 0; c < channels; ++c) {
    for (int64_t i = 0; i < positions; ++i) {
      grouped[c * positions + i] = weights[i * channels + c];
    }
  }
  return grouped;
}

Result<PreparedOp> PrepareInt16(const PrepareContext& context, const Geometry& g) {
  const auto& attrs = context.attrs<ConvAttrs>();
  DLPU_RETURN_IF_ERROR(ExpectQuantized16(context, 3));
  DLPU_TRY(std::vector<int64_t> bias, WideBias(context, 2, g.out_c, DataType::kInt64));
  DLPU_TRY(const CodeRange range,
           QuantizedActivationRange(context, attrs.activation, context.output(0)));
  auto spec = SpatialSpec<Conv16Spec>(context, g.window);
  spec.out_c = g.out_c;
  spec.groups = spec.in_c;
  spec.low = range.low;
  spec.high = range.high;
  spec.rounding = Rounding16::kInt64;
  DLPU_TRY(spec.requantization, EffectiveScales(context, ScaleWidth::kBinary64, context.input(0),
                                                context.input(1), context.output(0), g.out_c));
  return RunConv16(std::move(spec), GroupWeights(WideWeights(context.input(1), 0), g.out_c),
                   std::move(bias));
}

DepthwiseF32Spec FloatSpec(const OpContext& context, const Geometry& g, FloatRange range) {
  auto spec = SpatialSpec<DepthwiseF32Spec>(context, g.window);
  spec.multiplier = g.multiplier;
  spec.low = range.low;
  spec.high = range.high;
  return spec;
}

Result<PreparedOp> PrepareFloat(const PrepareContext& context, const Geometry& g) {
  DLPU_RETURN_IF_ERROR(ExpectFloat(context));
  DLPU_RETURN_IF_ERROR(ExpectBias(context, 2, DataType::kFloat32, g.out_c));
  DLPU_TRY(const FloatRange range,
           FloatActivationRange(context, context.attrs<ConvAttrs>().activation));
  DepthwiseF32Spec spec = FloatSpec(context, g, range);
  LeaveOutBorder(context.border, spec);
  const float* weights = FloatsOf(context.input(1)).data();
  return RunFloatKernel(context, std::shared_ptr<PreparedDepthwiseF32>(PrepareDepthwiseF32(
                                     spec, weights, FloatBias(context, 2).data(), context.cpu)));
}

Result<PreparedOp> PrepareHybrid(const PrepareContext& context, const Geometry& g) {
  DLPU_RETURN_IF_ERROR(ExpectHybrid(context, 3, g.out_c));
  DLPU_TRY(const FloatRange range,
           FloatActivationRange(context, context.attrs<ConvAttrs>().activation));
  std::vector<float> scales = context.input(1).quantization.scale;
  if (scales.size() == 1) scales.resize(static_cast<size_t>(g.out_c), scales[0]);
  return RunHybridDepthwise(context, {FloatSpec(context, g, range), std::move(scales)});
}

}  // namespace

const OpDef kDepthwiseConv2dOp = {
    .op = Op::kDepthwiseConv2d,
    .arity = Arity{2, 3, 1, 1},
    .infer = Infer,
    .quantize = QuantizeRule{.weights = 1, .bias = 2, .channel_axis = 3},
    .work = CountWork,
    .prepare =
        PrepareLayer<ComputeGeometry, PrepareHybrid, PrepareFloat, PrepareQuantized, PrepareInt16>,
    .alias = Alias::kNone,
};

}  // namespace dlpu
