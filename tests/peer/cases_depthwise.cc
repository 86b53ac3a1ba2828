// SPDX-License-Identifier: Apache-2.0
// Generated cases of DEPTHWISE_CONV_2D: every data type, multipliers, strides, dilations.
#include "cases.h"
#include "windows.h"

namespace dlpu::peer {
namespace {

struct Geometry {
  Shape input, filter;
  ConvAttrs attrs;
};

Geometry RandomGeometry(Random& random) {
  const RandomWindow w = DrawWindow(random);
  const int32_t in_c = random.Pick({1, 2, 3, 4, 7, 8, 9, 16, 17, 24, 33});
  const int32_t multiplier = random.Chance(0.7) ? 1 : static_cast<int32_t>(random.Int(2, 5));
  Geometry g{
      {w.batch, w.in_h, w.in_w, in_c}, {1, w.kernel_h, w.kernel_w, in_c * multiplier}, w.attrs};
  g.attrs.depth_multiplier = multiplier;
  return g;
}

Case Quantized(Random& random, LayerTypes types, bool per_channel) {
  const Geometry g = RandomGeometry(random);
  CaseBuilder builder(random);
  const int64_t zero =
      types.weights == DataType::kUInt8 ? RandomZeroPoint(random, types.weights) : 0;
  const QuantizedLayer layer =
      DrawQuantizedLayer(random, builder, types, g.input, g.filter, g.filter[3],
                         g.filter[1] * g.filter[2], per_channel, 3, zero);
  return builder.Finish(Op::kDepthwiseConv2d, layer.inputs, types.activations, layer.output,
                        g.attrs);
}

}  // namespace

DLPU_PEER_CASE(depthwise, depthwise_conv_2d_int8) {
  return Quantized(random, {DataType::kInt8, DataType::kInt8, DataType::kInt32}, true);
}

DLPU_PEER_CASE(depthwise, depthwise_conv_2d_int8_per_tensor) {
  return Quantized(random, {DataType::kInt8, DataType::kInt8, DataType::kInt32}, false);
}

DLPU_PEER_CASE(depthwise, depthwise_conv_2d_int4) {
  return Quantized(random, {DataType::kInt8, DataType::kInt4, DataType::kInt32}, true);
}

DLPU_PEER_CASE(depthwise, depthwise_conv_2d_uint8) {
  return Quantized(random, {DataType::kUInt8, DataType::kUInt8, DataType::kInt32}, false);
}

DLPU_PEER_CASE(depthwise, depthwise_conv_2d_int16) {
  return Quantized(random, {DataType::kInt16, DataType::kInt8, DataType::kInt64}, true);
}

DLPU_PEER_CASE(depthwise, depthwise_conv_2d_float32) {
  const Geometry g = RandomGeometry(random);
  CaseBuilder builder(random);
  std::vector<TensorId> inputs = {builder.Input(DataType::kFloat32, g.input),
                                  builder.RandomConstant(DataType::kFloat32, g.filter)};
  if (random.Chance(0.8)) {
    inputs.push_back(builder.RandomConstant(DataType::kFloat32, {g.filter[3]}));
  }
  return builder.Finish(Op::kDepthwiseConv2d, inputs, DataType::kFloat32, {}, g.attrs);
}

}  // namespace dlpu::peer
