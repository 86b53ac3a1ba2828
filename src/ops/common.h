// SPDX-License-Identifier: Apache-2.0
// What several ops share: padding, activation bounds, broadcasting, axes, work counts. Pure
// functions; any thread.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/fixed_point.h"
#include "base/result.h"
#include "ops/op.h"

namespace dlpu {

// Output extent and padding in front along one spatial axis, as TensorFlow computes them.
struct WindowExtent {
  int32_t output = 0;
  int32_t pad_before = 0;
};
// An error when stride, dilation or kernel is not positive or a VALID window does not fit.
Result<WindowExtent> ComputeWindow(const OpContext& context, Padding padding, int32_t input,
                                   int32_t kernel, int32_t stride, int32_t dilation,
                                   std::string_view axis);

struct CodeRange {
  int32_t low, high;
};
// Bounds of an output code after a fused activation: zero + round_half_away(float(v / scale)) for
// the activation's real bounds v (LiteRT CalculateActivationRangeQuantized). An error when the
// type is not an integer type of at most 16 bits or the activation has no bounds (TANH).
Result<CodeRange> QuantizedActivationRange(const OpContext& context, Activation activation,
                                           const Tensor& output);

struct FloatRange {
  float low, high;
};
// Real bounds of an activation; kNone is [-FLT_MAX, FLT_MAX], as in LiteRT's kernels.
Result<FloatRange> FloatActivationRange(const OpContext& context, Activation activation);

// Error unless the tensor is quantized with one positive finite scale and a zero point that its
// type can hold.
Status ExpectPerTensorQuantization(const OpContext& context, const Tensor& tensor);
// The same for weights: one scale, or one for each index of `axis`.
Status ExpectWeightQuantization(const OpContext& context, const Tensor& weights, int axis);

// NumPy broadcasting of two shapes; an error that shows both when they do not fit.
Result<Shape> BroadcastShapes(const OpContext& context, const Shape& a, const Shape& b);

// axis in [-rank, rank) as [0, rank); an error otherwise.
Result<int> NormaliseAxis(const OpContext& context, int64_t axis, size_t rank);

// Work of an op that reads its inputs once, writes its outputs once and spends `ops_per_element`
// vector operations on each output element.
Work ElementwiseWork(const OpContext& context, int64_t ops_per_element);

// infer for ops whose only output has the type and shape of input 0.
Result<std::vector<OutputSpec>> InferSameAsInput(const OpContext& context);

}  // namespace dlpu
