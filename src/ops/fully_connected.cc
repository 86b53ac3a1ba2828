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
#include "ops/layer.h"

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

// uint8 input and weights, int16 output: the bias is not optional.
Result<PreparedOp> PrepareWideOutput(const PrepareContext& context, const Geometry& g) {
  const Tensor &input = context.input(0), &weights = context.input(1), &output = context.output(0);
  if (weights.type != DataType::kUInt8) return context.UnsupportedType(weights, "uint8");
  if (!context.has_input(2)) return context.Invalid("uint8 with an int16 output needs a bias");
  DLPU_RETURN_IF_ERROR(ExpectConstant(context, weights));
  for (const Tensor* tensor : {&input, &weights, &output}) {
    DLPU_RETURN_IF_ERROR(ExpectPerTensorQuantization(context, *tensor));
  }
  DLPU_RETURN_IF_ERROR(ExpectBias(context, 2, DataType::kInt32, g.units));
  const std::vector<int32_t> narrow = Int32Bias(context, 2, g.units);
  const Activation activation = context.attrs<FullyConnectedAttrs>().activation;
  DLPU_TRY(const CodeRange range, QuantizedActivationRange(context, activation, output));
  const int32_t zero = input.quantization.zero0(), zero_out = output.quantization.zero0();
  Conv16Spec spec;
  spec.in_w = spec.out_w = g.rows;
  spec.in_c = g.depth;
  spec.out_c = g.units;
  spec.low = range.low - zero_out;
  spec.high = range.high - zero_out;
  spec.rounding = Rounding16::kFloat32;  // an int32 sum, scaled in binary64
  DLPU_TRY(spec.requantization,
           EffectiveScales(context, ScaleWidth::kBinary64, input, weights, output, g.units));
  std::vector<int16_t> wide;
  for (const uint8_t code : weights.data) {
    wide.push_back(static_cast<int16_t>(code - weights.quantization.zero0()));
  }
  const int64_t count = int64_t{g.rows} * g.depth, outputs = int64_t{g.rows} * g.units;
  PreparedOp op;
  op.row = "conv16_reference";
  op.scratch_bytes = count * static_cast<int64_t>(sizeof(int16_t));
  op.run = [=, spec = std::move(spec), wide = std::move(wide),
            bias = std::vector<int64_t>(narrow.begin(), narrow.end())](const RunArgs& args) {
    auto* values = reinterpret_cast<int16_t*>(args.scratch);
    const uint8_t* codes = args.in<uint8_t>(0);
    for (int64_t i = 0; i < count; ++i) values[i] = static_cast<int16_t>(codes[i] - zero);
    int16_t* out = args.out<int16_t>(0);
    Conv16(spec, values, wide.data(), bias.data(), out, args.pool);
    for (int64_t i = 0; i < outputs && zero_out != 0; ++i) out[i] += static_cast<int16_t>(zero_out);
    return OkStatus();
  };
  return op;
}

Result<PreparedOp> PrepareQuantized(const PrepareContext& context, const Geometry& g) {
  if (context.input(0).type == DataType::kUInt8 && context.output(0).type == DataType::kInt16) {
    return PrepareWideOutput(context, g);
  }
  DLPU_RETURN_IF_ERROR(ExpectQuantized8(context, 0));
  DLPU_RETURN_IF_ERROR(ExpectBias(context, 2, DataType::kInt32, g.units));
  DLPU_TRY(const ConvSpec spec, MakeSpec(context, g));
  const std::vector<int32_t> bias = Int32Bias(context, 2, g.units);
  std::shared_ptr<PreparedConv> kernel =
      PrepareConv(spec, WeightBytes(context.input(1)).data(), bias.data(), context.cpu);
  return RunByteKernel(context, kernel);
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
  const float* weights = FloatsOf(context.input(1)).data();
  return RunFloatKernel(context, std::shared_ptr<PreparedConvF32>(PrepareConvF32(
                                     spec, weights, FloatBias(context, 2).data(), context.cpu)));
}

Result<PreparedOp> PrepareHybrid(const PrepareContext& context, const Geometry& g) {
  const auto& attrs = context.attrs<FullyConnectedAttrs>();
  DLPU_RETURN_IF_ERROR(ExpectHybrid(context, 0, g.units));
  DLPU_TRY(const FloatRange range, FloatActivationRange(context, attrs.activation));
  return RunHybridConv(
      context, HybridFullyConnected(g.rows, g.depth, g.units, context.input(1).quantization.scale,
                                    attrs.asymmetric_quantize_inputs, range.low, range.high));
}

}  // namespace

const OpDef kFullyConnectedOp = {
    .op = Op::kFullyConnected,
    .arity = Arity{2, 3, 1, 1},
    .infer = Infer,
    .quantize = QuantizeRule{.weights = 1, .bias = 2, .channel_axis = 0},
    .work = CountWork,
    .prepare =
        PrepareLayer<ComputeGeometry, PrepareHybrid, PrepareFloat, PrepareQuantized, PrepareInt16>,
    .alias = Alias::kNone,
};

}  // namespace dlpu
