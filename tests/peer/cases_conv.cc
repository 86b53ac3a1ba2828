// SPDX-License-Identifier: Apache-2.0
// Generated cases of CONV_2D: every data type, strides, dilations, paddings, groups, per-channel
// scales, activations, with and without bias.
#include <cmath>

#include "cases.h"

namespace dlpu::peer {
namespace {

Activation RandomActivation(Random& random) {
  return random.Pick({Activation::kNone, Activation::kNone, Activation::kRelu, Activation::kRelu6,
                      Activation::kReluN1To1});
}

struct Geometry {
  Shape input, filter;
  ConvAttrs attrs;
  int depth() const { return filter[1] * filter[2] * filter[3]; }
};

Geometry RandomGeometry(Random& random) {
  Geometry g;
  const int32_t groups = random.Chance(0.15) ? static_cast<int32_t>(random.Int(2, 4)) : 1;
  const int32_t in_c = static_cast<int32_t>(random.Int(1, groups > 1 ? 5 : 19));
  const int32_t out_c = groups * static_cast<int32_t>(random.Int(1, groups > 1 ? 6 : 21));
  const int32_t kernel_h = random.Pick({1, 1, 2, 3, 3, 5});
  const int32_t kernel_w = random.Chance(0.7) ? kernel_h : random.Pick({1, 2, 3, 4});
  g.attrs.padding = random.Pick({Padding::kSame, Padding::kValid});
  g.attrs.stride_h = random.Pick({1, 1, 2, 3});
  g.attrs.stride_w = random.Chance(0.7) ? g.attrs.stride_h : random.Pick({1, 2, 4});
  g.attrs.dilation_h = random.Chance(0.8) ? 1 : random.Pick({2, 3});
  g.attrs.dilation_w = random.Chance(0.8) ? g.attrs.dilation_h : random.Pick({1, 2});
  g.attrs.activation = RandomActivation(random);
  const int32_t least_h =
      g.attrs.padding == Padding::kSame ? 1 : (kernel_h - 1) * g.attrs.dilation_h + 1;
  const int32_t least_w =
      g.attrs.padding == Padding::kSame ? 1 : (kernel_w - 1) * g.attrs.dilation_w + 1;
  g.input = {random.Pick({1, 1, 1, 2, 3}), least_h + static_cast<int32_t>(random.Int(0, 8)),
             least_w + static_cast<int32_t>(random.Int(0, 8)), in_c * groups};
  g.filter = {out_c, kernel_h, kernel_w, in_c};
  return g;
}

// A quantized convolution: activations of `type`, weights of `weights`, bias of `bias`.
Case Quantized(Random& random, DataType type, DataType weights, DataType bias, bool per_channel) {
  Geometry g = RandomGeometry(random);
  CaseBuilder builder(random);
  const Quantization in = RandomQuantization(random, type);
  const float filter_scale = RandomScale(random);
  const int32_t out_c = g.filter[0];
  const Quantization filter =
      per_channel ? PerChannel(random, filter_scale, out_c, 0)
                  : PerTensor(filter_scale,
                              weights == DataType::kUInt8 ? RandomZeroPoint(random, weights) : 0);
  // A random sum of `depth` products has about this size in real units.
  const double product = static_cast<double>(in.scale0()) * filter.scale0();
  const double codes = HighestCode(type) - LowestCode(type);
  const double range = product * codes / 2 * 64 * std::sqrt(static_cast<double>(g.depth()));
  std::vector<TensorId> inputs = {builder.Input(type, g.input, in),
                                  builder.RandomConstant(weights, g.filter, filter)};
  if (random.Chance(0.97)) {
    Quantization q = filter;
    for (float& scale : q.scale) scale *= in.scale0();
    for (int64_t& zero : q.zero_point) zero = 0;
    q.axis = 0;
    inputs.push_back(builder.RandomConstant(bias, {out_c}, q, range / product));
    if (type == DataType::kInt16 && bias == DataType::kInt32) {
      g.attrs.quantized_bias_type = DataType::kInt32;
    }
  }
  return builder.Finish(Op::kConv2d, inputs, type, OutputQuantization(random, type, range, product),
                        g.attrs);
}

}  // namespace

DLPU_PEER_CASE(conv, conv_2d_int8) {
  return Quantized(random, DataType::kInt8, DataType::kInt8, DataType::kInt32, true);
}

DLPU_PEER_CASE(conv, conv_2d_int8_per_tensor) {
  return Quantized(random, DataType::kInt8, DataType::kInt8, DataType::kInt32, false);
}

DLPU_PEER_CASE(conv, conv_2d_uint8) {
  return Quantized(random, DataType::kUInt8, DataType::kUInt8, DataType::kInt32, false);
}

DLPU_PEER_CASE(conv, conv_2d_int16) {
  return Quantized(random, DataType::kInt16, DataType::kInt8, DataType::kInt64, true);
}

DLPU_PEER_CASE(conv, conv_2d_int16_bias32) {
  return Quantized(random, DataType::kInt16, DataType::kInt8, DataType::kInt32, true);
}

DLPU_PEER_CASE(conv, conv_2d_float32) {
  const Geometry g = RandomGeometry(random);
  CaseBuilder builder(random);
  std::vector<TensorId> inputs = {builder.Input(DataType::kFloat32, g.input),
                                  builder.RandomConstant(DataType::kFloat32, g.filter)};
  if (random.Chance(0.97)) {
    inputs.push_back(builder.RandomConstant(DataType::kFloat32, {g.filter[0]}));
  }
  return builder.Finish(Op::kConv2d, inputs, DataType::kFloat32, {}, g.attrs);
}

}  // namespace dlpu::peer
