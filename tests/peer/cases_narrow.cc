// SPDX-License-Identifier: Apache-2.0
// Generated cases of types that are computed in wider ones: float16 arithmetic and 4-bit elements
// that move. 4-bit results are turned into float32, because a test reads whole bytes.
#include <numeric>

#include "elementwise.h"
#include "movement_shapes.h"

namespace dlpu::peer {
namespace {

constexpr DataType kHalf = DataType::kFloat16;

Case HalfUnary(Random& random, Op op, Attrs attrs) {
  CaseBuilder builder(random);
  const TensorId x = builder.Input(kHalf, RandomShape(random, 1, 4, 7));
  return builder.Finish(op, {x}, kHalf, {}, std::move(attrs));
}

Case HalfBinary(Random& random, Op op, DataType output, Attrs attrs) {
  CaseBuilder builder(random);
  const ShapePair shapes = RandomShapePair(random, 4);
  const TensorId a = builder.Input(kHalf, shapes.a);
  const TensorId b =
      random.Chance(0.3) ? builder.RandomConstant(kHalf, shapes.b) : builder.Input(kHalf, shapes.b);
  return builder.Finish(op, {a, b}, output, {}, std::move(attrs));
}

// The op on 4-bit constants, and its result as float32.
Case Nibbles(CaseBuilder& builder, Op op, const std::vector<TensorId>& inputs, Attrs attrs) {
  const TensorId moved = builder.Computed(DataType::kInt4);
  builder.Add(op, inputs, {moved}, std::move(attrs));
  OutputTypeAttrs cast;
  cast.output_type = DataType::kFloat32;
  return builder.Finish(Op::kCast, {moved}, DataType::kFloat32, {}, cast);
}

TensorId NibbleConstant(CaseBuilder& builder, Shape shape) {
  return builder.RandomConstant(DataType::kInt4, std::move(shape));
}

}  // namespace

DLPU_PEER_CASE(narrow, unary_float16) {
  const Op op =
      random.Pick({Op::kNeg, Op::kFloor, Op::kSin, Op::kCos, Op::kLogistic, Op::kTanh, Op::kRound});
  return HalfUnary(random, op, NoAttrs{});
}
DLPU_PEER_CASE(narrow, arithmetic_float16) {
  const Op op = random.Pick({Op::kAdd, Op::kMul});
  ArithmeticAttrs attrs;
  attrs.activation = RandomActivation(random);
  return HalfBinary(random, op, kHalf, attrs);
}
DLPU_PEER_CASE(narrow, extremes_float16) {
  return HalfBinary(random, random.Pick({Op::kMaximum, Op::kMinimum}), kHalf, NoAttrs{});
}
DLPU_PEER_CASE(narrow, compare_float16) {
  const Op op = random.Pick(
      {Op::kEqual, Op::kNotEqual, Op::kLess, Op::kLessEqual, Op::kGreater, Op::kGreaterEqual});
  return HalfBinary(random, op, DataType::kBool, NoAttrs{});
}

DLPU_PEER_CASE(narrow, transpose_int4) {
  CaseBuilder builder(random);
  const Shape shape = RandomShape(random, 1, 4, 6);
  std::vector<int32_t> axes(shape.size());
  std::iota(axes.begin(), axes.end(), 0);
  for (size_t i = axes.size(); i > 1; --i) {
    std::swap(axes[i - 1], axes[static_cast<size_t>(random.Int(0, static_cast<int64_t>(i) - 1))]);
  }
  const TensorId x = NibbleConstant(builder, shape);
  return Nibbles(builder, Op::kTranspose, {x, builder.Ints(axes)}, NoAttrs{});
}
DLPU_PEER_CASE(narrow, concatenation_int4) {
  CaseBuilder builder(random);
  const Shape shape = RandomShape(random, 2, 4, 5);
  std::vector<TensorId> inputs;
  for (int64_t i = random.Int(1, 3); i >= 0; --i) inputs.push_back(NibbleConstant(builder, shape));
  const auto axis = static_cast<int32_t>(random.Int(0, static_cast<int64_t>(shape.size()) - 1));
  return Nibbles(builder, Op::kConcatenation, inputs, ConcatenationAttrs{.axis = axis});
}
DLPU_PEER_CASE(narrow, slice_int4) {
  CaseBuilder builder(random);
  const Shape shape = RandomShape(random, 1, 4, 6);
  std::vector<int32_t> begin, size;
  for (const int32_t extent : shape) {
    begin.push_back(static_cast<int32_t>(random.Int(0, extent - 1)));
    size.push_back(static_cast<int32_t>(random.Int(1, extent - begin.back())));
  }
  const TensorId x = NibbleConstant(builder, shape);
  return Nibbles(builder, Op::kSlice, {x, builder.Ints(begin), builder.Ints(size)}, NoAttrs{});
}

}  // namespace dlpu::peer
