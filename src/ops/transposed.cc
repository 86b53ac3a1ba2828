// SPDX-License-Identifier: Apache-2.0
// Shapes and the float32 form of transposed convolutions.
#include "ops/transposed.h"

#include <fmt/format.h>

#include <utility>

namespace dlpu {

Status ExpectTransposed(const OpContext& context, const TransposedInputs& inputs) {
  const Shape &data = context.input(inputs.data).shape,
              &weights = context.input(inputs.weights).shape;
  const auto& attrs = context.attrs<ConvAttrs>();
  if (data.size() != 4 || weights.size() != 4 || data[3] != weights[3]) {
    return context.Invalid(
        fmt::format("input {} must be NxHxWxC and weights {} OxHxWxC with the same channels",
                    ShapeText(data), ShapeText(weights)));
  }
  if (ElementCount(weights) == 0 || data[1] < 1 || data[2] < 1) {
    return context.Invalid("the input or the weights are empty");
  }
  constexpr int32_t kMost = INT16_MAX;
  if (attrs.stride_h < 1 || attrs.stride_w < 1 || attrs.stride_h > kMost ||
      attrs.stride_w > kMost) {
    return context.Invalid(fmt::format("strides {} and {} must be between 1 and {}", attrs.stride_h,
                                       attrs.stride_w, kMost));
  }
  return OkStatus();
}

TransposeConvSpec TransposedSpec(const OpContext& context, const TransposedInputs& inputs,
                                 int32_t pad_top, int32_t pad_left) {
  const Shape &data = context.input(inputs.data).shape,
              &weights = context.input(inputs.weights).shape, &output = context.output(0).shape;
  const auto& attrs = context.attrs<ConvAttrs>();
  return {.batch = data[0],
          .in_h = data[1],
          .in_w = data[2],
          .in_c = data[3],
          .out_h = output[1],
          .out_w = output[2],
          .out_c = output[3],
          .kernel_h = weights[1],
          .kernel_w = weights[2],
          .stride_h = attrs.stride_h,
          .stride_w = attrs.stride_w,
          .pad_top = pad_top,
          .pad_left = pad_left};
}

Work TransposedWork(const OpContext& context, const TransposedInputs& inputs) {
  Work work = ElementwiseWork(context, 1);
  const Shape& weights = context.input(inputs.weights).shape;
  work.macs = ElementCount(context.input(inputs.data).shape) * weights[0] * weights[1] * weights[2];
  return work;
}

PreparedOp RunPhased(const PrepareContext& context, const TransposedInputs& inputs,
                     std::shared_ptr<const PhasedTransposeConv> phased) {
  PreparedOp op;
  op.row = phased->row();
  op.scratch_bytes = phased->ScratchBytes(context.threads);
  op.reads_constants = context.input(inputs.data).is_constant;
  op.block_elements = phased->BlockElements(context.threads);
  op.run_blocks = [phased, data = inputs.data](const RunArgs& args, const BlockSink& sink) {
    phased->RunBlocks(args.in<float>(data), args.out<float>(0), args.scratch, args.pool, sink);
  };
  op.run = [phased = std::move(phased), data = inputs.data](const RunArgs& args) {
    phased->Run(args.inputs[data], args.outputs[0], args.scratch, args.pool);
    return OkStatus();
  };
  return op;
}

Result<PreparedOp> PrepareTransposedFloat(const PrepareContext& context,
                                          const TransposedInputs& inputs,
                                          const TransposeConvSpec& spec,
                                          const TransposeConvFloatOutput& out) {
  const Tensor &weights = context.input(inputs.weights), &output = context.output(0);
  if (weights.type != DataType::kFloat32) return context.UnsupportedType(weights, "float32");
  if (output.type != DataType::kFloat32) return context.UnsupportedType(output, "float32");
  DLPU_RETURN_IF_ERROR(ExpectConstant(context, weights));
  DLPU_RETURN_IF_ERROR(ExpectBias(context, inputs.bias, DataType::kFloat32, spec.out_c));
  const float* values = FloatsOf(weights).data();
  const std::span<const float> bias = FloatBias(context, inputs.bias);
  if (auto phased = PhasedTransposeConv::Make(spec, out, values, bias.data(), context.cpu)) {
    return RunPhased(context, inputs, std::move(phased));
  }
  PreparedOp op;
  op.row = "transpose_conv_reference";
  op.scratch_bytes = TransposeConvScratchBytes(spec, context.threads);
  op.run = [spec, out, data = inputs.data, packed = PackTransposeConv(spec, values),
            bias = std::vector<float>(bias.begin(), bias.end())](const RunArgs& args) {
    TransposeConv(spec, out, args.in<float>(data), packed.data(),
                  bias.empty() ? nullptr : bias.data(), args.out<float>(0), args.scratch,
                  args.pool);
    return OkStatus();
  };
  return op;
}

}  // namespace dlpu
