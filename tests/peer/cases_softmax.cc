// SPDX-License-Identifier: Apache-2.0
// Generated cases of SOFTMAX.
#include "cases.h"

namespace dlpu::peer {
namespace {

// The scale and zero point that LiteRT asks of a softmax output.
Quantization OutputOf(DataType type) {
  switch (type) {
    case DataType::kInt8:
      return PerTensor(1.0f / 256, -128);
    case DataType::kUInt8:
      return PerTensor(1.0f / 256, 0);
    default:
      return PerTensor(1.0f / 32768, 0);
  }
}

// Any rank; a depth that keeps the sum of exponentials below 512, above which LiteRT's reference
// kernel aborts.
Case Softmax(Random& random, DataType input, DataType output) {
  CaseBuilder builder(random);
  Shape shape = RandomShape(random, 1, 5, 5);
  shape.back() = random.Pick({1, 2, 3, 7, 10, 91, 400});
  Quantization q, out;
  if (input != DataType::kFloat32) {
    q = RandomQuantization(random, input);
    out = OutputOf(output);
  }
  SoftmaxAttrs attrs;
  attrs.beta = random.Pick({1.0f, 1.0f, 0.5f, 2.5f, 0.1f});
  const TensorId x = builder.Input(input, shape, q);
  return builder.Finish(Op::kSoftmax, {x}, output, out, attrs);
}

}  // namespace

DLPU_PEER_CASE(softmax, softmax_int8) { return Softmax(random, DataType::kInt8, DataType::kInt8); }
DLPU_PEER_CASE(softmax, softmax_uint8) {
  return Softmax(random, DataType::kUInt8, DataType::kUInt8);
}
DLPU_PEER_CASE(softmax, softmax_int8_to_int16) {
  return Softmax(random, DataType::kInt8, DataType::kInt16);
}
DLPU_PEER_CASE(softmax, softmax_uint8_to_int16) {
  return Softmax(random, DataType::kUInt8, DataType::kInt16);
}
DLPU_PEER_CASE(softmax, softmax_int16) {
  return Softmax(random, DataType::kInt16, DataType::kInt16);
}
DLPU_PEER_CASE(softmax, softmax_float32) {
  return Softmax(random, DataType::kFloat32, DataType::kFloat32);
}

}  // namespace dlpu::peer
