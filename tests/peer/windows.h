// SPDX-License-Identifier: Apache-2.0
// What the generators of convolutions and pools share: random kernels, strides and pictures that
// fit them, and the quantization of accumulating layers. Pure functions of the Random they draw
// from.
#pragma once

#include <cmath>
#include <vector>

#include "cases.h"

namespace dlpu::peer {

inline Activation RandomActivation(Random& random) {
  return random.Pick({Activation::kNone, Activation::kNone, Activation::kRelu, Activation::kRelu6,
                      Activation::kReluN1To1});
}

// Kernel, stride, dilation, padding and a picture (batch, height, width) in which they fit.
struct RandomWindow {
  int32_t batch, in_h, in_w, kernel_h, kernel_w;
  ConvAttrs attrs;
};
inline RandomWindow DrawWindow(Random& random, bool dilated = true) {
  RandomWindow w;
  w.kernel_h = random.Pick({1, 1, 2, 3, 3, 5});
  w.kernel_w = random.Chance(0.7) ? w.kernel_h : random.Pick({1, 2, 3, 4});
  ConvAttrs& a = w.attrs;
  a.padding = random.Pick({Padding::kSame, Padding::kValid});
  a.stride_h = random.Pick({1, 1, 2, 3});
  a.stride_w = random.Chance(0.7) ? a.stride_h : random.Pick({1, 2, 4});
  if (dilated && random.Chance(0.2)) a.dilation_h = random.Pick({2, 3});
  if (dilated) a.dilation_w = random.Chance(0.8) ? a.dilation_h : random.Pick({1, 2});
  a.activation = RandomActivation(random);
  const bool same = a.padding == Padding::kSame;
  w.batch = random.Pick({1, 1, 1, 2, 3});
  w.in_h =
      (same ? 1 : (w.kernel_h - 1) * a.dilation_h + 1) + static_cast<int32_t>(random.Int(0, 8));
  w.in_w =
      (same ? 1 : (w.kernel_w - 1) * a.dilation_w + 1) + static_cast<int32_t>(random.Int(0, 8));
  return w;
}

// Types of a quantized layer with weights.
struct LayerTypes {
  DataType activations, weights, bias;
};

// Inputs of a quantized layer with random weights and, mostly, a bias; `depth` products go into
// each of `units` outputs, and a scale for each unit lies along `axis` if per_channel.
struct QuantizedLayer {
  std::vector<TensorId> inputs;
  Quantization output;
  bool has_bias = false;
};
inline QuantizedLayer DrawQuantizedLayer(Random& random, CaseBuilder& builder, LayerTypes types,
                                         const Shape& input, const Shape& weights, int units,
                                         int depth, bool per_channel, int axis,
                                         int64_t weights_zero = 0, double bias_chance = 0.8) {
  QuantizedLayer layer;
  const Quantization in = RandomQuantization(random, types.activations);
  const float scale = RandomScale(random);
  const Quantization filter =
      per_channel ? PerChannel(random, scale, units, axis) : PerTensor(scale, weights_zero);
  // A random sum of `depth` products has about this size in real units.
  const double product = static_cast<double>(in.scale0()) * filter.scale0();
  const double codes = HighestCode(types.activations) - LowestCode(types.activations);
  const double weight = types.weights == DataType::kInt4 ? 4 : 64;
  const double range = product * codes / 2 * weight * std::sqrt(static_cast<double>(depth));
  layer.inputs.push_back(builder.Input(types.activations, input, in));
  layer.inputs.push_back(builder.RandomConstant(types.weights, weights, filter));
  layer.has_bias = random.Chance(bias_chance);
  if (layer.has_bias) {
    Quantization q = filter;
    for (float& s : q.scale) s *= in.scale0();
    for (int64_t& zero : q.zero_point) zero = 0;
    q.axis = 0;
    layer.inputs.push_back(builder.RandomConstant(types.bias, {units}, q, range / product));
  }
  layer.output = OutputQuantization(random, types.activations, range, product);
  return layer;
}

}  // namespace dlpu::peer
