// SPDX-License-Identifier: Apache-2.0
// Generated cases of CONV_2D: every data type, strides, dilations, paddings, groups, per-channel
// scales, activations, with and without bias.
#include "cases.h"
#include "windows.h"

namespace dlpu::peer {
namespace {

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
  const RandomWindow w = DrawWindow(random);
  g.attrs = w.attrs;
  g.input = {w.batch, w.in_h, w.in_w, in_c * groups};
  g.filter = {out_c, w.kernel_h, w.kernel_w, in_c};
  return g;
}

// A quantized convolution: activations of `type`, weights of `weights`, bias of `bias`.
Case Quantized(Random& random, DataType type, DataType weights, DataType bias, bool per_channel) {
  Geometry g = RandomGeometry(random);
  CaseBuilder builder(random);
  const int64_t zero = weights == DataType::kUInt8 ? RandomZeroPoint(random, weights) : 0;
  const QuantizedLayer layer =
      DrawQuantizedLayer(random, builder, {type, weights, bias}, g.input, g.filter, g.filter[0],
                         g.depth(), per_channel, 0, zero, 0.97);
  if (type == DataType::kInt16 && bias == DataType::kInt32 && layer.has_bias) {
    g.attrs.quantized_bias_type = DataType::kInt32;
  }
  return builder.Finish(Op::kConv2d, layer.inputs, type, layer.output, g.attrs);
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

DLPU_PEER_CASE(conv, conv_2d_int4) {
  return Quantized(random, DataType::kInt8, DataType::kInt4, DataType::kInt32, true);
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
