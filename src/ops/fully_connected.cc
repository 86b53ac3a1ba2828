// SPDX-License-Identifier: Apache-2.0
// FULLY_CONNECTED: any input whose elements divide into rows of the weights' depth, weights
// units x depth, optional bias of `units`; output rows x units, or the input's shape with the last
// extent replaced (keep_num_dims).
#include <fmt/format.h>

#include <memory>
#include <utility>

#include "kernels/conv/conv.h"
#include "kernels/conv_f32/conv_f32.h"
#include "ops/common.h"
#include "ops/conv.h"
#include "ops/conv16.h"
#include "ops/hybrid.h"

namespace dlpu {
namespace {

struct Geometry {
  int32_t rows = 0, depth = 0, units = 0;
};

Result<Geometry> ComputeGeometry(const OpContext& context) {
  const Shape& input = context.input(0).shape;
  const Shape& weights = context.input(1).shape;
  if (weights.size() != 2 || weights[0] < 1 || weights[1] < 1) {
    return context.Invalid(fmt::format("weights {} must be units x depth", ShapeText(weights)));
  }
  const int64_t count = ElementCount(input);
  if (input.empty() || count % weights[1] != 0) {
    return context.Invalid(
        fmt::format("input {} does not divide into rows of {}", ShapeText(input), weights[1]));
  }
  if (count / weights[1] > INT32_MAX) return context.Invalid("the input has too many rows");
  if (context.attrs<FullyConnectedAttrs>().shuffled_weights) {
    return context.Unsupported("weights in the shuffled 4x16 format are not supported");
  }
  return Geometry{static_cast<int32_t>(count / weights[1]), weights[1], weights[0]};
}

Result<std::vector<OutputSpec>> Infer(const OpContext& context) {
  DLPU_TRY(const Geometry g, ComputeGeometry(context));
  Shape shape = {g.rows, g.units};
  if (context.attrs<FullyConnectedAttrs>().keep_num_dims) {
    shape = context.input(0).shape;
    if (shape.back() != g.depth) {
      return context.Invalid(
          fmt::format("input {} must end in {} to keep its dimensions", ShapeText(shape), g.depth));
    }
    shape.back() = g.units;
  }
  return std::vector<OutputSpec>{{context.output(0).type, shape}};
}

Work CountWork(const OpContext& context) {
  Work work = ElementwiseWork(context, 1);
  work.macs = ElementCount(context.output(0).shape) * context.input(1).shape[1];
  return work;
}

// As a 1x1 convolution over a picture of one row, one pixel for each row of the input.
Result<ConvSpec> MakeSpec(const PrepareContext& context, const Geometry& g) {
  const Tensor &input = context.input(0), &weights = context.input(1), &output = context.output(0);
  const bool is_unsigned = input.type == DataType::kUInt8;
  const Profile profile = LayerProfile(context, LayerKind::kFullyConnected);
  const Activation activation = context.attrs<FullyConnectedAttrs>().activation;
  DLPU_TRY(const CodeRange range, LayerActivationRange(context, profile, activation, output));
  const Quantization& wq = weights.quantization;
  const bool reference = profile == Profile::kTfliteReference;
  ConvSpec spec;
  spec.in_w = spec.out_w = g.rows;
  spec.in_c = g.depth;
  spec.out_c = g.units;
  spec.input_signed = spec.weights_signed = spec.output_signed = !is_unsigned;
  spec.input_zero = input.quantization.zero0();
  spec.weights_zero = wq.per_channel() ? 0 : wq.zero0();  // scales for each unit are symmetric
  spec.output_zero = output.quantization.zero0();
  spec.low = range.low;
  spec.high = range.high;
  // The reference kernel scales in binary64 since LiteRT 1.3.
  spec.rounding = reference ? Rounding::kFloat64 : ConvRounding(profile);
  ScaleWidth width = ScaleWidth::kBinary64;
  if (profile == Profile::kXnnpack) {
    width = ScaleWidth::kBinary32;
  } else if (!reference && !wq.per_channel()) {
    width = ScaleWidth::kBinary32Product;
  }
  DLPU_TRY(spec.requantization, EffectiveScales(context, width, input, weights, output, g.units));
  return spec;
}

Result<PreparedOp> PrepareQuantized(const PrepareContext& context, const Geometry& g) {
  DLPU_RETURN_IF_ERROR(ExpectQuantized8(context, 0));
  DLPU_RETURN_IF_ERROR(ExpectBias(context, 2, DataType::kInt32, g.units));
  DLPU_TRY(const ConvSpec spec, MakeSpec(context, g));
  const std::vector<int32_t> bias = Int32Bias(context, 2, g.units);
  std::shared_ptr<PreparedConv> kernel =
      PrepareConv(spec, WeightBytes(context.input(1)).data(), bias.data(), context.cpu);
  return RunByteKernel(kernel, context.threads);
}

Result<PreparedOp> PrepareInt16(const PrepareContext& context, const Geometry& g) {
  const Tensor& weights = context.input(1);
  const auto& attrs = context.attrs<FullyConnectedAttrs>();
  DLPU_RETURN_IF_ERROR(ExpectQuantized16(context, 0, true));
  DLPU_TRY(std::vector<int64_t> bias, WideBias(context, 2, g.units, attrs.quantized_bias_type));
  DLPU_TRY(const CodeRange range,
           QuantizedActivationRange(context, attrs.activation, context.output(0)));
  const bool wide_weights = weights.type == DataType::kInt16;
  const bool per_channel = weights.quantization.per_channel();
  const int32_t zero = per_channel ? 0 : weights.quantization.zero0();
  if (wide_weights && zero != 0) return context.Unsupported("int16 weights need zero point 0");
  Conv16Spec spec;
  spec.in_w = spec.out_w = g.rows;
  spec.in_c = g.depth;
  spec.out_c = g.units;
  spec.low = range.low;
  spec.high = range.high;
  // int16 weights take LiteRT's integer rule, int8 weights its binary64 one. The optimized kernels
  // multiply in int32 unless something is int64 or the weights have a zero point.
  const bool has_wide_bias = attrs.quantized_bias_type == DataType::kInt64 ||
                             (context.has_input(2) && context.input(2).type == DataType::kInt64);
  const bool optimized =
      context.profile != Profile::kTfliteReference && !has_wide_bias && zero == 0 && !wide_weights;
  spec.rounding = Rounding16::kFloat64;
  if (attrs.quantized_bias_type == DataType::kInt32) spec.rounding = Rounding16::kFloat32;
  if (wide_weights) spec.rounding = Rounding16::kInt64;
  if (optimized) spec.rounding = Rounding16::kInt32Up;
  const ScaleWidth width = (wide_weights || optimized) && !per_channel
                               ? ScaleWidth::kBinary32Product
                               : ScaleWidth::kBinary64;
  DLPU_TRY(spec.requantization,
           EffectiveScales(context, width, context.input(0), weights, context.output(0), g.units));
  return RunConv16(std::move(spec), WideWeights(weights, zero), std::move(bias));
}

Result<PreparedOp> PrepareFloat(const PrepareContext& context, const Geometry& g) {
  DLPU_RETURN_IF_ERROR(ExpectFloat(context));
  DLPU_RETURN_IF_ERROR(ExpectBias(context, 2, DataType::kFloat32, g.units));
  DLPU_TRY(const FloatRange range,
           FloatActivationRange(context, context.attrs<FullyConnectedAttrs>().activation));
  ConvF32Spec spec;
  spec.in_w = spec.out_w = g.rows;
  spec.in_c = g.depth;
  spec.out_c = g.units;
  spec.low = range.low;
  spec.high = range.high;
  const std::vector<float> weights = FloatsOf(context.input(1)), bias = FloatBias(context, 2);
  return RunFloatKernel(
      std::shared_ptr<PreparedConvF32>(
          PrepareConvF32(spec, weights.data(), bias.empty() ? nullptr : bias.data(), context.cpu)),
      context.threads);
}

Result<PreparedOp> PrepareHybrid(const PrepareContext& context, const Geometry& g) {
  const auto& attrs = context.attrs<FullyConnectedAttrs>();
  DLPU_RETURN_IF_ERROR(ExpectHybrid(context, 0, g.units));
  DLPU_TRY(const FloatRange range, FloatActivationRange(context, attrs.activation));
  return RunHybridConv(
      context, HybridFullyConnected(g.rows, g.depth, g.units, context.input(1).quantization.scale,
                                    attrs.asymmetric_quantize_inputs, range.low, range.high));
}

Result<PreparedOp> Prepare(const PrepareContext& context) {
  DLPU_TRY(const Geometry g, ComputeGeometry(context));
  if (IsHybrid(context)) return PrepareHybrid(context, g);
  switch (context.input(0).type) {
    case DataType::kFloat32:
      return PrepareFloat(context, g);
    case DataType::kUInt8:
    case DataType::kInt8:
      return PrepareQuantized(context, g);
    case DataType::kInt16:
      return PrepareInt16(context, g);
    default:
      return context.UnsupportedType(context.input(0), "float32, int8, uint8 or int16");
  }
}

}  // namespace

const OpDef kFullyConnectedOp = {
    .op = Op::kFullyConnected,
    .arity = Arity{2, 3, 1, 1},
    .infer = Infer,
    .quantize = QuantizeRule{.weights = 1, .bias = 2, .channel_axis = 0},
    .work = CountWork,
    .prepare = Prepare,
    .alias = Alias::kNone,
};

}  // namespace dlpu
