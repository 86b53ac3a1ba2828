// SPDX-License-Identifier: Apache-2.0
// Checks and constants of 16x8 convolutions.
#include "ops/conv16.h"

#include <fmt/format.h>

#include <cstring>
#include <utility>

namespace dlpu {

Status ExpectQuantized16(const OpContext& context, int channel_axis, bool wide_weights) {
  const Tensor &input = context.input(0), &weights = context.input(1), &output = context.output(0);
  const bool wide = wide_weights && weights.type == DataType::kInt16;
  if (weights.type != DataType::kInt8 && weights.type != DataType::kInt4 && !wide) {
    return context.UnsupportedType(weights, "int8");
  }
  if (output.type != DataType::kInt16) return context.UnsupportedType(output, "int16");
  DLPU_RETURN_IF_ERROR(ExpectConstant(context, weights));
  for (const Tensor* tensor : {&input, &output}) {
    DLPU_RETURN_IF_ERROR(ExpectPerTensorQuantization(context, *tensor));
    if (tensor->quantization.zero0() != 0) {
      return context.Unsupported(fmt::format("tensor '{}' is int16 with zero point {}, not 0",
                                             tensor->name, tensor->quantization.zero0()));
    }
  }
  return ExpectWeightQuantization(context, weights, channel_axis);
}

Result<std::vector<int64_t>> WideBias(const OpContext& context, size_t index, int32_t channels,
                                      DataType stated) {
  if (stated != DataType::kFloat32 && stated != DataType::kInt32 && stated != DataType::kInt64) {
    return context.Invalid(
        fmt::format("quantized_bias_type {} is neither int32 nor int64", DataTypeName(stated)));
  }
  std::vector<int64_t> bias(static_cast<size_t>(channels), 0);
  if (!context.has_input(index)) return bias;
  const Tensor& tensor = context.input(index);
  const DataType type = tensor.type;
  if ((type != DataType::kInt32 && type != DataType::kInt64) ||
      (stated != DataType::kFloat32 && type != stated)) {
    return context.UnsupportedType(
        tensor, stated == DataType::kFloat32 ? "int32 or int64" : DataTypeName(stated));
  }
  DLPU_RETURN_IF_ERROR(ExpectBias(context, index, type, channels));
  DLPU_TRY(bias, context.ConstantInts(index));
  return bias;
}

std::vector<int16_t> WideWeights(const Tensor& weights, int32_t zero) {
  std::vector<int16_t> wide(static_cast<size_t>(ElementCount(weights.shape)));
  if (weights.type == DataType::kInt16) {
    if (!wide.empty()) std::memcpy(wide.data(), weights.data.data(), weights.data.size());
    return wide;
  }
  const WeightBytes bytes(weights);
  for (size_t i = 0; i < wide.size(); ++i) {
    wide[i] = static_cast<int16_t>(static_cast<int8_t>(bytes.data()[i]) - zero);
  }
  return wide;
}

PreparedOp RunConv16(Conv16Spec spec, std::vector<int16_t> weights, std::vector<int64_t> bias) {
  PreparedOp op;
  op.row = "conv16_reference";
  op.run = [spec = std::move(spec), weights = std::move(weights),
            bias = std::move(bias)](const RunArgs& args) {
    Conv16(spec, args.in<int16_t>(0), weights.data(), bias.data(), args.out<int16_t>(0), args.pool);
    return OkStatus();
  };
  return op;
}

}  // namespace dlpu
