// SPDX-License-Identifier: Apache-2.0
// Generated cases of FULLY_CONNECTED: every data type, any rank of input, kept dimensions, weights
// with a zero point, with and without bias.
#include "cases.h"
#include "windows.h"

namespace dlpu::peer {
namespace {

struct Geometry {
  Shape input, weights;
  FullyConnectedAttrs attrs;
};

Geometry RandomGeometry(Random& random) {
  Geometry g;
  const int32_t depth = random.Pick({1, 2, 5, 7, 8, 9, 16, 17, 31, 64, 100});
  const int32_t units = random.Pick({1, 2, 3, 4, 5, 8, 10, 16, 17, 33});
  g.weights = {units, depth};
  g.attrs.activation = RandomActivation(random);
  if (random.Chance(0.3)) {
    g.input = RandomShape(random, 1, 3, 4);
    g.input.back() = depth;
    g.attrs.keep_num_dims = random.Chance(0.6);
  } else if (random.Chance(0.2) && depth % 4 == 0) {
    g.input = {random.Pick({1, 2, 3}), 2, 2, depth / 4};
  } else {
    g.input = {random.Pick({1, 1, 2, 3, 4, 7}), depth};
  }
  return g;
}

Case Quantized(Random& random, LayerTypes types, bool per_channel, bool weights_zero = false) {
  Geometry g = RandomGeometry(random);
  CaseBuilder builder(random);
  const int64_t zero = weights_zero ? RandomZeroPoint(random, types.weights) : 0;
  const QuantizedLayer layer =
      DrawQuantizedLayer(random, builder, types, g.input, g.weights, g.weights[0], g.weights[1],
                         per_channel && g.weights[0] > 1, 0, zero);
  if (types.activations == DataType::kInt16) {
    if (types.bias == DataType::kInt32 || random.Chance(0.5)) {
      g.attrs.quantized_bias_type = types.bias;
    }
  }
  return builder.Finish(Op::kFullyConnected, layer.inputs, types.activations, layer.output,
                        g.attrs);
}

}  // namespace

DLPU_PEER_CASE(fully_connected, fully_connected_int8) {
  return Quantized(random, {DataType::kInt8, DataType::kInt8, DataType::kInt32}, false);
}

DLPU_PEER_CASE(fully_connected, fully_connected_int8_per_channel) {
  return Quantized(random, {DataType::kInt8, DataType::kInt8, DataType::kInt32}, true);
}

DLPU_PEER_CASE(fully_connected, fully_connected_int8_weights_zero) {
  return Quantized(random, {DataType::kInt8, DataType::kInt8, DataType::kInt32}, false, true);
}

DLPU_PEER_CASE(fully_connected, fully_connected_int4) {
  return Quantized(random, {DataType::kInt8, DataType::kInt4, DataType::kInt32},
                   random.Chance(0.5));
}

DLPU_PEER_CASE(fully_connected, fully_connected_uint8) {
  return Quantized(random, {DataType::kUInt8, DataType::kUInt8, DataType::kInt32}, false, true);
}

DLPU_PEER_CASE(fully_connected, fully_connected_uint8_to_int16) {
  const Geometry g = RandomGeometry(random);
  CaseBuilder builder(random);
  const QuantizedLayer layer = DrawQuantizedLayer(
      random, builder, {DataType::kUInt8, DataType::kUInt8, DataType::kInt32}, g.input, g.weights,
      g.weights[0], g.weights[1], false, 0, RandomZeroPoint(random, DataType::kUInt8), 1.0);
  // The whole int16 range, or a part of it that the sums leave.
  const float scale = layer.output.scale0() / random.Pick({256.0f, 64.0f, 2000.0f});
  return builder.Finish(Op::kFullyConnected, layer.inputs, DataType::kInt16, PerTensor(scale, 0),
                        g.attrs);
}

DLPU_PEER_CASE(fully_connected, fully_connected_int16) {
  return Quantized(random, {DataType::kInt16, DataType::kInt8, DataType::kInt64},
                   random.Chance(0.5));
}

DLPU_PEER_CASE(fully_connected, fully_connected_int16_bias32) {
  return Quantized(random, {DataType::kInt16, DataType::kInt8, DataType::kInt32},
                   random.Chance(0.5));
}

DLPU_PEER_CASE(fully_connected, fully_connected_float32) {
  const Geometry g = RandomGeometry(random);
  CaseBuilder builder(random);
  std::vector<TensorId> inputs = {builder.Input(DataType::kFloat32, g.input),
                                  builder.RandomConstant(DataType::kFloat32, g.weights)};
  if (random.Chance(0.8)) {
    inputs.push_back(builder.RandomConstant(DataType::kFloat32, {g.weights[0]}));
  }
  return builder.Finish(Op::kFullyConnected, inputs, DataType::kFloat32, {}, g.attrs);
}

}  // namespace dlpu::peer
