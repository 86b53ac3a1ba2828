// SPDX-License-Identifier: Apache-2.0
// Generated cases of RESIZE_BILINEAR and RESIZE_NEAREST_NEIGHBOR.
#include "cases.h"

namespace dlpu::peer {
namespace {

Case Resize(Random& random, Op op, DataType type) {
  CaseBuilder builder(random);
  Quantization q;
  if (type != DataType::kFloat32) q = RandomQuantization(random, type);
  const auto extent = [&] {
    return random.Pick({1, 2, 3, 4, 5, 8, static_cast<int32_t>(random.Int(1, 24))});
  };
  Shape shape(4);
  shape[0] = random.Pick({1, 1, 2});
  shape[1] = extent();
  shape[2] = extent();
  shape[3] = random.Pick({1, 3, 8, 17});
  const int32_t height = random.Chance(0.3) ? shape[1] * random.Pick({1, 2, 3}) : extent();
  const int32_t width = random.Chance(0.3) ? shape[2] * random.Pick({1, 2, 3}) : extent();
  const int mode = static_cast<int>(random.Int(0, 2));
  const TensorId x = builder.Input(type, shape, q);
  const TensorId size = builder.Ints({height, width});
  return builder.Finish(op, {x, size}, type, q, ResizeAttrs{mode == 1, mode == 2});
}

}  // namespace

DLPU_PEER_CASE(resize, resize_bilinear_float32) {
  return Resize(random, Op::kResizeBilinear, DataType::kFloat32);
}
DLPU_PEER_CASE(resize, resize_bilinear_uint8) {
  return Resize(random, Op::kResizeBilinear, DataType::kUInt8);
}
DLPU_PEER_CASE(resize, resize_bilinear_int8) {
  return Resize(random, Op::kResizeBilinear, DataType::kInt8);
}
DLPU_PEER_CASE(resize, resize_bilinear_int16) {
  return Resize(random, Op::kResizeBilinear, DataType::kInt16);
}
DLPU_PEER_CASE(resize, resize_nearest_float32) {
  return Resize(random, Op::kResizeNearestNeighbor, DataType::kFloat32);
}
DLPU_PEER_CASE(resize, resize_nearest_uint8) {
  return Resize(random, Op::kResizeNearestNeighbor, DataType::kUInt8);
}
DLPU_PEER_CASE(resize, resize_nearest_int8) {
  return Resize(random, Op::kResizeNearestNeighbor, DataType::kInt8);
}
DLPU_PEER_CASE(resize, resize_nearest_int16) {
  return Resize(random, Op::kResizeNearestNeighbor, DataType::kInt16);
}
DLPU_PEER_CASE(resize, resize_nearest_other) {
  const DataType type =
      random.Pick({DataType::kFloat16, DataType::kInt32, DataType::kUInt32, DataType::kBool});
  return Resize(random, Op::kResizeNearestNeighbor, type);
}

}  // namespace dlpu::peer
