// SPDX-License-Identifier: Apache-2.0
// Geometry, effective scales, rounding and constants of convolution-like ops.
#include "ops/conv.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

namespace dlpu {

Result<ConvWindows> ComputeConvWindows(const OpContext& context, int32_t kernel_h,
                                       int32_t kernel_w) {
  const Shape& input = context.input(0).shape;
  const auto& attrs = context.attrs<ConvAttrs>();
  ConvWindows windows;
  DLPU_TRY(windows.y, ComputeWindow(context, attrs.padding, input[1], kernel_h, attrs.stride_h,
                                    attrs.dilation_h, "height"));
  DLPU_TRY(windows.x, ComputeWindow(context, attrs.padding, input[2], kernel_w, attrs.stride_w,
                                    attrs.dilation_w, "width"));
  return windows;
}

Result<std::vector<Requantization>> EffectiveScales(const OpContext& context, ScaleWidth width,
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
    switch (width) {
      case ScaleWidth::kBinary64:
        scale = static_cast<double>(in) * static_cast<double>(w) / static_cast<double>(out);
        break;
      case ScaleWidth::kBinary32Product:
        scale = static_cast<double>(in * w) / static_cast<double>(out);
        break;
      case ScaleWidth::kBinary32:
        scale = static_cast<double>((in * w) / out);
        break;
    }
    result[c] = {QuantizeMultiplier(scale), scale};
  }
  return result;
}

Result<std::vector<Requantization>> ConvRequantization(const OpContext& context, Profile profile,
                                                       const Tensor& input, const Tensor& weights,
                                                       const Tensor& output, int32_t channels) {
  ScaleWidth width = ScaleWidth::kBinary64;
  if (profile == Profile::kXnnpack) {
    width = ScaleWidth::kBinary32;
  } else if (weights.type == DataType::kUInt8) {
    width = ScaleWidth::kBinary32Product;
  }
  return EffectiveScales(context, width, input, weights, output, channels);
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

Profile LayerProfile(const PrepareContext& context, LayerKind kind) {
  if (context.profile != Profile::kXnnpack) return context.profile;
  const Tensor& weights = context.input(1);
  bool refused = weights.type != DataType::kUInt8 && weights.quantization.zero0() != 0;
  const bool int4 = weights.type == DataType::kInt4;
  if (kind == LayerKind::kConvolution) {
    refused = refused || int4 || !context.has_input(2);
  } else {
    refused = refused || (int4 && weights.shape.back() % 2 != 0);
  }
  return refused ? Profile::kTfliteBuiltin : Profile::kXnnpack;
}

Result<CodeRange> LayerActivationRange(const OpContext& context, Profile profile,
                                       Activation activation, const Tensor& output) {
  if (profile != Profile::kXnnpack || activation == Activation::kNone) {
    return QuantizedActivationRange(context, activation, output);
  }
  DLPU_TRY(const FloatRange real, FloatActivationRange(context, activation));
  const CodeRange type{LowestCode(output.type), HighestCode(output.type)};
  const auto code = [&](float v) {
    const float scaled = v / output.quantization.scale0();
    const float shifted = scaled + static_cast<float>(output.quantization.zero0());
    const float clamped =
        std::min(std::max(shifted, static_cast<float>(type.low)), static_cast<float>(type.high));
    return static_cast<int32_t>(std::nearbyint(clamped));
  };
  return CodeRange{code(real.low), code(real.high)};
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

std::vector<int32_t> Int32Bias(const OpContext& context, size_t index, int32_t channels) {
  std::vector<int32_t> bias(static_cast<size_t>(channels), 0);
  if (context.has_input(index)) {
    std::memcpy(bias.data(), context.input(index).data.data(), bias.size() * sizeof(int32_t));
  }
  return bias;
}

Status ExpectConstant(const OpContext& context, const Tensor& weights) {
  if (weights.is_constant) return OkStatus();
  return context.Unsupported(fmt::format(
      "weights '{}' are computed while the model runs; they must be constant", weights.name));
}

Status ExpectFloat(const OpContext& context) {
  const Tensor &weights = context.input(1), &output = context.output(0);
  if (weights.type != DataType::kFloat32) return context.UnsupportedType(weights, "float32");
  if (output.type != DataType::kFloat32) return context.UnsupportedType(output, "float32");
  return ExpectConstant(context, weights);
}

std::span<const float> FloatsOf(const Tensor& constant) {
  if (constant.data.empty()) return {};
  return {reinterpret_cast<const float*>(constant.data.data()),
          constant.data.size() / sizeof(float)};
}

std::span<const float> FloatBias(const OpContext& context, size_t index) {
  if (!context.has_input(index)) return {};
  return FloatsOf(context.input(index));
}

Status ExpectQuantized8(const OpContext& context, int channel_axis) {
  const Tensor &input = context.input(0), &weights = context.input(1), &output = context.output(0);
  const bool int4 = weights.type == DataType::kInt4 && input.type == DataType::kInt8;
  if (weights.type != input.type && !int4) {
    return context.UnsupportedType(weights, DataTypeName(input.type));
  }
  if (output.type != input.type) return context.UnsupportedType(output, DataTypeName(input.type));
  DLPU_RETURN_IF_ERROR(ExpectConstant(context, weights));
  DLPU_RETURN_IF_ERROR(ExpectPerTensorQuantization(context, input));
  DLPU_RETURN_IF_ERROR(ExpectPerTensorQuantization(context, output));
  return ExpectWeightQuantization(context, weights, channel_axis);
}

WeightBytes::WeightBytes(const Tensor& weights) : bytes_(weights.data) {
  if (weights.type != DataType::kInt4) return;
  unpacked_.resize(static_cast<size_t>(ElementCount(weights.shape)));
  for (size_t i = 0; i < unpacked_.size(); ++i) {  // low nibble first
    const int nibble = weights.data[i / 2] >> (i % 2 * 4) & 15;
    unpacked_[i] = static_cast<uint8_t>((nibble ^ 8) - 8);
  }
  bytes_ = unpacked_;
}

}  // namespace dlpu
