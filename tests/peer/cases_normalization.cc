// SPDX-License-Identifier: Apache-2.0
// Generated cases of L2_NORMALIZATION, LOCAL_RESPONSE_NORMALIZATION and LOG_SOFTMAX.
#include "cases.h"

namespace dlpu::peer {
namespace {

Case AlongLastAxis(Random& random, Op op, DataType type, Quantization output, Attrs attrs,
                   int most) {
  CaseBuilder builder(random);
  Shape shape = RandomShape(random, 1, 4, 5);
  shape.back() = random.Pick({1, 2, 3, 8, 17, 64, most});
  Quantization q;
  if (type != DataType::kFloat32) q = RandomQuantization(random, type);
  const TensorId x = builder.Input(type, shape, q);
  return builder.Finish(op, {x}, type, output, attrs);
}

}  // namespace

DLPU_PEER_CASE(normalization, l2_normalization_float32) {
  return AlongLastAxis(random, Op::kL2Normalization, DataType::kFloat32, {}, ArithmeticAttrs{},
                       1000);
}
DLPU_PEER_CASE(normalization, l2_normalization_int8) {
  return AlongLastAxis(random, Op::kL2Normalization, DataType::kInt8, PerTensor(1.0f / 128, 0),
                       ArithmeticAttrs{}, 1000);
}
DLPU_PEER_CASE(normalization, l2_normalization_uint8) {
  return AlongLastAxis(random, Op::kL2Normalization, DataType::kUInt8, PerTensor(1.0f / 128, 128),
                       ArithmeticAttrs{}, 1000);
}
DLPU_PEER_CASE(normalization, log_softmax_float32) {
  return AlongLastAxis(random, Op::kLogSoftmax, DataType::kFloat32, {}, NoAttrs{}, 1000);
}
DLPU_PEER_CASE(normalization, log_softmax_int8) {
  return AlongLastAxis(random, Op::kLogSoftmax, DataType::kInt8, PerTensor(1.0f / 16, 127),
                       NoAttrs{}, 1000);
}
DLPU_PEER_CASE(normalization, log_softmax_uint8) {
  return AlongLastAxis(random, Op::kLogSoftmax, DataType::kUInt8, PerTensor(1.0f / 16, 255),
                       NoAttrs{}, 1000);
}
DLPU_PEER_CASE(normalization, local_response_normalization_float32) {
  CaseBuilder builder(random);
  Shape shape = RandomShape(random, 4, 4, 4);
  shape[3] = random.Pick({1, 2, 5, 16, 33});
  LocalResponseNormalizationAttrs attrs;
  attrs.radius = static_cast<int32_t>(random.Int(0, 6));
  attrs.bias = random.Pick({1.0f, 2.0f, 0.5f});
  attrs.alpha = random.Pick({1.0f, 0.0001f, 0.2f});
  attrs.beta = random.Pick({0.75f, 0.5f, 1.0f});
  const TensorId x = builder.Input(DataType::kFloat32, shape);
  return builder.Finish(Op::kLocalResponseNormalization, {x}, DataType::kFloat32, {}, attrs);
}

}  // namespace dlpu::peer
