// SPDX-License-Identifier: Apache-2.0
// SOFTMAX over the last axis, of any shape but a scalar.
#include "kernels/softmax/softmax.h"

#include <fmt/format.h>

#include <cmath>

#include "ops/common.h"

namespace dlpu {
namespace {

Result<std::vector<OutputSpec>> Infer(const OpContext& context) {
  const Tensor& input = context.input(0);
  if (input.shape.empty()) return context.Invalid("the input must have at least one dimension");
  return std::vector<OutputSpec>{{context.output(0).type, input.shape}};
}

Work CountWork(const OpContext& context) { return ElementwiseWork(context, 4); }

SoftmaxShape ShapeOf(const Tensor& input) {
  SoftmaxShape shape;
  shape.depth = input.shape.back();
  shape.rows = shape.depth == 0 ? 0 : ElementCount(input.shape) / shape.depth;
  return shape;
}

// LiteRT takes only this scale and zero point where input and output have one signed type.
Status ExpectFixedOutput(const OpContext& context, float scale, int32_t zero) {
  const Tensor& output = context.output(0);
  const Quantization& q = output.quantization;
  if (q.zero0() == zero && std::abs(q.scale0() - scale) <= 0.001f * scale) return OkStatus();
  return context.Invalid(
      fmt::format("output '{}' has scale {} and zero point {}; it must have {} and {}", output.name,
                  q.scale0(), q.zero0(), scale, zero));
}

template <typename In, typename Out>
Result<PreparedOp> Prepare8(const PrepareContext& context) {
  const Tensor &input = context.input(0), &output = context.output(0);
  DLPU_RETURN_IF_ERROR(ExpectPerTensorQuantization(context, input));
  DLPU_RETURN_IF_ERROR(ExpectPerTensorQuantization(context, output));
  if (std::is_same_v<In, int8_t> && std::is_same_v<Out, int8_t>) {
    DLPU_RETURN_IF_ERROR(ExpectFixedOutput(context, 1.0f / 256, -128));
  }
  const float beta = context.attrs<SoftmaxAttrs>().beta;
  const auto table = MakeSoftmaxTable(static_cast<double>(beta) *
                                      static_cast<double>(input.quantization.scale0()));
  if (!table.has_value()) {
    return context.Unsupported(fmt::format("beta {} times input scale {} must be above 2^-26", beta,
                                           input.quantization.scale0()));
  }
  const SoftmaxShape shape = ShapeOf(input);
  PreparedOp op;
  op.run = [table = *table, shape](const RunArgs& args) {
    Softmax(table, shape, args.in<In>(0), args.out<Out>(0), args.pool);
    return OkStatus();
  };
  return op;
}

Result<PreparedOp> Prepare16(const PrepareContext& context) {
  const Tensor &input = context.input(0), &output = context.output(0);
  if (output.type != DataType::kInt16) return context.UnsupportedType(output, "int16");
  DLPU_RETURN_IF_ERROR(ExpectPerTensorQuantization(context, input));
  DLPU_RETURN_IF_ERROR(ExpectPerTensorQuantization(context, output));
  DLPU_RETURN_IF_ERROR(ExpectFixedOutput(context, 1.0f / 32768, 0));
  if (input.quantization.zero0() != 0) {
    return context.Unsupported("an int16 input needs zero point 0");
  }
  const float scale = input.quantization.scale0() * context.attrs<SoftmaxAttrs>().beta;
  PreparedOp op;
  op.run = [tables = MakeSoftmaxTables16(scale), shape = ShapeOf(input)](const RunArgs& args) {
    Softmax(tables, shape, args.in<int16_t>(0), args.out<int16_t>(0), args.pool);
    return OkStatus();
  };
  return op;
}

Result<PreparedOp> PrepareFloat(const PrepareContext& context) {
  const Tensor& output = context.output(0);
  if (output.type != DataType::kFloat32) return context.UnsupportedType(output, "float32");
  const float beta = context.attrs<SoftmaxAttrs>().beta;
  const SoftmaxShape shape = ShapeOf(context.input(0));
  PreparedOp op;
  op.run = [beta, shape](const RunArgs& args) {
    Softmax(beta, shape, args.in<float>(0), args.out<float>(0), args.pool);
    return OkStatus();
  };
  return op;
}

Result<PreparedOp> Prepare(const PrepareContext& context) {
  const DataType output = context.output(0).type;
  switch (context.input(0).type) {
    case DataType::kFloat32:
      return PrepareFloat(context);
    case DataType::kUInt8:
      if (output == DataType::kUInt8) return Prepare8<uint8_t, uint8_t>(context);
      if (output == DataType::kInt16) return Prepare8<uint8_t, int16_t>(context);
      return context.UnsupportedType(context.output(0), "uint8 or int16");
    case DataType::kInt8:
      if (output == DataType::kInt8) return Prepare8<int8_t, int8_t>(context);
      if (output == DataType::kInt16) return Prepare8<int8_t, int16_t>(context);
      return context.UnsupportedType(context.output(0), "int8 or int16");
    case DataType::kInt16:
      return Prepare16(context);
    default:
      return context.UnsupportedType(context.input(0), "float32, int8, uint8 or int16");
  }
}

}  // namespace

const OpDef kSoftmaxOp = {
    .op = Op::kSoftmax,
    .arity = Arity{1, 1, 1, 1},
    .infer = Infer,
    .quantize = QuantizeRule{.kind = QuantizeRule::Kind::kFixedOutput,
                             .fixed_scale = 1.0f / 256,
                             .fixed_zero_point = -128},
    .work = CountWork,
    .prepare = Prepare,
    .alias = Alias::kNone,
};

}  // namespace dlpu
