// SPDX-License-Identifier: Apache-2.0
// Effective scales and rounding of convolution-like ops.
#include "ops/conv.h"

#include <fmt/format.h>

namespace dlpu {

Result<std::vector<Requantization>> ConvRequantization(const OpContext& context, Profile profile,
                                                       const Tensor& input, const Tensor& weights,
                                                       const Tensor& output, int32_t channels) {
  const Quantization& wq = weights.quantization;
  if (wq.per_channel() && static_cast<int32_t>(wq.scale.size()) != channels) {
    return context.Invalid(
        fmt::format("{} weight scales for {} output channels", wq.scale.size(), channels));
  }
  const float in = input.quantization.scale0(), out = output.quantization.scale0();
  std::vector<Requantization> result(static_cast<size_t>(channels));
  for (int32_t c = 0; c < channels; ++c) {
    const float w = wq.per_channel() ? wq.scale[c] : wq.scale[0];
    double scale = 0;
    if (profile == Profile::kXnnpack) {
      scale = static_cast<double>((in * w) / out);
    } else if (weights.type == DataType::kUInt8) {
      scale = static_cast<double>(in * w) / static_cast<double>(out);
    } else {
      scale = static_cast<double>(in) * static_cast<double>(w) / static_cast<double>(out);
    }
    result[c] = {QuantizeMultiplier(scale), scale};
  }
  return result;
}

Rounding ConvRounding(Profile profile) {
  switch (profile) {
    case Profile::kTfliteReference:
      return Rounding::kDouble;
    case Profile::kTfliteBuiltin:
      return Rounding::kDoubleUp;
    case Profile::kXnnpack:
      return Rounding::kFloat32Even;
  }
  return Rounding::kDouble;
}

Status ExpectBias(const OpContext& context, size_t index, DataType type, int32_t channels) {
  if (!context.has_input(index)) return OkStatus();
  const Tensor& bias = context.input(index);
  if (bias.type != type) return context.UnsupportedType(bias, DataTypeName(type));
  if (ElementCount(bias.shape) != channels) {
    return context.Invalid(fmt::format("bias '{}' has {} elements for {} output channels",
                                       bias.name, ElementCount(bias.shape), channels));
  }
  if (!bias.is_constant) return context.Unsupported("a bias that is computed is not supported");
  return OkStatus();
}

}  // namespace dlpu
