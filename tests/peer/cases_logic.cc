// SPDX-License-Identifier: Apache-2.0
// Generated cases of comparisons, logic, CAST, SELECT and ZEROS_LIKE.
#include <algorithm>

#include "elementwise.h"

namespace dlpu::peer {
namespace {

constexpr Op kComparisons[] = {Op::kEqual,     Op::kNotEqual, Op::kLess,
                               Op::kLessEqual, Op::kGreater,  Op::kGreaterEqual};

Op AnyComparison(Random& random) {
  return kComparisons[random.Int(0, std::size(kComparisons) - 1)];
}

Case CompareValues(Random& random, Op op, DataType type, double specials) {
  CaseBuilder builder(random);
  const std::vector<TensorId> inputs = ValuePair(random, builder, type, 3, specials);
  return builder.Finish(op, inputs, DataType::kBool, {}, NoAttrs{});
}

// Scales below 1, often equal ones, often tiny ones: then different codes compare equal.
Case CompareCodes(Random& random, Op op, DataType type) {
  CaseBuilder builder(random);
  Quantization a = RandomQuantization(random, type), b = RandomQuantization(random, type);
  a.scale[0] = std::min(a.scale[0], 0.75f);
  b.scale[0] = random.Chance(0.4) ? a.scale[0] : std::min(b.scale[0], 0.75f);
  if (random.Chance(0.4)) {
    const float shrink = random.Pick({0x1p-4f, 0.1f, 0.03f});
    a.scale[0] *= shrink;
    b.scale[0] *= shrink;
  }
  const std::vector<TensorId> inputs = CodePair(random, builder, type, a, b);
  return builder.Finish(op, inputs, DataType::kBool, {}, NoAttrs{});
}

Case Logical(Random& random, Op op) {
  CaseBuilder builder(random);
  const std::vector<TensorId> inputs = ValuePair(random, builder, DataType::kBool);
  return builder.Finish(op, inputs, DataType::kBool, {}, NoAttrs{});
}

Case Cast(Random& random, DataType from) {
  CaseBuilder builder(random);
  const DataType to = random.Pick({DataType::kBool, DataType::kInt8, DataType::kUInt8,
                                   DataType::kInt16, DataType::kInt32, DataType::kUInt32,
                                   DataType::kInt64, DataType::kFloat32, DataType::kFloat16});
  const Shape shape = RandomShape(random, 1, 4, 7);
  const double limit = random.Pick({4.0, 300.0, 1e5, 3e9});
  const TensorId x = from == DataType::kFloat32 ? FloatInput(random, builder, shape, limit, 0.2)
                                                : builder.Input(from, shape, {}, limit);
  OutputTypeAttrs attrs;
  attrs.output_type = to;
  return builder.Finish(Op::kCast, {x}, to, {}, attrs);
}

Case Select(Random& random, DataType type) {
  CaseBuilder builder(random);
  const Shape shape = RandomShape(random, 1, 5, 6);
  Shape condition = shape;
  const double draw = random.Real(0, 1);
  if (draw < 0.3) condition.clear();
  if (draw > 0.7) condition = {shape[0]};
  const TensorId c = builder.Input(DataType::kBool, condition);
  const TensorId x = builder.Input(type, shape);
  const TensorId y = builder.Input(type, shape);
  return builder.Finish(Op::kSelect, {c, x, y}, type, {}, NoAttrs{});
}

Shape Shrunk(Random& random, Shape shape) {
  for (int32_t& extent : shape) {
    if (random.Chance(0.3)) extent = 1;
  }
  while (!shape.empty() && shape[0] == 1 && random.Chance(0.5)) shape.erase(shape.begin());
  return shape;
}

Case SelectV2(Random& random, DataType type) {
  CaseBuilder builder(random);
  const int rank = random.Pick({1, 2, 3, 4, 5, 6});
  const Shape shape = RandomShape(random, rank, rank, 4);
  const bool same = random.Chance(0.2);
  std::vector<TensorId> inputs;
  for (const DataType t : {DataType::kBool, type, type}) {
    inputs.push_back(builder.Input(t, same ? shape : Shrunk(random, shape)));
  }
  return builder.Finish(Op::kSelectV2, inputs, type, {}, NoAttrs{});
}

Case Zeros(Random& random, DataType type) {
  CaseBuilder builder(random);
  const TensorId x = builder.Input(type, RandomShape(random, 1, 5, 6));
  return builder.Finish(Op::kZerosLike, {x}, type, {}, NoAttrs{});
}

}  // namespace

DLPU_PEER_CASE(logic, compare_float32) {
  const Op op = AnyComparison(random);
  return CompareValues(random, op, DataType::kFloat32, 0.1);
}
DLPU_PEER_CASE(logic, compare_int32) {
  const Op op = AnyComparison(random);
  return CompareValues(random, op, DataType::kInt32, 0);
}
DLPU_PEER_CASE(logic, compare_int64) {
  const Op op = AnyComparison(random);
  return CompareValues(random, op, DataType::kInt64, 0);
}
DLPU_PEER_CASE(logic, compare_int8) {
  const Op op = AnyComparison(random);
  return CompareCodes(random, op, DataType::kInt8);
}
DLPU_PEER_CASE(logic, compare_uint8) {
  const Op op = AnyComparison(random);
  return CompareCodes(random, op, DataType::kUInt8);
}
DLPU_PEER_CASE(logic, compare_int16) {
  const Op op = AnyComparison(random);
  return CompareCodes(random, op, DataType::kInt16);
}
DLPU_PEER_CASE(logic, equal_int8) { return CompareCodes(random, Op::kEqual, DataType::kInt8); }
DLPU_PEER_CASE(logic, equal_int16_plain) {
  return CompareValues(random, Op::kEqual, DataType::kInt16, 0);
}
DLPU_PEER_CASE(logic, equal_bool) { return CompareValues(random, Op::kEqual, DataType::kBool, 0); }
DLPU_PEER_CASE(logic, not_equal_bool) {
  return CompareValues(random, Op::kNotEqual, DataType::kBool, 0);
}
DLPU_PEER_CASE(logic, logical_and) { return Logical(random, Op::kLogicalAnd); }
DLPU_PEER_CASE(logic, logical_or) { return Logical(random, Op::kLogicalOr); }
DLPU_PEER_CASE(logic, logical_not) {
  CaseBuilder builder(random);
  const TensorId x = builder.Input(DataType::kBool, RandomShape(random, 1, 5, 6));
  return builder.Finish(Op::kLogicalNot, {x}, DataType::kBool, {}, NoAttrs{});
}
DLPU_PEER_CASE(logic, cast_float32) { return Cast(random, DataType::kFloat32); }
DLPU_PEER_CASE(logic, cast_float16) { return Cast(random, DataType::kFloat16); }
DLPU_PEER_CASE(logic, cast_bool) { return Cast(random, DataType::kBool); }
DLPU_PEER_CASE(logic, cast_int8) { return Cast(random, DataType::kInt8); }
DLPU_PEER_CASE(logic, cast_uint8) { return Cast(random, DataType::kUInt8); }
DLPU_PEER_CASE(logic, cast_int16) { return Cast(random, DataType::kInt16); }
DLPU_PEER_CASE(logic, cast_int32) { return Cast(random, DataType::kInt32); }
DLPU_PEER_CASE(logic, cast_uint32) { return Cast(random, DataType::kUInt32); }
DLPU_PEER_CASE(logic, cast_int64) { return Cast(random, DataType::kInt64); }
DLPU_PEER_CASE(logic, select_float32) { return Select(random, DataType::kFloat32); }
DLPU_PEER_CASE(logic, select_int8) { return Select(random, DataType::kInt8); }
DLPU_PEER_CASE(logic, select_int64) { return Select(random, DataType::kInt64); }
DLPU_PEER_CASE(logic, select_v2_float32) { return SelectV2(random, DataType::kFloat32); }
DLPU_PEER_CASE(logic, select_v2_uint8) { return SelectV2(random, DataType::kUInt8); }
DLPU_PEER_CASE(logic, select_v2_int16) { return SelectV2(random, DataType::kInt16); }
DLPU_PEER_CASE(logic, select_v2_bool) { return SelectV2(random, DataType::kBool); }
DLPU_PEER_CASE(logic, zeros_like_float32) { return Zeros(random, DataType::kFloat32); }
DLPU_PEER_CASE(logic, zeros_like_int32) { return Zeros(random, DataType::kInt32); }
DLPU_PEER_CASE(logic, zeros_like_int64) { return Zeros(random, DataType::kInt64); }

}  // namespace dlpu::peer
