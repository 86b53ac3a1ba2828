// SPDX-License-Identifier: Apache-2.0
// Generated cases of ops that work with indices and shapes: gathering, scattering, largest
// elements, running sums, and tensors made from constants.
#include <algorithm>
#include <numeric>

#include "cases.h"
#include "movement_shapes.h"

namespace dlpu::peer {
namespace {

int64_t RankOf(const Shape& shape) { return static_cast<int64_t>(shape.size()); }

// A tensor of indices below `limit`: an input or a constant, of type int32 or (when `wide`) int64.
TensorId Indices(Random& random, CaseBuilder& builder, const Shape& shape, int64_t limit,
                 bool wide) {
  std::vector<int64_t> values(static_cast<size_t>(ElementCount(shape)));
  for (int64_t& value : values) value = random.Int(0, std::max<int64_t>(0, limit - 1));
  const bool constant = random.Chance(0.4);
  if (wide) {
    return constant ? builder.Constant(DataType::kInt64, shape, BytesOf(values))
                    : builder.InputData(DataType::kInt64, shape, BytesOf(values));
  }
  const std::vector<int32_t> narrow(values.begin(), values.end());
  return constant ? builder.Constant(DataType::kInt32, shape, BytesOf(narrow))
                  : builder.InputData(DataType::kInt32, shape, BytesOf(narrow));
}

DLPU_PEER_CASE(index, gather_any) {
  CaseBuilder builder(random);
  const DataType type = MovementType(random);
  const Shape shape = RandomShape(random, 1, 5, 6);
  const int64_t axis = random.Int(0, RankOf(shape) - 1);
  const int64_t batch = random.Chance(0.4) ? random.Int(0, axis) : 0;
  Shape by(shape.begin(), shape.begin() + batch);
  for (int64_t i = random.Int(0, 2); i > 0; --i)
    by.push_back(static_cast<int32_t>(random.Int(1, 5)));
  const Quantization q = QuantizationFor(random, type);
  const TensorId x = builder.Input(type, shape, q);
  const bool wide = random.Chance(0.3);
  const TensorId indices = Indices(random, builder, by, shape[axis], wide);
  const auto stated = static_cast<int32_t>(random.Chance(0.3) ? axis - RankOf(shape) : axis);
  return builder.Finish(Op::kGather, {x, indices}, type, q,
                        GatherAttrs{.axis = stated, .batch_dims = static_cast<int32_t>(batch)});
}

DLPU_PEER_CASE(index, gather_nd_any) {
  CaseBuilder builder(random);
  const DataType type = MovementType(random);
  const Shape shape = RandomShape(random, 1, 5, 5);
  const int64_t length = random.Int(1, RankOf(shape));
  const int32_t limit = *std::min_element(shape.begin(), shape.begin() + length);
  Shape by = RandomShape(random, 0, 2, 5);
  by.push_back(static_cast<int32_t>(length));
  const Quantization q = QuantizationFor(random, type);
  const TensorId x = builder.Input(type, shape, q);
  const bool wide = random.Chance(0.3);
  const TensorId indices = Indices(random, builder, by, limit, wide);
  return builder.Finish(Op::kGatherNd, {x, indices}, type, q, NoAttrs{});
}

DLPU_PEER_CASE(index, scatter_nd_any) {
  CaseBuilder builder(random);
  const DataType type = random.Pick({DataType::kFloat32, DataType::kInt8, DataType::kUInt8,
                                     DataType::kInt32, DataType::kInt64, DataType::kBool});
  const Shape shape = RandomShape(random, 1, 4, 5);
  const int64_t length = random.Int(1, RankOf(shape));
  const int32_t limit = *std::min_element(shape.begin(), shape.begin() + length);
  Shape by = RandomShape(random, 1, 2, 6);
  Shape from = by;
  by.push_back(static_cast<int32_t>(length));
  from.insert(from.end(), shape.begin() + length, shape.end());
  const TensorId indices = Indices(random, builder, by, limit, false);
  const TensorId updates = builder.Input(type, from);
  const TensorId target = builder.Ints(shape);
  return builder.Finish(Op::kScatterNd, {indices, updates, target}, type, {}, NoAttrs{});
}

DLPU_PEER_CASE(index, one_hot_any) {
  CaseBuilder builder(random);
  const DataType type = random.Pick({DataType::kFloat32, DataType::kInt8, DataType::kUInt8,
                                     DataType::kInt32, DataType::kInt64, DataType::kBool});
  const Shape by = RandomShape(random, 1, 4, 5);
  const int64_t depth = random.Int(1, 6);
  const bool wide = random.Chance(0.3);
  // Indices beyond the depth give rows without a hot element.
  const TensorId indices = Indices(random, builder, by, depth + 2, wide);
  const TensorId deep = builder.Scalar(static_cast<int32_t>(depth));
  const TensorId on = builder.RandomConstant(type, {});
  const TensorId off = builder.RandomConstant(type, {});
  const auto axis = static_cast<int32_t>(random.Int(-1, RankOf(by)));
  return builder.Finish(Op::kOneHot, {indices, deep, on, off}, type, {}, PackAttrs{.axis = axis});
}

DLPU_PEER_CASE(index, topk_v2_any) {
  CaseBuilder builder(random);
  const DataType type = MovementType(random, /*with_bool=*/false);
  Shape shape = RandomShape(random, 1, 4, 4);
  shape.back() = static_cast<int32_t>(random.Int(1, 60));
  const Quantization q = QuantizationFor(random, type);
  const TensorId x = builder.Input(type, shape, q);
  const TensorId k = builder.Scalar(static_cast<int32_t>(random.Int(1, shape.back())));
  const TensorId values = builder.Computed(type, q);
  const TensorId positions = builder.Computed(DataType::kInt32);
  builder.Add(Op::kTopKV2, {x, k}, {values, positions}, NoAttrs{});
  return builder.Finish({values, positions});
}

DLPU_PEER_CASE(index, reverse_v2_any) {
  CaseBuilder builder(random);
  const DataType type = MovementType(random);
  const Shape shape = MovementShape(random, 1, 6);
  const Quantization q = QuantizationFor(random, type);
  const TensorId x = builder.Input(type, shape, q);
  const auto rank = static_cast<int32_t>(shape.size());
  const int64_t first = random.Int(0, rank - 1), count = random.Int(1, rank - first);
  std::vector<int32_t> axes;
  for (int64_t d = first; d < first + count; ++d) {
    axes.push_back(static_cast<int32_t>(random.Chance(0.3) ? d - rank : d));
  }
  if (random.Chance(0.3)) std::reverse(axes.begin(), axes.end());
  const TensorId list = builder.Ints(axes);
  return builder.Finish(Op::kReverseV2, {x, list}, type, q, NoAttrs{});
}

DLPU_PEER_CASE(index, cumsum_any) {
  CaseBuilder builder(random);
  const DataType type = random.Pick({DataType::kFloat32, DataType::kInt32, DataType::kInt64});
  const Shape shape = MovementShape(random, 1, 5);
  const TensorId x = builder.Input(type, shape, {}, 100);
  const auto axis = static_cast<int32_t>(random.Int(-RankOf(shape), RankOf(shape) - 1));
  const TensorId where = builder.Scalar(axis);
  CumsumAttrs attrs;
  attrs.exclusive = random.Chance(0.5);
  attrs.reverse = random.Chance(0.5);
  return builder.Finish(Op::kCumsum, {x, where}, type, {}, attrs);
}

DLPU_PEER_CASE(index, fill_any) {
  CaseBuilder builder(random);
  const DataType type = MovementType(random);
  const Quantization q = QuantizationFor(random, type);
  const TensorId extents = builder.Ints(MovementShape(random, 0, 5));
  const TensorId value = builder.Input(type, {}, q);
  return builder.Finish(Op::kFill, {extents, value}, type, q, NoAttrs{});
}

// SHAPE's output is known before the model runs; RANGE counts from constants. Both go together
// with an op that has an input.
DLPU_PEER_CASE(index, shape_and_range) {
  CaseBuilder builder(random);
  const Shape shape = MovementShape(random, 1, 5);
  const DataType width = random.Pick({DataType::kInt32, DataType::kInt64});
  const TensorId x = builder.Input(DataType::kFloat32, shape);
  const TensorId extents = builder.Computed(width);
  builder.Add(Op::kShape, {x}, {extents}, OutputTypeAttrs{.output_type = width});
  TensorId range = kNoTensor;
  if (random.Chance(0.5)) {
    const auto delta = static_cast<int32_t>(random.Pick({1, 2, 3, -1, -4}));
    const auto start = static_cast<int32_t>(random.Int(-20, 20));
    const auto limit = static_cast<int32_t>(start + delta * random.Int(0, 9));
    const TensorId a = builder.Scalar(start), b = builder.Scalar(limit), c = builder.Scalar(delta);
    range = builder.Computed(DataType::kInt32);
    builder.Add(Op::kRange, {a, b, c}, {range}, NoAttrs{});
  } else {
    const auto delta = static_cast<float>(random.Real(0.05, 2));
    const auto start = static_cast<float>(random.Real(-5, 5));
    const float limit = start + static_cast<float>(random.Real(0.1, 30));
    const TensorId a = builder.ScalarFloat(start), b = builder.ScalarFloat(limit);
    const TensorId c = builder.ScalarFloat(delta);
    range = builder.Computed(DataType::kFloat32);
    builder.Add(Op::kRange, {a, b, c}, {range}, NoAttrs{});
  }
  return builder.Finish({extents, range});
}

DLPU_PEER_CASE(index, where_constant) {
  CaseBuilder builder(random);
  const DataType type = random.Pick(
      {DataType::kBool, DataType::kFloat32, DataType::kInt32, DataType::kInt8, DataType::kInt64});
  const TensorId condition = builder.RandomConstant(type, RandomShape(random, 1, 4, 5), {}, 2);
  const TensorId points = builder.Computed(DataType::kInt64);
  builder.Add(Op::kWhere, {condition}, {points}, NoAttrs{});
  const TensorId x = builder.Input(DataType::kFloat32, {1, 2});
  const TensorId squeezed = builder.Computed(DataType::kFloat32);
  builder.Add(Op::kSqueeze, {x}, {squeezed}, SqueezeAttrs{});
  return builder.Finish({points, squeezed});
}

}  // namespace
}  // namespace dlpu::peer
