// SPDX-License-Identifier: Apache-2.0
// Generated cases of reductions: every set of axes, negative and repeated axes, kept and dropped
// extents, empty tensors, requantized means and sums with ties; indices of extremes.
#include <cmath>

#include "cases.h"
#include "movement_shapes.h"

namespace dlpu::peer {
namespace {

struct Axes {
  std::vector<int32_t> list;
  int64_t folded = 1;  // elements in each output
};

// Any set of axes of the shape.
Axes RandomAxes(Random& random, const Shape& shape) {
  Axes axes;
  const auto rank = static_cast<int32_t>(shape.size());
  for (int32_t d = 0; d < rank; ++d) {
    if (!random.Chance(0.5)) continue;
    axes.list.push_back(random.Chance(0.3) ? d - rank : d);
    axes.folded *= shape[d];
  }
  if (!axes.list.empty() && random.Chance(0.1)) axes.list.push_back(axes.list[0]);
  return axes;
}

Case Reduction(Random& random, Op op, DataType type, bool requantized) {
  CaseBuilder builder(random);
  const Shape shape = MovementShape(random, 1, 6);
  const Axes axes = RandomAxes(random, shape);
  const Quantization in = QuantizationFor(random, type);
  Quantization out = in;
  if (requantized) {
    const double codes = HighestCode(type) - static_cast<double>(LowestCode(type));
    const double count = op == Op::kMean ? 1 : std::sqrt(static_cast<double>(axes.folded) + 1);
    out = OutputQuantization(random, type, in.scale0() * codes / 2 * count, in.scale0());
  }
  const TensorId x = builder.Input(type, shape, in);
  const TensorId list = builder.Ints(axes.list);
  return builder.Finish(op, {x, list}, type, out, ReduceAttrs{.keep_dims = random.Chance(0.5)});
}

DLPU_PEER_CASE(reduce, mean_float32) {
  return Reduction(random, Op::kMean, DataType::kFloat32, false);
}
DLPU_PEER_CASE(reduce, mean_int8) { return Reduction(random, Op::kMean, DataType::kInt8, true); }
DLPU_PEER_CASE(reduce, mean_uint8) { return Reduction(random, Op::kMean, DataType::kUInt8, true); }
DLPU_PEER_CASE(reduce, mean_int16) { return Reduction(random, Op::kMean, DataType::kInt16, true); }
DLPU_PEER_CASE(reduce, mean_int32) { return Reduction(random, Op::kMean, DataType::kInt32, false); }
DLPU_PEER_CASE(reduce, mean_int64) { return Reduction(random, Op::kMean, DataType::kInt64, false); }

// The shape of a global average pool, as classifiers have it.
DLPU_PEER_CASE(reduce, mean_image_int8) {
  CaseBuilder builder(random);
  const auto side = static_cast<int32_t>(random.Int(1, 14));
  const Shape shape = {random.Pick({1, 1, 2}), side, random.Pick({side, 7, 1}),
                       random.Pick({1, 3, 16, 40})};
  const Quantization in = RandomQuantization(random, DataType::kInt8);
  const Quantization out =
      OutputQuantization(random, DataType::kInt8, in.scale0() * 128, in.scale0());
  const TensorId x = builder.Input(DataType::kInt8, shape, in);
  const TensorId axes = builder.Ints({1, 2});
  return builder.Finish(Op::kMean, {x, axes}, DataType::kInt8, out,
                        ReduceAttrs{.keep_dims = random.Chance(0.5)});
}

// --- SUM, REDUCE_* ---------------------------------------------------------------------------

DLPU_PEER_CASE(reduce, sum_float32) {
  return Reduction(random, Op::kSum, DataType::kFloat32, false);
}
// Not int8 or int16: LiteRT's reference kernel of SUM reads their bytes as uint8.
DLPU_PEER_CASE(reduce, sum_uint8) { return Reduction(random, Op::kSum, DataType::kUInt8, true); }
DLPU_PEER_CASE(reduce, sum_int) {
  const DataType type = random.Pick({DataType::kInt32, DataType::kInt64});
  return Reduction(random, Op::kSum, type, false);
}
DLPU_PEER_CASE(reduce, reduce_max_any) {
  return Reduction(random, Op::kReduceMax, MovementType(random, false), false);
}
DLPU_PEER_CASE(reduce, reduce_min_any) {
  return Reduction(random, Op::kReduceMin, MovementType(random, false), false);
}
DLPU_PEER_CASE(reduce, reduce_prod_plain) {
  const DataType type = random.Pick({DataType::kFloat32, DataType::kInt32, DataType::kInt64});
  return Reduction(random, Op::kReduceProd, type, false);
}

// Few factors, so that something other than the ends of the range comes out.
Case QuantizedProduct(Random& random, DataType type) {
  CaseBuilder builder(random);
  const Shape shape = RandomShape(random, 1, 4, 3);
  const Axes axes = RandomAxes(random, shape);
  const Quantization in = RandomQuantization(random, type);
  const double codes = HighestCode(type) - static_cast<double>(LowestCode(type));
  const double largest = in.scale0() * codes / 2;
  const double range = std::pow(largest, static_cast<double>(std::min<int64_t>(axes.folded, 3)));
  const Quantization out = OutputQuantization(random, type, range, in.scale0());
  const TensorId x = builder.Input(type, shape, in);
  const TensorId list = builder.Ints(axes.list);
  return builder.Finish(Op::kReduceProd, {x, list}, type, out,
                        ReduceAttrs{.keep_dims = random.Chance(0.5)});
}
DLPU_PEER_CASE(reduce, reduce_prod_int8) { return QuantizedProduct(random, DataType::kInt8); }
DLPU_PEER_CASE(reduce, reduce_prod_int16) { return QuantizedProduct(random, DataType::kInt16); }

// --- ARG_MAX ---------------------------------------------------------------------------------

Case Arg(Random& random, Op op) {
  CaseBuilder builder(random);
  const DataType type = random.Pick(
      {DataType::kFloat32, DataType::kInt8, DataType::kUInt8, DataType::kInt32, DataType::kBool});
  Shape shape = MovementShape(random, 1, 5);
  if (random.Chance(0.3)) shape.back() = static_cast<int32_t>(random.Int(15, 70));
  const auto rank = static_cast<int64_t>(shape.size());
  const TensorId x = builder.Input(type, shape, QuantizationFor(random, type));
  const int64_t axis = random.Int(-rank, rank - 1);
  const TensorId where = random.Chance(0.7) ? builder.Scalar(static_cast<int32_t>(axis))
                                            : builder.Constant(DataType::kInt64, {1},
                                                               BytesOf(std::vector<int64_t>{axis}));
  const DataType index = random.Pick({DataType::kInt32, DataType::kInt64});
  return builder.Finish(op, {x, where}, index, {}, OutputTypeAttrs{.output_type = index});
}

DLPU_PEER_CASE(reduce, arg_max_any) { return Arg(random, Op::kArgMax); }
DLPU_PEER_CASE(reduce, arg_min_any) { return Arg(random, Op::kArgMin); }

}  // namespace
}  // namespace dlpu::peer
