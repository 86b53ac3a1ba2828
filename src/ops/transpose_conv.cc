// SPDX-License-Identifier: Apache-2.0
// TRANSPOSE_CONV: a constant output shape [N, height, width, O], weights OHWI, input NHWC and an
// optional bias.
#include <fmt/format.h>

#include <utility>

#include "ops/conv16.h"
#include "ops/transposed.h"

namespace dlpu {
namespace {

constexpr TransposedInputs kInputs = {.data = 2, .weights = 1, .bias = 3};

Result<std::vector<OutputSpec>> Infer(const OpContext& context) {
  DLPU_RETURN_IF_ERROR(ExpectTransposed(context, kInputs));
  DLPU_TRY(const std::vector<int64_t> extents, context.ConstantInts(0));
  const Tensor &data = context.input(2), &weights = context.input(1);
  if (extents.size() != 4) return context.Invalid("the output shape must have 4 extents");
  Shape shape;
  for (const int64_t extent : extents) {
    if (extent < 1 || extent > INT32_MAX) {
      return context.Invalid(fmt::format("output extent {} is out of range", extent));
    }
    shape.push_back(static_cast<int32_t>(extent));
  }
  if (shape[0] != data.shape[0] || shape[3] != weights.shape[0]) {
    return context.Invalid(fmt::format("output {} does not fit input {} and weights {}",
                                       ShapeText(shape), ShapeText(data.shape),
                                       ShapeText(weights.shape)));
  }
  return std::vector<OutputSpec>{{data.type, shape}};
}

Work CountWork(const OpContext& context) { return TransposedWork(context, kInputs); }

// The padding is that of the forward convolution from the output to the input.
Result<TransposeConvSpec> MakeSpec(const OpContext& context) {
  const Shape &output = context.output(0).shape, &weights = context.input(1).shape;
  const auto& attrs = context.attrs<ConvAttrs>();
  const auto pad = [&](int32_t extent, int32_t kernel, int32_t stride) -> int32_t {
    const int64_t forward = attrs.padding == Padding::kSame
                                ? (static_cast<int64_t>(extent) + stride - 1) / stride
                                : (static_cast<int64_t>(extent) + stride - kernel) / stride;
    return static_cast<int32_t>(std::max<int64_t>(0, (forward - 1) * stride + kernel - extent) / 2);
  };
  return TransposedSpec(context, kInputs, pad(output[1], weights[1], attrs.stride_h),
                        pad(output[2], weights[2], attrs.stride_w));
}

// What both integer forms put into TransposeConvOutput.
Result<TransposeConvOutput> MakeOutput(const PrepareContext& context, int32_t channels) {
  const Tensor &input = context.input(2), &weights = context.input(1), &output = context.output(0);
  const auto& attrs = context.attrs<ConvAttrs>();
  DLPU_RETURN_IF_ERROR(ExpectConstant(context, weights));
  if (output.type != input.type) return context.UnsupportedType(output, DataTypeName(input.type));
  DLPU_RETURN_IF_ERROR(ExpectPerTensorQuantization(context, input));
  DLPU_RETURN_IF_ERROR(ExpectPerTensorQuantization(context, output));
  DLPU_RETURN_IF_ERROR(ExpectWeightQuantization(context, weights, 0));
  // XNNPACK takes 8-bit layers; the optimized kernels are not told from the reference here.
  const bool delegated = context.profile == Profile::kXnnpack && input.type != DataType::kInt16;
  const Profile profile = delegated ? Profile::kXnnpack : Profile::kTfliteReference;
  DLPU_TRY(const CodeRange range, LayerActivationRange(context, profile, attrs.activation, output));
  TransposeConvOutput out;
  out.input_signed = input.type != DataType::kUInt8;
  out.input_zero = input.quantization.zero0();
  out.output_zero = output.quantization.zero0();
  out.low = range.low;
  out.high = range.high;
  out.rounding = ConvRounding(profile);
  DLPU_TRY(out.requantization,
           ConvRequantization(context, profile, input, weights, output, channels));
  return out;
}

Result<PreparedOp> Prepare8(const PrepareContext& context, const TransposeConvSpec& spec) {
  const Tensor &input = context.input(2), &weights = context.input(1);
  if (weights.type != input.type) return context.UnsupportedType(weights, DataTypeName(input.type));
  DLPU_TRY(TransposeConvOutput out, MakeOutput(context, spec.out_c));
  DLPU_RETURN_IF_ERROR(ExpectBias(context, 3, DataType::kInt32, spec.out_c));
  const int32_t zero = out.input_signed ? 0 : weights.quantization.zero0();
  std::vector<int32_t> bias = Int32Bias(context, 3, spec.out_c);
  if (auto phased = PhasedTransposeConv::Make(spec, out, weights.data.data(), zero, bias.data(),
                                              context.cpu)) {
    return RunPhased(context, kInputs, std::move(phased));
  }
  std::vector<int16_t> packed =
      PackTransposeConv(spec, weights.data.data(), out.input_signed, zero);
  PreparedOp op;
  op.row = "transpose_conv_reference";
  op.scratch_bytes = TransposeConvScratchBytes(spec, context.threads);
  op.run = [spec, out = std::move(out), packed = std::move(packed),
            bias = std::move(bias)](const RunArgs& args) {
    TransposeConv(spec, out, args.in<uint8_t>(2), packed.data(), bias.data(), args.out<uint8_t>(0),
                  args.scratch, args.pool);
    return OkStatus();
  };
  return op;
}

Result<PreparedOp> Prepare16(const PrepareContext& context, const TransposeConvSpec& spec) {
  const Tensor &input = context.input(2), &weights = context.input(1);
  const auto& attrs = context.attrs<ConvAttrs>();
  if (weights.type != DataType::kInt8) return context.UnsupportedType(weights, "int8");
  DLPU_TRY(TransposeConvOutput out, MakeOutput(context, spec.out_c));
  if (input.quantization.zero0() != 0 || out.output_zero != 0) {
    return context.Unsupported("int16 input and output need zero point 0");
  }
  DLPU_TRY(std::vector<int64_t> bias, WideBias(context, 3, spec.out_c, attrs.quantized_bias_type));
  if (attrs.quantized_bias_type == DataType::kInt32) out.rounding16 = Rounding16::kInt32;
  PreparedOp op;
  op.row = "transpose_conv_reference";
  op.scratch_bytes = TransposeConvScratchBytes(spec, context.threads);
  op.run = [spec, out = std::move(out),
            packed = PackTransposeConv(spec, weights.data.data(), true, 0),
            bias = std::move(bias)](const RunArgs& args) {
    TransposeConv(spec, out, args.in<int16_t>(2), packed.data(), bias.data(), args.out<int16_t>(0),
                  args.scratch, args.pool);
    return OkStatus();
  };
  return op;
}

Result<PreparedOp> Prepare(const PrepareContext& context) {
  DLPU_TRY(const TransposeConvSpec spec, MakeSpec(context));
  switch (context.input(2).type) {
    case DataType::kFloat32: {
      DLPU_TRY(const FloatRange range,
               FloatActivationRange(context, context.attrs<ConvAttrs>().activation));
      return PrepareTransposedFloat(context, kInputs, spec, {false, range.low, range.high});
    }
    case DataType::kUInt8:
    case DataType::kInt8:
      return Prepare8(context, spec);
    case DataType::kInt16:
      return Prepare16(context, spec);
    default:
      return context.UnsupportedType(context.input(2), "float32, int8, uint8 or int16");
  }
}

}  // namespace

const OpDef kTransposeConvOp = {
    .op = Op::kTransposeConv,
    .arity = Arity{3, 4, 1, 1},
    .infer = Infer,
    .quantize = QuantizeRule{.weights = 1, .bias = 3, .channel_axis = 0},
    .work = CountWork,
    .prepare = Prepare,
    .alias = Alias::kNone,
};

}  // namespace dlpu
