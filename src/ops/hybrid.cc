// SPDX-License-Identifier: Apache-2.0
// Checks and constants of dynamic-range layers.
#include "ops/hybrid.h"

#include <algorithm>
#include <functional>

namespace dlpu {
namespace {

std::vector<int8_t> SignedWeights(const Tensor& weights) {
  const WeightBytes bytes(weights);
  return {bytes.bytes().begin(), bytes.bytes().end()};
}

}  // namespace

bool IsHybrid(const OpContext& context) {
  const DataType weights = context.input(1).type;
  return context.input(0).type == DataType::kFloat32 &&
         (weights == DataType::kInt8 || weights == DataType::kInt4);
}

Status ExpectHybrid(const OpContext& context, int channel_axis, int32_t channels) {
  const Tensor &weights = context.input(1), &output = context.output(0);
  if (output.type != DataType::kFloat32) return context.UnsupportedType(output, "float32");
  DLPU_RETURN_IF_ERROR(ExpectConstant(context, weights));
  DLPU_RETURN_IF_ERROR(ExpectWeightQuantization(context, weights, channel_axis));
  return ExpectBias(context, 2, DataType::kFloat32, channels);
}

std::vector<float> HybridScales(const Tensor& weights) {
  const std::vector<float>& scales = weights.quantization.scale;
  const bool alike =
      std::adjacent_find(scales.begin(), scales.end(), std::not_equal_to<>()) == scales.end();
  return alike ? std::vector<float>{scales[0]} : scales;
}

PreparedOp RunHybridConv(const PrepareContext& context, const HybridConvSpec& spec) {
  const std::vector<int8_t> weights = SignedWeights(context.input(1));
  const float* bias = FloatBias(context, 2).data();
  return RunFloatKernel(
      context, std::shared_ptr<PreparedHybrid>(PrepareHybridConv(spec, weights.data(), bias)));
}

PreparedOp RunHybridDepthwise(const PrepareContext& context, const HybridDepthwiseSpec& spec) {
  const std::vector<int8_t> weights = SignedWeights(context.input(1));
  const float* bias = FloatBias(context, 2).data();
  return RunFloatKernel(
      context, std::shared_ptr<PreparedHybrid>(PrepareHybridDepthwise(spec, weights.data(), bias)));
}

}  // namespace dlpu
