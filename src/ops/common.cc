// SPDX-License-Identifier: Apache-2.0
// Shared rules of ops.
#include "ops/common.h"

#include <fmt/format.h>

#include <algorithm>
#include <cfloat>
#include <cmath>

namespace dlpu {

Result<WindowExtent> ComputeWindow(const OpContext& context, Padding padding, int32_t input,
                                   int32_t kernel, int32_t stride, int32_t dilation,
                                   std::string_view axis) {
  if (stride < 1 || dilation < 1 || kernel < 1) {
    return context.Invalid(fmt::format("{}: kernel {}, stride {} and dilation {} must be positive",
                                       axis, kernel, stride, dilation));
  }
  const int64_t effective = (static_cast<int64_t>(kernel) - 1) * dilation + 1;
  int64_t output = 0;
  if (padding == Padding::kSame) {
    output = (static_cast<int64_t>(input) + stride - 1) / stride;
  } else {
    output = (static_cast<int64_t>(input) + stride - effective) / stride;
  }
  if (output < 1) {
    return context.Invalid(
        fmt::format("{}: a window of {} does not fit an input of {}", axis, effective, input));
  }
  const int64_t total = std::max<int64_t>(0, (output - 1) * stride + effective - input);
  return WindowExtent{static_cast<int32_t>(output), static_cast<int32_t>(total / 2)};
}

Result<FloatRange> FloatActivationRange(const OpContext& context, Activation activation) {
  switch (activation) {
    case Activation::kNone:
      return FloatRange{-FLT_MAX, FLT_MAX};
    case Activation::kRelu:
      return FloatRange{0, FLT_MAX};
    case Activation::kRelu6:
      return FloatRange{0, 6};
    case Activation::kReluN1To1:
      return FloatRange{-1, 1};
    default:
      return context.Unsupported("a fused TANH or SIGN_BIT activation is not supported");
  }
}

Result<CodeRange> QuantizedActivationRange(const OpContext& context, Activation activation,
                                           const Tensor& output) {
  if (!IsInteger(output.type) || BitsOf(output.type) > 16) {
    return context.UnsupportedType(output, "a quantized 8- or 16-bit type");
  }
  DLPU_TRY(const FloatRange real, FloatActivationRange(context, activation));
  CodeRange range{LowestCode(output.type), HighestCode(output.type)};
  if (activation == Activation::kNone) return range;
  const auto code = [&](float v) -> int64_t {
    const float scale = output.quantization.scale0();
    return static_cast<int64_t>(output.quantization.zero0()) + RoundToInt32(std::round(v / scale));
  };
  range.low = static_cast<int32_t>(std::max<int64_t>(range.low, code(real.low)));
  if (real.high != FLT_MAX) {
    range.high = static_cast<int32_t>(std::min<int64_t>(range.high, code(real.high)));
  }
  return range;
}

Status ExpectPerTensorQuantization(const OpContext& context, const Tensor& tensor) {
  const Quantization& q = tensor.quantization;
  if (!q.present()) {
    return context.Invalid(fmt::format("tensor '{}' is {} but has no scale; quantize the model",
                                       tensor.name, DataTypeName(tensor.type)));
  }
  if (q.per_channel()) {
    return context.Unsupported(fmt::format("tensor '{}' has {} scales; an activation needs one",
                                           tensor.name, q.scale.size()));
  }
  if (!(q.scale0() > 0) || !std::isfinite(q.scale0())) {
    return context.Invalid(
        fmt::format("tensor '{}': scale {} must be positive and finite", tensor.name, q.scale0()));
  }
  const int64_t zero = q.zero_point.empty() ? 0 : q.zero_point[0];
  if (zero < LowestCode(tensor.type) || zero > HighestCode(tensor.type)) {
    return context.Invalid(fmt::format("tensor '{}': zero point {} is not a code of {}",
                                       tensor.name, zero, DataTypeName(tensor.type)));
  }
  return OkStatus();
}

Status ExpectWeightQuantization(const OpContext& context, const Tensor& weights, int axis) {
  const Quantization& q = weights.quantization;
  if (!q.per_channel()) return ExpectPerTensorQuantization(context, weights);
  if (q.axis != axis) {
    return context.Unsupported(
        fmt::format("weights '{}' have scales along axis {}, not {}", weights.name, q.axis, axis));
  }
  for (const float scale : q.scale) {
    if (!(scale >= 0) || !std::isfinite(scale)) {
      return context.Invalid(
          fmt::format("weights '{}': scale {} must be positive and finite", weights.name, scale));
    }
  }
  return OkStatus();
}

Result<Shape> BroadcastShapes(const OpContext& context, const Shape& a, const Shape& b) {
  Shape out(std::max(a.size(), b.size()));
  for (size_t i = 0; i < out.size(); ++i) {  // i counts from the innermost extent
    const int32_t x = i < a.size() ? a[a.size() - 1 - i] : 1;
    const int32_t y = i < b.size() ? b[b.size() - 1 - i] : 1;
    if (x != y && x != 1 && y != 1) {
      return context.Invalid(
          fmt::format("shapes {} and {} do not broadcast", ShapeText(a), ShapeText(b)));
    }
    out[out.size() - 1 - i] = x == 1 ? y : x;
  }
  return out;
}

Result<int> NormaliseAxis(const OpContext& context, int64_t axis, size_t rank) {
  const int64_t n = static_cast<int64_t>(rank);
  if (axis < -n || axis >= n) {
    return context.Invalid(fmt::format("axis {} is outside a tensor of {} dimensions", axis, n));
  }
  return static_cast<int>(axis < 0 ? axis + n : axis);
}

Work ElementwiseWork(const OpContext& context, int64_t ops_per_element) {
  Work work;
  for (size_t i = 0; i < context.input_count(); ++i) {
    if (!context.has_input(i)) continue;
    const Tensor& tensor = context.input(i);
    const int64_t bytes = ByteCount(tensor.type, tensor.shape);
    (tensor.is_constant ? work.weight_bytes : work.input_bytes) += bytes;
  }
  for (size_t i = 0; i < context.output_count(); ++i) {
    const Tensor& tensor = context.output(i);
    work.output_bytes += ByteCount(tensor.type, tensor.shape);
    work.vector_ops += ops_per_element * ElementCount(tensor.shape);
  }
  return work;
}

Result<std::vector<OutputSpec>> InferSameAsInput(const OpContext& context) {
  return std::vector<OutputSpec>{{context.input(0).type, context.input(0).shape}};
}

}  // namespace dlpu
