// SPDX-License-Identifier: Apache-2.0
// LOG_SOFTMAX over the last axis. Codes have scale 1/16 and the highest code as zero point.
#include <fmt/format.h>

#include <limits>

#include "kernels/softmax/softmax.h"
#include "ops/common.h"

namespace dlpu {
namespace {

Work CountWork(const OpContext& context) { return ElementwiseWork(context, 4); }

SoftmaxShape ShapeOf(const Tensor& input) {
  SoftmaxShape shape;
  shape.depth = input.shape.back();
  shape.rows = shape.depth == 0 ? 0 : ElementCount(input.shape) / shape.depth;
  return shape;
}

template <typename T>
Result<PreparedOp> PrepareCodes(const PrepareContext& context) {
  const Tensor &input = context.input(0), &output = context.output(0);
  DLPU_RETURN_IF_ERROR(ExpectPerTensorQuantization(context, input));
  DLPU_RETURN_IF_ERROR(ExpectPerTensorQuantization(context, output));
  constexpr int32_t kZero = std::numeric_limits<T>::max();
  if (output.quantization.scale0() != 1.0f / 16 || output.quantization.zero0() != kZero) {
    return context.Invalid(
        fmt::format("output '{}' has scale {} and zero point {}; it must have 1/16 and {}",
                    output.name, output.quantization.scale0(), output.quantization.zero0(), kZero));
  }
  const auto table = MakeLogSoftmaxTable(static_cast<double>(input.quantization.scale0()));
  if (!table.has_value()) {
    return context.Unsupported(
        fmt::format("input scale {} must be above 2^-26", input.quantization.scale0()));
  }
  PreparedOp op;
  op.run = [table = *table, shape = ShapeOf(input)](const RunArgs& args) {
    LogSoftmax(table, shape, args.in<T>(0), args.out<T>(0), args.pool);
    return OkStatus();
  };
  return op;
}

Result<PreparedOp> Prepare(const PrepareContext& context) {
  const Tensor &input = context.input(0), &output = context.output(0);
  if (input.shape.empty()) return context.Invalid("the input must have at least one dimension");
  if (output.type != input.type) return context.UnsupportedType(output, DataTypeName(input.type));
  switch (input.type) {
    case DataType::kUInt8:
      return PrepareCodes<uint8_t>(context);
    case DataType::kInt8:
      return PrepareCodes<int8_t>(context);
    case DataType::kFloat32:
      break;
    default:
      return context.UnsupportedType(input, "float32, int8 or uint8");
  }
  PreparedOp op;
  op.run = [shape = ShapeOf(input)](const RunArgs& args) {
    LogSoftmax(shape, args.in<float>(0), args.out<float>(0), args.pool);
    return OkStatus();
  };
  return op;
}

}  // namespace

const OpDef kLogSoftmaxOp = {
    .op = Op::kLogSoftmax,
    .arity = Arity{1, 1, 1, 1},
    .infer = InferSameAsInput,
    .quantize = QuantizeRule{.kind = QuantizeRule::Kind::kFixedOutput,
                             .fixed_scale = 1.0f / 16,
                             .fixed_zero_point = 127},
    .work = CountWork,
    .prepare = Prepare,
    .alias = Alias::kNone,
};

}  // namespace dlpu
