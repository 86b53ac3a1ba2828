// SPDX-License-Identifier: Apache-2.0
// Generated cases of AVERAGE_POOL_2D and MAX_POOL_2D.
#include "cases.h"
#include "windows.h"

namespace dlpu::peer {
namespace {

Case Pool(Random& random, Op op, DataType type) {
  const RandomWindow w = DrawWindow(random, false);
  PoolAttrs attrs;
  attrs.padding = w.attrs.padding;
  attrs.stride_h = w.attrs.stride_h;
  attrs.stride_w = w.attrs.stride_w;
  attrs.filter_h = w.kernel_h;
  attrs.filter_w = w.kernel_w;
  attrs.activation = w.attrs.activation;
  CaseBuilder builder(random);
  Quantization q;
  if (type != DataType::kFloat32) q = RandomQuantization(random, type);
  const int32_t channels = random.Pick({1, 2, 3, 8, 16, 17, 31});
  const TensorId x = builder.Input(type, {w.batch, w.in_h, w.in_w, channels}, q);
  return builder.Finish(op, {x}, type, q, attrs);
}

}  // namespace

DLPU_PEER_CASE(pool, average_pool_2d_int8) {
  return Pool(random, Op::kAveragePool2d, DataType::kInt8);
}
DLPU_PEER_CASE(pool, average_pool_2d_uint8) {
  return Pool(random, Op::kAveragePool2d, DataType::kUInt8);
}
DLPU_PEER_CASE(pool, average_pool_2d_int16) {
  return Pool(random, Op::kAveragePool2d, DataType::kInt16);
}
DLPU_PEER_CASE(pool, average_pool_2d_float32) {
  return Pool(random, Op::kAveragePool2d, DataType::kFloat32);
}
DLPU_PEER_CASE(pool, max_pool_2d_int8) { return Pool(random, Op::kMaxPool2d, DataType::kInt8); }
DLPU_PEER_CASE(pool, max_pool_2d_uint8) { return Pool(random, Op::kMaxPool2d, DataType::kUInt8); }
DLPU_PEER_CASE(pool, max_pool_2d_int16) { return Pool(random, Op::kMaxPool2d, DataType::kInt16); }
DLPU_PEER_CASE(pool, max_pool_2d_float32) {
  return Pool(random, Op::kMaxPool2d, DataType::kFloat32);
}

}  // namespace dlpu::peer
