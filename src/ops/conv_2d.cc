// SPDX-License-Identifier: Apache-2.0
// CONV_2D: input NHWC, filter OHWI (I = channels of one group), optional bias; output NHWO.
#include <fmt/format.h>

#include <memory>
#include <utility>

#include "kernels/conv/conv.h"
#include "kernels/conv_f32/conv_f32.h"
#include "ops/common.h"
#include "ops/conv.h"
#include "ops/conv16.h"
#include "ops/hybrid.h"
#include "ops/layer.h"

namespace dlpu {
namespace {

struct Geometry {
  int32_t groups = 1, out_c = 0;
  ConvWindows window;
};

Result<Geometry> ComputeGeometry(const OpContext& context) {
  const Shape& input = context.input(0).shape;
  const Shape& filter = context.input(1).shape;
  if (input.size() != 4 || filter.size() != 4) {
    return context.Invalid(fmt::format("input {} and filter {} must have 4 dimensions",
                                       ShapeText(input), ShapeText(filter)));
  }
  if (filter[3] < 1 || input[3] % filter[3] != 0) {
    return context.Invalid(
        fmt::format("{} input channels do not divide into groups of {}", input[3], filter[3]));
  }
  Geometry g;
  g.groups = input[3] / filter[3];
  g.out_c = filter[0];
  if (g.groups < 1 || g.out_c < 1 || g.out_c % g.groups != 0) {
    return context.Invalid(
        fmt::format("{} output channels do not divide into {} groups", g.out_c, g.groups));
  }
  DLPU_TRY(g.window, ComputeConvWindows(context, filter[1], filter[2]));
  return g;
}

Result<std::vector<OutputSpec>> Infer(const OpContext& context) {
  DLPU_TRY(const Geometry g, ComputeGeometry(context));
  return std::vector<OutputSpec>{
      {context.input(0).type,
       {context.input(0).shape[0], g.window.y.output, g.window.x.output, g.out_c}}};
}

Work CountWork(const OpContext& context) {
  Work work = ElementwiseWork(context, 1);
  const Shape& filter = context.input(1).shape;
  work.macs = ElementCount(context.output(0).shape) * filter[1] * filter[2] * filter[3];
  return work;
}

Result<PreparedOp> PrepareQuantized(const PrepareContext& context, const Geometry& g) {
  const Tensor &input = context.input(0), &filter = context.input(1), &output = context.output(0);
  const auto& attrs = context.attrs<ConvAttrs>();
  const bool is_unsigned = input.type == DataType::kUInt8;
  DLPU_RETURN_IF_ERROR(ExpectQuantized8(context, 0));
  DLPU_RETURN_IF_ERROR(ExpectBias(context, 2, DataType::kInt32, g.out_c));
  const Profile profile = LayerProfile(context, LayerKind::kConvolution);
  DLPU_TRY(const CodeRange range, LayerActivationRange(context, profile, attrs.activation, output));
  // LiteRT's optimized kernels leave groups to the reference kernel.
  const bool grouped = profile == Profile::kTfliteBuiltin && g.groups != 1;
  auto spec = SpatialSpec<ConvSpec>(context, g.window);
  spec.out_c = g.out_c;
  spec.groups = g.groups;
  spec.input_signed = spec.weights_signed = spec.output_signed = !is_unsigned;
  spec.input_zero = input.quantization.zero0();
  spec.weights_zero = is_unsigned ? filter.quantization.zero0() : 0;
  spec.output_zero = output.quantization.zero0();
  spec.low = range.low;
  spec.high = range.high;
  spec.rounding = grouped ? Rounding::kDouble : ConvRounding(profile);
  DLPU_TRY(spec.requantization,
           ConvRequantization(context, profile, input, filter, output, g.out_c));
  LeaveOutBorder(context.border, spec);
  const std::vector<int32_t> bias = Int32Bias(context, 2, g.out_c);
  std::shared_ptr<PreparedConv> conv =
      PrepareConv(spec, WeightBytes(filter).data(), bias.data(), context.cpu);
  return RunByteKernel(context, conv);
}

Result<PreparedOp> PrepareInt16(const PrepareContext& context, const Geometry& g) {
  const auto& attrs = context.attrs<ConvAttrs>();
  DLPU_RETURN_IF_ERROR(ExpectQuantized16(context, 0));
  DLPU_TRY(std::vector<int64_t> bias, WideBias(context, 2, g.out_c, attrs.quantized_bias_type));
  DLPU_TRY(const CodeRange range,
           QuantizedActivationRange(context, attrs.activation, context.output(0)));
  // The optimized kernels take int32 sums without groups.
  const bool optimized = context.profile != Profile::kTfliteReference && g.groups == 1;
  const bool narrow = attrs.quantized_bias_type == DataType::kInt32;
  const Rounding16 narrow_rounding = optimized ? Rounding16::kInt32Up : Rounding16::kInt32;
  auto spec = SpatialSpec<Conv16Spec>(context, g.window);
  spec.out_c = g.out_c;
  spec.groups = g.groups;
  spec.low = range.low;
  spec.high = range.high;
  spec.rounding = narrow ? narrow_rounding : Rounding16::kInt64;
  DLPU_TRY(spec.requantization, EffectiveScales(context, ScaleWidth::kBinary64, context.input(0),
                                                context.input(1), context.output(0), g.out_c));
  return RunConv16(std::move(spec), WideWeights(context.input(1), 0), std::move(bias));
}

ConvF32Spec FloatSpec(const OpContext& context, const Geometry& g, FloatRange range) {
  auto spec = SpatialSpec<ConvF32Spec>(context, g.window);
  spec.out_c = g.out_c;
  spec.groups = g.groups;
  spec.low = range.low;
  spec.high = range.high;
  return spec;
}

Result<PreparedOp> PrepareFloat(const PrepareContext& context, const Geometry& g) {
  DLPU_RETURN_IF_ERROR(ExpectFloat(context));
  DLPU_RETURN_IF_ERROR(ExpectBias(context, 2, DataType::kFloat32, g.out_c));
  DLPU_TRY(const FloatRange range,
           FloatActivationRange(context, context.attrs<ConvAttrs>().activation));
  ConvF32Spec spec = FloatSpec(context, g, range);
  LeaveOutBorder(context.border, spec);
  const float* weights = FloatsOf(context.input(1)).data();
  return RunFloatKernel(context, std::shared_ptr<PreparedConvF32>(PrepareConvF32(
                                     spec, weights, FloatBias(context, 2).data(), context.cpu)));
}

Result<PreparedOp> PrepareHybrid(const PrepareContext& context, const Geometry& g) {
  DLPU_RETURN_IF_ERROR(ExpectHybrid(context, 0, g.out_c));
  DLPU_TRY(const FloatRange range,
           FloatActivationRange(context, context.attrs<ConvAttrs>().activation));
  std::vector<float> scales = HybridScales(context.input(1));
  // LiteRT quantizes as if for a scale each when there are groups.
  const bool per_channel = scales.size() > 1 || g.groups != 1;
  return RunHybridConv(context,
                       HybridConv2d(FloatSpec(context, g, range), std::move(scales), per_channel));
}

}  // namespace

const OpDef kConv2dOp = {
    .op = Op::kConv2d,
    .arity = Arity{2, 3, 1, 1},
    .infer = Infer,
    .quantize = QuantizeRule{.weights = 1, .bias = 2, .channel_axis = 0},
    .work = CountWork,
    .prepare =
        PrepareLayer<ComputeGeometry, PrepareHybrid, PrepareFloat, PrepareQuantized, PrepareInt16>,
    .alias = Alias::kNone,
};

}  // namespace dlpu
