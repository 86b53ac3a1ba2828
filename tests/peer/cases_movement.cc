// SPDX-License-Identifier: Apache-2.0
// Generated cases of the ops that move elements without computing: every element type, ranks up to
// six, negative axes, extents of 0 and 1, all masks, uint8 concatenation with rescaling and ties.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "cases.h"
#include "movement_shapes.h"

namespace dlpu::peer {
namespace {

// --- CONCATENATION ---------------------------------------------------------------------------

struct ConcatShapes {
  std::vector<Shape> shapes;
  int32_t axis;
};

ConcatShapes RandomConcat(Random& random) {
  ConcatShapes c;
  const Shape base = MovementShape(random, 1, 6);
  const auto rank = static_cast<int64_t>(base.size());
  const auto axis = static_cast<size_t>(random.Int(0, rank - 1));
  const int64_t count = random.Int(1, 5);
  for (int64_t i = 0; i < count; ++i) {
    Shape shape = base;
    shape[axis] = static_cast<int32_t>(random.Int(random.Chance(0.1) ? 0 : 1, 6));
    c.shapes.push_back(shape);
  }
  c.axis = static_cast<int32_t>(random.Chance(0.3) ? static_cast<int64_t>(axis) - rank
                                                   : static_cast<int64_t>(axis));
  return c;
}

Case Concatenation(Random& random, DataType type) {
  CaseBuilder builder(random);
  const ConcatShapes c = RandomConcat(random);
  const Quantization q = QuantizationFor(random, type);
  std::vector<TensorId> inputs;
  for (size_t i = 0; i < c.shapes.size(); ++i) {
    const bool constant = i > 0 && random.Chance(0.15);
    inputs.push_back(constant ? builder.RandomConstant(type, c.shapes[i], q)
                              : builder.Input(type, c.shapes[i], q));
  }
  return builder.Finish(Op::kConcatenation, inputs, type, q, ConcatenationAttrs{.axis = c.axis});
}

DLPU_PEER_CASE(movement, concatenation_float32) {
  return Concatenation(random, DataType::kFloat32);
}
DLPU_PEER_CASE(movement, concatenation_int8) { return Concatenation(random, DataType::kInt8); }
DLPU_PEER_CASE(movement, concatenation_int16) { return Concatenation(random, DataType::kInt16); }
DLPU_PEER_CASE(movement, concatenation_other) {
  const DataType type = random.Pick({DataType::kInt32, DataType::kInt64, DataType::kBool});
  return Concatenation(random, type);
}

// Inputs whose scales are the output's times 1, 1/2, 3/4, ... (ties) or free.
DLPU_PEER_CASE(movement, concatenation_uint8) {
  CaseBuilder builder(random);
  const ConcatShapes c = RandomConcat(random);
  const Quantization out = RandomQuantization(random, DataType::kUInt8);
  std::vector<TensorId> inputs;
  for (const Shape& shape : c.shapes) {
    Quantization q = out;
    const double kind = random.Real(0, 1);
    if (kind > 0.2) {
      const double factor = random.Pick({1.0, 0.5, 0.25, 0.75, 1.5, 2.0});
      const double scale = kind < 0.6 ? out.scale0() * factor : out.scale0() * random.Real(0.2, 3);
      q = PerTensor(static_cast<float>(scale), RandomZeroPoint(random, DataType::kUInt8));
    }
    inputs.push_back(builder.Input(DataType::kUInt8, shape, q));
  }
  return builder.Finish(Op::kConcatenation, inputs, DataType::kUInt8, out,
                        ConcatenationAttrs{.axis = c.axis});
}

// --- PAD, PADV2 ------------------------------------------------------------------------------

TensorId Paddings(Random& random, CaseBuilder& builder, size_t rank) {
  std::vector<int32_t> values;
  for (size_t i = 0; i < 2 * rank; ++i) values.push_back(random.Pick({0, 0, 1, 2, 3}));
  const Shape shape = {static_cast<int32_t>(rank), 2};
  if (random.Chance(0.3)) {
    const std::vector<int64_t> wide(values.begin(), values.end());
    return builder.Constant(DataType::kInt64, shape, BytesOf(wide));
  }
  return builder.Constant(DataType::kInt32, shape, BytesOf(values));
}

DLPU_PEER_CASE(movement, pad_any) {
  CaseBuilder builder(random);
  const DataType type = MovementType(random);
  const Shape shape = MovementShape(random, 1, 5);
  const Quantization q = QuantizationFor(random, type);
  const TensorId x = builder.Input(type, shape, q);
  const TensorId paddings = Paddings(random, builder, shape.size());
  return builder.Finish(Op::kPad, {x, paddings}, type, q, NoAttrs{});
}

DLPU_PEER_CASE(movement, padv2_any) {
  CaseBuilder builder(random);
  const DataType type = MovementType(random);
  const Shape shape = MovementShape(random, 1, 5);
  const Quantization q = QuantizationFor(random, type);
  const TensorId x = builder.Input(type, shape, q);
  const TensorId paddings = Paddings(random, builder, shape.size());
  const TensorId value =
      random.Chance(0.5) ? builder.RandomConstant(type, {}, q) : builder.Input(type, {1}, q);
  return builder.Finish(Op::kPadV2, {x, paddings, value}, type, q, NoAttrs{});
}

// --- STRIDED_SLICE ---------------------------------------------------------------------------

Case StridedSlice(Random& random, bool masks) {
  CaseBuilder builder(random);
  const DataType type = MovementType(random);
  const Shape shape = MovementShape(random, 1, 6);
  const Quantization q = QuantizationFor(random, type);
  const TensorId x = builder.Input(type, shape, q);
  StridedSliceAttrs attrs;
  std::vector<int32_t> begin, end, strides;
  size_t next = 0;
  bool ellipsis = false;
  while (next < shape.size()) {
    const int32_t bit = 1 << begin.size();
    const int32_t n = shape[next];
    const double kind = masks ? random.Real(0, 1) : 1;
    const auto push = [&](int64_t b, int64_t e, int64_t s) {
      begin.push_back(static_cast<int32_t>(b));
      end.push_back(static_cast<int32_t>(e));
      strides.push_back(static_cast<int32_t>(s));
    };
    if (kind < 0.12) {
      attrs.new_axis_mask |= bit;
      push(random.Int(-3, 3), 1, 1);
    } else if (kind < 0.22 && !ellipsis) {
      ellipsis = true;
      attrs.ellipsis_mask |= bit;
      next += static_cast<size_t>(random.Int(1, static_cast<int64_t>(shape.size() - next)));
      push(0, 0, 1);
    } else if (kind < 0.4 && n > 0) {
      attrs.shrink_axis_mask |= bit;
      const int64_t i = random.Int(-n, n - 1);
      push(i, i + 1, 1);
      ++next;
    } else {
      if (random.Chance(0.2)) attrs.begin_mask |= bit;
      if (random.Chance(0.2)) attrs.end_mask |= bit;
      const int64_t stride = random.Pick({1, 1, 1, 2, 3, -1, -1, -2, -3});
      int64_t b = random.Int(-n - 2, n + 2), e = random.Int(-n - 2, n + 2);
      if (n > 0 && random.Chance(0.8)) {  // something is left, counted from either end
        const int64_t first = random.Int(0, n - 1), last = random.Int(first, n - 1);
        b = stride > 0 ? first : last;
        e = stride > 0 ? last + 1 : first - 1;
        if (random.Chance(0.3)) b -= n;
        if (e < 0 || random.Chance(0.3)) e -= n;
      }
      push(b, e, stride);
      ++next;
      if (!ellipsis && random.Chance(0.1)) break;  // the other axes are whole
    }
    // An ellipsis stands for what is left over: nothing may follow that it would not leave.
    if (ellipsis && next >= shape.size()) break;
  }
  const TensorId b = builder.Ints(begin), e = builder.Ints(end), s = builder.Ints(strides);
  return builder.Finish(Op::kStridedSlice, {x, b, e, s}, type, q, attrs);
}

DLPU_PEER_CASE(movement, strided_slice_any) { return StridedSlice(random, false); }
DLPU_PEER_CASE(movement, strided_slice_masks) { return StridedSlice(random, true); }

// --- SPLIT -----------------------------------------------------------------------------------

DLPU_PEER_CASE(movement, split_any) {
  CaseBuilder builder(random);
  const DataType type = MovementType(random, /*with_bool=*/false);
  Shape shape = MovementShape(random, 1, 6);
  const auto axis = random.Int(0, static_cast<int64_t>(shape.size()) - 1);
  const auto count = static_cast<int32_t>(random.Int(1, 4));
  shape[axis] = count * static_cast<int32_t>(random.Int(1, 4));
  const Quantization q = QuantizationFor(random, type);
  const bool negative = random.Chance(0.3);
  const TensorId where = builder.Scalar(
      static_cast<int32_t>(negative ? axis - static_cast<int64_t>(shape.size()) : axis));
  const TensorId x = builder.Input(type, shape, q);
  std::vector<TensorId> outputs;
  for (int32_t i = 0; i < count; ++i) outputs.push_back(builder.Computed(type, q));
  builder.Add(Op::kSplit, {where, x}, outputs, SplitAttrs{.count = count});
  return builder.Finish(outputs);
}

// --- TRANSPOSE -------------------------------------------------------------------------------

Case Transpose(Random& random, const Shape& shape) {
  CaseBuilder builder(random);
  const DataType type = MovementType(random);
  const Quantization q = QuantizationFor(random, type);
  const TensorId x = builder.Input(type, shape, q);
  std::vector<int32_t> axes(shape.size());
  std::iota(axes.begin(), axes.end(), 0);
  for (size_t i = axes.size(); i > 1; --i) {
    std::swap(axes[i - 1], axes[random.Int(0, static_cast<int64_t>(i) - 1)]);
  }
  for (int32_t& axis : axes) {
    if (random.Chance(0.1)) axis -= static_cast<int32_t>(axes.size());
  }
  const TensorId permutation = builder.Ints(axes);
  return builder.Finish(Op::kTranspose, {x, permutation}, type, q, NoAttrs{});
}

DLPU_PEER_CASE(movement, transpose_any) { return Transpose(random, MovementShape(random, 1, 6)); }
DLPU_PEER_CASE(movement, transpose_wide) {
  return Transpose(random, RandomShape(random, 2, 3, 40));
}

// --- SQUEEZE, EXPAND_DIMS --------------------------------------------------------------------

DLPU_PEER_CASE(movement, squeeze_any) {
  CaseBuilder builder(random);
  const DataType type = MovementType(random);
  Shape shape = MovementShape(random, 1, 6);
  SqueezeAttrs attrs;
  const bool name_them = random.Chance(0.5);
  for (size_t d = 0; d < shape.size(); ++d) {
    if (!random.Chance(0.4)) continue;
    shape[d] = 1;
    const auto axis = static_cast<int32_t>(d), rank = static_cast<int32_t>(shape.size());
    if (name_them) attrs.dims.push_back(random.Chance(0.3) ? axis - rank : axis);
  }
  const Quantization q = QuantizationFor(random, type);
  const TensorId x = builder.Input(type, shape, q);
  return builder.Finish(Op::kSqueeze, {x}, type, q, attrs);
}

DLPU_PEER_CASE(movement, expand_dims_any) {
  CaseBuilder builder(random);
  const DataType type = MovementType(random);
  const Shape shape = MovementShape(random, 1, 5);
  const Quantization q = QuantizationFor(random, type);
  const TensorId x = builder.Input(type, shape, q);
  const auto rank = static_cast<int64_t>(shape.size());
  const auto axis = static_cast<int32_t>(random.Int(-rank - 1, rank));
  const TensorId where = builder.Scalar(axis);
  return builder.Finish(Op::kExpandDims, {x, where}, type, q, NoAttrs{});
}

// --- TILE ------------------------------------------------------------------------------------

DLPU_PEER_CASE(movement, tile_any) {
  CaseBuilder builder(random);
  const DataType type = MovementType(random);
  const Shape shape = RandomShape(random, 1, 5, 4);
  const Quantization q = QuantizationFor(random, type);
  const TensorId x = builder.Input(type, shape, q);
  std::vector<int32_t> repeats;
  for (size_t d = 0; d < shape.size(); ++d) repeats.push_back(random.Pick({1, 1, 2, 3}));
  if (random.Chance(0.05)) repeats[0] = 0;
  TensorId multiples = kNoTensor;
  if (random.Chance(0.3)) {
    const std::vector<int64_t> wide(repeats.begin(), repeats.end());
    multiples =
        builder.Constant(DataType::kInt64, {static_cast<int32_t>(wide.size())}, BytesOf(wide));
  } else {
    multiples = builder.Ints(repeats);
  }
  return builder.Finish(Op::kTile, {x, multiples}, type, q, NoAttrs{});
}

}  // namespace
}  // namespace dlpu::peer
