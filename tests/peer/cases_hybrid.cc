// SPDX-License-Identifier: Apache-2.0
// Generated cases of dynamic-range layers: float32 activations with int8 or int4 weights.
#include "cases.h"
#include "windows.h"

namespace dlpu::peer {
namespace {

Quantization WeightScale(Random& random, int units, int axis, bool per_channel) {
  const float scale = RandomScale(random);
  return per_channel && units > 1 ? PerChannel(random, scale, units, axis) : PerTensor(scale, 0);
}

// Weights without the lowest code, which symmetric quantization leaves out.
TensorId Weights(CaseBuilder& builder, DataType type, const Shape& shape,
                 const Quantization& quantization) {
  const TensorId id = builder.RandomConstant(type, shape, quantization);
  if (type == DataType::kInt8) {
    for (uint8_t& code : builder.graph().tensors[id].data) code = code == 0x80 ? 0x81 : code;
  }
  return id;
}

Case FullyConnected(Random& random, DataType weights, bool per_channel) {
  CaseBuilder builder(random);
  const int32_t depth = random.Pick({1, 3, 8, 9, 16, 31, 64});
  const int32_t units = random.Pick({2, 3, 5, 8, 17});
  FullyConnectedAttrs attrs;
  attrs.asymmetric_quantize_inputs = random.Chance(0.5);
  attrs.activation = RandomActivation(random);
  const int32_t rows = random.Pick({1, 2, 5});
  std::vector<TensorId> inputs = {builder.Input(DataType::kFloat32, {rows, depth})};
  inputs.push_back(
      Weights(builder, weights, {units, depth}, WeightScale(random, units, 0, per_channel)));
  if (random.Chance(0.7)) inputs.push_back(builder.RandomConstant(DataType::kFloat32, {units}));
  return builder.Finish(Op::kFullyConnected, inputs, DataType::kFloat32, {}, attrs);
}

}  // namespace

DLPU_PEER_CASE(hybrid, fully_connected_hybrid) {
  return FullyConnected(random, DataType::kInt8, false);
}
DLPU_PEER_CASE(hybrid, fully_connected_hybrid_per_channel) {
  return FullyConnected(random, DataType::kInt8, true);
}
DLPU_PEER_CASE(hybrid, fully_connected_hybrid_int4) {
  return FullyConnected(random, DataType::kInt4, false);
}

DLPU_PEER_CASE(hybrid, batch_matmul_hybrid) {
  CaseBuilder builder(random);
  BatchMatmulAttrs attrs;
  attrs.adj_y = random.Chance(0.5);
  attrs.asymmetric_quantize_inputs = random.Chance(0.5);
  Shape lhs = RandomShape(random, 2, 3, 4);
  lhs.back() = random.Pick({1, 3, 8, 9, 16, 33});
  const int32_t cols = random.Pick({1, 2, 5, 8, 17});
  const Shape rhs = attrs.adj_y ? Shape{cols, lhs.back()} : Shape{lhs.back(), cols};
  const TensorId x = builder.Input(DataType::kFloat32, lhs);
  const TensorId y = Weights(builder, DataType::kInt8, rhs, PerTensor(RandomScale(random), 0));
  return builder.Finish(Op::kBatchMatmul, {x, y}, DataType::kFloat32, {}, attrs);
}

DLPU_PEER_CASE(hybrid, conv_2d_hybrid) {
  CaseBuilder builder(random);
  const RandomWindow w = DrawWindow(random);
  const int32_t in_c = random.Pick({1, 2, 3, 8, 9});
  const int32_t out_c = random.Pick({2, 3, 8, 11});
  std::vector<TensorId> inputs = {
      builder.Input(DataType::kFloat32, {w.batch, w.in_h, w.in_w, in_c})};
  const bool per_channel = random.Chance(0.7);
  inputs.push_back(Weights(builder, DataType::kInt8, {out_c, w.kernel_h, w.kernel_w, in_c},
                           WeightScale(random, out_c, 0, per_channel)));
  inputs.push_back(builder.RandomConstant(DataType::kFloat32, {out_c}));
  return builder.Finish(Op::kConv2d, inputs, DataType::kFloat32, {}, w.attrs);
}

DLPU_PEER_CASE(hybrid, depthwise_conv_2d_hybrid) {
  CaseBuilder builder(random);
  RandomWindow w = DrawWindow(random);
  const int32_t in_c = random.Pick({2, 3, 8, 9, 17});
  const int32_t multiplier = random.Pick({1, 1, 2});
  w.attrs.depth_multiplier = multiplier;
  const int32_t out_c = in_c * multiplier;
  std::vector<TensorId> inputs = {
      builder.Input(DataType::kFloat32, {w.batch, w.in_h, w.in_w, in_c})};
  inputs.push_back(Weights(builder, DataType::kInt8, {1, w.kernel_h, w.kernel_w, out_c},
                           WeightScale(random, out_c, 3, true)));
  inputs.push_back(builder.RandomConstant(DataType::kFloat32, {out_c}));
  return builder.Finish(Op::kDepthwiseConv2d, inputs, DataType::kFloat32, {}, w.attrs);
}

}  // namespace dlpu::peer
