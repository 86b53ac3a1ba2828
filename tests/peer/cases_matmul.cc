// SPDX-License-Identifier: Apache-2.0
// Generated cases of BATCH_MATMUL: every pair of types, transposed sides, broadcast batches.
#include <cmath>

#include "cases.h"

namespace dlpu::peer {
namespace {

struct Geometry {
  Shape lhs, rhs;
  BatchMatmulAttrs attrs;
  int32_t depth;
};

Geometry RandomGeometry(Random& random) {
  Geometry g;
  const int32_t rows = static_cast<int32_t>(random.Int(1, 9));
  const int32_t cols = static_cast<int32_t>(random.Int(1, 17));
  g.depth = random.Pick({1, 2, 5, 8, 16, 33});
  g.attrs.adj_x = random.Chance(0.3);
  g.attrs.adj_y = random.Chance(0.4);
  const Shape batch = RandomShape(random, 0, 3, 3);
  const auto side = [&](int32_t a, int32_t b, bool transposed) {
    Shape shape = batch;
    for (int32_t& extent : shape) extent = random.Chance(0.25) ? 1 : extent;
    if (random.Chance(0.2)) shape.erase(shape.begin(), shape.begin() + shape.size() / 2);
    shape.push_back(transposed ? b : a);
    shape.push_back(transposed ? a : b);
    return shape;
  };
  g.lhs = side(rows, g.depth, g.attrs.adj_x);
  g.rhs = side(g.depth, cols, g.attrs.adj_y);
  return g;
}

Case Product(Random& random, DataType lhs, DataType rhs, DataType output) {
  const Geometry g = RandomGeometry(random);
  CaseBuilder builder(random);
  Quantization a, b, out;
  if (lhs != DataType::kFloat32) {
    a = RandomQuantization(random, lhs);
    b = RandomQuantization(random, rhs);
    if (lhs == DataType::kInt16) b.zero_point = {0};
    const double product = static_cast<double>(a.scale0()) * b.scale0();
    const double codes = static_cast<double>(HighestCode(lhs)) * HighestCode(rhs);
    out = OutputQuantization(random, output == DataType::kInt32 ? DataType::kInt8 : output,
                             product * codes / 4 * std::sqrt(g.depth), product);
  }
  const TensorId x = builder.Input(lhs, g.lhs, a);
  const TensorId y =
      random.Chance(0.3) ? builder.RandomConstant(rhs, g.rhs, b) : builder.Input(rhs, g.rhs, b);
  return builder.Finish(Op::kBatchMatmul, {x, y}, output, out, g.attrs);
}

}  // namespace

DLPU_PEER_CASE(matmul, batch_matmul_int8) {
  return Product(random, DataType::kInt8, DataType::kInt8, DataType::kInt8);
}
DLPU_PEER_CASE(matmul, batch_matmul_int8_to_int32) {
  return Product(random, DataType::kInt8, DataType::kInt8, DataType::kInt32);
}
DLPU_PEER_CASE(matmul, batch_matmul_int16) {
  return Product(random, DataType::kInt16, DataType::kInt16, DataType::kInt16);
}
DLPU_PEER_CASE(matmul, batch_matmul_int16_int8) {
  return Product(random, DataType::kInt16, DataType::kInt8, DataType::kInt16);
}
DLPU_PEER_CASE(matmul, batch_matmul_float32) {
  return Product(random, DataType::kFloat32, DataType::kFloat32, DataType::kFloat32);
}

}  // namespace dlpu::peer
