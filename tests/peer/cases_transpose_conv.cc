// SPDX-License-Identifier: Apache-2.0
// Generated cases of TRANSPOSE_CONV: every data type, strides above and below the kernel. (LiteRT
// has no kernel for MediaPipe's Convolution2DTransposeBias.)
#include "cases.h"
#include "windows.h"

namespace dlpu::peer {
namespace {

struct Geometry {
  Shape input, weights, output;
  ConvAttrs attrs;
};

Geometry RandomGeometry(Random& random) {
  const RandomWindow w = DrawWindow(random, false);
  Geometry g;
  g.attrs = w.attrs;
  const int32_t in_c = random.Pick({1, 2, 3, 8, 9, 17});
  const int32_t out_c = random.Pick({1, 2, 3, 7, 8, 9, 16, 17});
  const int32_t in_h = 1 + w.in_h / 2, in_w = 1 + w.in_w / 2;
  g.input = {w.batch, in_h, in_w, in_c};
  g.weights = {out_c, w.kernel_h, w.kernel_w, in_c};
  // An output whose forward convolution has the input's size.
  const bool same = g.attrs.padding == Padding::kSame;
  const auto extent = [&](int32_t in, int32_t kernel, int32_t stride) {
    const int32_t least = (in - 1) * stride + (same ? 1 : kernel);
    return least + static_cast<int32_t>(random.Int(0, stride - 1));
  };
  const int32_t out_h = extent(in_h, w.kernel_h, g.attrs.stride_h);
  const int32_t out_w = extent(in_w, w.kernel_w, g.attrs.stride_w);
  g.output = {w.batch, out_h, out_w, out_c};
  return g;
}

Case Quantized(Random& random, LayerTypes types, bool per_channel) {
  Geometry g = RandomGeometry(random);
  CaseBuilder builder(random);
  const int64_t zero =
      types.weights == DataType::kUInt8 ? RandomZeroPoint(random, types.weights) : 0;
  const TensorId shape = builder.Ints(g.output);
  const int depth = std::max(
      1, g.weights[1] * g.weights[2] * g.weights[3] / (g.attrs.stride_h * g.attrs.stride_w));
  const QuantizedLayer layer =
      DrawQuantizedLayer(random, builder, types, g.input, g.weights, g.weights[0], depth,
                         per_channel && g.weights[0] > 1, 0, zero);
  std::vector<TensorId> inputs = {shape, layer.inputs[1], layer.inputs[0]};
  if (layer.has_bias) inputs.push_back(layer.inputs[2]);
  if (types.bias == DataType::kInt32 && types.activations == DataType::kInt16) {
    g.attrs.quantized_bias_type = DataType::kInt32;
  }
  return builder.Finish(Op::kTransposeConv, inputs, types.activations, layer.output, g.attrs);
}

}  // namespace

DLPU_PEER_CASE(transpose_conv, transpose_conv_int8) {
  return Quantized(random, {DataType::kInt8, DataType::kInt8, DataType::kInt32}, true);
}
DLPU_PEER_CASE(transpose_conv, transpose_conv_int8_per_tensor) {
  return Quantized(random, {DataType::kInt8, DataType::kInt8, DataType::kInt32}, false);
}
DLPU_PEER_CASE(transpose_conv, transpose_conv_uint8) {
  return Quantized(random, {DataType::kUInt8, DataType::kUInt8, DataType::kInt32}, false);
}
DLPU_PEER_CASE(transpose_conv, transpose_conv_int16) {
  return Quantized(random, {DataType::kInt16, DataType::kInt8, DataType::kInt64}, true);
}
DLPU_PEER_CASE(transpose_conv, transpose_conv_int16_bias32) {
  return Quantized(random, {DataType::kInt16, DataType::kInt8, DataType::kInt32}, true);
}
DLPU_PEER_CASE(transpose_conv, transpose_conv_float32) {
  const Geometry g = RandomGeometry(random);
  CaseBuilder builder(random);
  std::vector<TensorId> inputs = {builder.Ints(g.output),
                                  builder.RandomConstant(DataType::kFloat32, g.weights),
                                  builder.Input(DataType::kFloat32, g.input)};
  if (random.Chance(0.7)) {
    inputs.push_back(builder.RandomConstant(DataType::kFloat32, {g.weights[0]}));
  }
  return builder.Finish(Op::kTransposeConv, inputs, DataType::kFloat32, {}, g.attrs);
}

}  // namespace dlpu::peer
