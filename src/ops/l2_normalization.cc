// SPDX-License-Identifier: Apache-2.0
// L2_NORMALIZATION over the last axis. Codes have scale 1/128 afterwards.
#include <fmt/format.h>

#include "kernels/normalization/normalization.h"
#include "ops/common.h"

namespace dlpu {
namespace {

Work CountWork(const OpContext& context) { return ElementwiseWork(context, 3); }

NormalizationShape ShapeOf(const Tensor& input) {
  NormalizationShape shape;
  shape.depth = input.shape.back();
  shape.rows = shape.depth == 0 ? 0 : ElementCount(input.shape) / shape.depth;
  return shape;
}

template <typename T>
Result<PreparedOp> PrepareCodes(const PrepareContext& context, int32_t output_zero) {
  const Tensor &input = context.input(0), &output = context.output(0);
  DLPU_RETURN_IF_ERROR(ExpectPerTensorQuantization(context, input));
  DLPU_RETURN_IF_ERROR(ExpectPerTensorQuantization(context, output));
  if (output.quantization.scale0() != 1.0f / 128 || output.quantization.zero0() != output_zero) {
    return context.Invalid(fmt::format(
        "output '{}' has scale {} and zero point {}; it must have 1/128 and {}", output.name,
        output.quantization.scale0(), output.quantization.zero0(), output_zero));
  }
  PreparedOp op;
  op.run = [shape = ShapeOf(input), zero = input.quantization.zero0()](const RunArgs& args) {
    L2Normalize(shape, zero, args.in<T>(0), args.out<T>(0), args.pool);
    return OkStatus();
  };
  return op;
}

Result<PreparedOp> Prepare(const PrepareContext& context) {
  const Tensor &input = context.input(0), &output = context.output(0);
  if (input.shape.empty()) return context.Invalid("the input must have at least one dimension");
  if (output.type != input.type) return context.UnsupportedType(output, DataTypeName(input.type));
  if (context.attrs<ArithmeticAttrs>().activation != Activation::kNone) {
    return context.Unsupported("a fused activation is not supported");
  }
  switch (input.type) {
    case DataType::kUInt8:
      return PrepareCodes<uint8_t>(context, 128);
    case DataType::kInt8:
      return PrepareCodes<int8_t>(context, 0);
    case DataType::kFloat32:
      break;
    default:
      return context.UnsupportedType(input, "float32, int8 or uint8");
  }
  PreparedOp op;
  op.run = [shape = ShapeOf(input)](const RunArgs& args) {
    L2Normalize(shape, args.in<float>(0), args.out<float>(0), args.pool);
    return OkStatus();
  };
  return op;
}

}  // namespace

const OpDef kL2NormalizationOp = {
    .op = Op::kL2Normalization,
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
