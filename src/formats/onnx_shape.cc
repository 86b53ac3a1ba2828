// SPDX-License-Identifier: Apache-2.0
// Rules of shapes: what changes a shape, and what makes tensors from shapes. Shapes are static, so
// their arithmetic becomes constants.
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "formats/onnx_builder.h"

namespace dlpu {
namespace {

// A shape of 64-bit extents as the IR's; an error when one does not fit.
Shape ToShape(OnnxBuilder& b, const std::vector<int64_t>& extents) {
  Shape shape;
  for (const int64_t extent : extents) {
    if (extent < 0 || extent > std::numeric_limits<int32_t>::max()) {
      b.Fail(b.Invalid(fmt::format("an extent of {}", extent)));
      return {};
    }
    shape.push_back(static_cast<int32_t>(extent));
  }
  return shape;
}

Status Reshape(OnnxBuilder& b) {
  const TensorId x = b.in(0);
  const Shape& from = b.shape(x);
  std::vector<int64_t> wanted = b.has(1) ? b.ConstantInts(b.in(1)) : b.Ints("shape");
  const bool allow_zero = b.Int("allowzero", 0) != 0;
  int64_t known = 1, open = -1;
  for (size_t d = 0; d < wanted.size(); ++d) {
    if (wanted[d] == 0 && !allow_zero) wanted[d] = d < from.size() ? from[d] : -2;
    if (wanted[d] == -1 && open < 0) {
      open = static_cast<int64_t>(d);
    } else if (wanted[d] >= 0 && wanted[d] <= std::numeric_limits<int32_t>::max()) {
      known = std::min<int64_t>(known * wanted[d], int64_t{1} << 31);
    } else {
      return b.Invalid(fmt::format("extent {} of the new shape is {}", d, wanted[d]));
    }
  }
  const int64_t count = ElementCount(from);
  if (open >= 0) wanted[open] = known == 0 ? 0 : count / known;
  const Shape shape = ToShape(b, wanted);
  if (b.status().ok() && ElementCount(shape) != count) {
    return b.Invalid(
        fmt::format("{} cannot become {}{}", ShapeText(from), ShapeText(shape),
                    b.has(1) ? " (was the model exported for another input size?)" : ""));
  }
  return b.Set(b.Reshape(x, shape));
}

Status Flatten(OnnxBuilder& b) {
  const Shape shape = b.shape(b.in(0));
  int64_t axis = b.Int("axis", 1);
  if (axis != static_cast<int64_t>(shape.size())) axis = b.Axis(axis, shape.size());
  if (!b.status().ok()) return b.status();
  const int64_t outer = ElementCount(Shape(shape.begin(), shape.begin() + axis));
  const int64_t inner = ElementCount(Shape(shape.begin() + axis, shape.end()));
  return b.Set(b.Reshape(b.in(0), ToShape(b, {outer, inner})));
}

std::vector<int64_t> AxesOf(OnnxBuilder& b) {
  return b.has(1) ? b.ConstantInts(b.in(1)) : b.Ints("axes");
}

Status Squeeze(OnnxBuilder& b) {
  const Shape shape = b.shape(b.in(0));
  std::vector<bool> gone(shape.size(), false);
  const std::vector<int64_t> axes = AxesOf(b);
  for (const int64_t value : axes) {
    const int32_t axis = b.Axis(value, shape.size());
    if (!b.status().ok()) return b.status();
    if (shape[axis] != 1) {
      return b.Invalid(fmt::format("axis {} of {} is not 1", axis, ShapeText(shape)));
    }
    gone[axis] = true;
  }
  Shape result;
  for (size_t d = 0; d < shape.size(); ++d) {
    if (axes.empty() ? shape[d] != 1 : !gone[d]) result.push_back(shape[d]);
  }
  return b.Set(b.Reshape(b.in(0), result));
}

Status Unsqueeze(OnnxBuilder& b) {
  const Shape shape = b.shape(b.in(0));
  const std::vector<int64_t> axes = AxesOf(b);
  const size_t rank = shape.size() + axes.size();
  std::vector<bool> added(rank, false);
  for (const int64_t value : axes) {
    const int32_t axis = b.Axis(value, rank);
    if (!b.status().ok()) return b.status();
    if (added[axis]) return b.Invalid(fmt::format("axis {} occurs twice", axis));
    added[axis] = true;
  }
  Shape result;
  size_t next = 0;
  for (size_t d = 0; d < rank; ++d) result.push_back(added[d] ? 1 : shape[next++]);
  return b.Set(b.Reshape(b.in(0), result));
}

Status Transpose(OnnxBuilder& b) {
  const size_t rank = b.rank(b.in(0));
  const std::vector<int64_t> stated = b.Ints("perm");
  Permutation perm = IdentityPermutation(rank);
  std::reverse(perm.begin(), perm.end());
  if (b.HasAttribute("perm") && !stated.empty()) {
    if (stated.size() != rank) {
      return b.Invalid(fmt::format("perm has {} axes for {} dimensions", stated.size(), rank));
    }
    std::vector<bool> used(rank, false);
    for (size_t d = 0; d < rank; ++d) {
      perm[d] = b.Axis(stated[d], rank);
      if (used[perm[d]]) return b.Invalid("perm names an axis twice");
      used[perm[d]] = true;
    }
  }
  return b.Set(b.Transpose(b.in(0), perm));
}

// [start, end) of the input's extents.
Status ShapeOf(OnnxBuilder& b) {
  const Shape& shape = b.shape(b.in(0));
  const auto rank = static_cast<int64_t>(shape.size());
  const auto clamp = [&](int64_t at) {
    return std::clamp<int64_t>(at < 0 ? at + rank : at, 0, rank);
  };
  const int64_t start = clamp(b.Int("start", 0));
  const int64_t end = std::max(start, clamp(b.Int("end", rank)));
  const std::vector<int64_t> extents(shape.begin() + start, shape.begin() + end);
  return b.Set(b.LongConstant(extents, {static_cast<int32_t>(extents.size())}));
}

Status Size(OnnxBuilder& b) { return b.Set(b.LongConstant({ElementCount(b.shape(b.in(0)))}, {})); }

TensorId Filled(OnnxBuilder& b, TensorId value, const std::vector<int64_t>& extents) {
  const Shape shape = ToShape(b, extents);
  if (!b.status().ok()) return kNoTensor;
  if (ElementCount(shape) > (1 << 26)) return b.Fail(b.Invalid("a constant of over 2^26 elements"));
  return b.EmitMany(Op::kFill, {b.IntList(shape), b.Reshape(value, {})}, NoAttrs{},
                    {b.type(value)})[0];
}

Status ConstantOfShape(OnnxBuilder& b) {
  TensorId value = b.FloatScalar(0);
  if (const OnnxTensor* stated = b.TensorAttribute("value")) {
    DLPU_TRY(value, b.AddInitializer(*stated));
    if (ElementCount(b.shape(value)) != 1) return b.Invalid("its value is not one number");
  }
  return b.Set(Filled(b, value, b.ConstantInts(b.in(0))));
}

Status Constant(OnnxBuilder& b) {
  if (const OnnxTensor* value = b.TensorAttribute("value")) {
    DLPU_TRY(const TensorId id, b.AddInitializer(*value));
    return b.Set(id);
  }
  if (b.HasAttribute("value_float")) return b.Set(b.FloatScalar(b.Float("value_float", 0)));
  if (b.HasAttribute("value_int")) return b.Set(b.LongConstant({b.Int("value_int", 0)}, {}));
  if (b.HasAttribute("value_ints")) {
    const std::vector<int64_t> values = b.Ints("value_ints");
    return b.Set(b.LongConstant(values, {static_cast<int32_t>(values.size())}));
  }
  if (b.HasAttribute("value_floats")) {
    const std::vector<float> values = b.node().attributes.at("value_floats").floats;
    return b.Set(b.FloatConstant(values, {static_cast<int32_t>(values.size())}));
  }
  return b.Unsupported("a constant that is neither numbers nor a dense tensor");
}

Status Range(OnnxBuilder& b) {
  for (size_t i = 0; i < 3; ++i) {
    if (!b.IsConstant(b.in(i))) b.ConstantFloats(b.in(i));  // says what is wrong
  }
  if (!b.status().ok()) return b.status();
  const DataType type = b.type(b.in(0));
  if (type == DataType::kFloat32) {
    return b.Set(b.Emit(Op::kRange,
                        {b.Reshape(b.in(0), {}), b.Reshape(b.in(1), {}), b.Reshape(b.in(2), {})}));
  }
  const int64_t start = b.ConstantInts(b.in(0))[0], limit = b.ConstantInts(b.in(1))[0],
                delta = b.ConstantInts(b.in(2))[0];
  std::vector<int64_t> values;
  if (delta == 0) return b.Invalid("a step of 0");
  for (int64_t v = start; delta > 0 ? v < limit : v > limit;) {
    if (values.size() >= (1u << 24)) return b.Invalid("more than 2^24 values");
    values.push_back(v);
    if (__builtin_add_overflow(v, delta, &v)) break;
  }
  return b.Set(b.Cast(b.LongConstant(values, {static_cast<int32_t>(values.size())}), type));
}

// NumPy broadcasting of two shapes; an error sticks when they do not fit.
std::vector<int64_t> Broadcast(OnnxBuilder& b, const Shape& a, const std::vector<int64_t>& c) {
  std::vector<int64_t> result(std::max(a.size(), c.size()), 1);
  for (size_t i = 0; i < result.size(); ++i) {
    const int64_t x = i < a.size() ? a[a.size() - 1 - i] : 1;
    const int64_t y = i < c.size() ? c[c.size() - 1 - i] : 1;
    if (x != y && x != 1 && y != 1) {
      b.Fail(b.Invalid(fmt::format("{} does not broadcast to the new shape", ShapeText(a))));
    }
    result[result.size() - 1 - i] = x == 1 ? y : x;
  }
  return result;
}

Status Expand(OnnxBuilder& b) {
  const TensorId x = b.in(0);
  const Shape shape = ToShape(b, Broadcast(b, b.shape(x), b.ConstantInts(b.in(1))));
  if (!b.status().ok()) return b.status();
  if (shape == b.shape(x)) return b.Set(x);
  return b.Set(b.Emit(Op::kBroadcastTo, {x, b.IntList(shape)}));
}

Status Tile(OnnxBuilder& b) {
  std::vector<int32_t> repeats;
  for (const int64_t value : b.ConstantInts(b.in(1))) {
    if (value < 0 || value > (1 << 24)) return b.Invalid(fmt::format("{} repeats", value));
    repeats.push_back(static_cast<int32_t>(value));
  }
  return b.Set(b.Emit(Op::kTile, {b.in(0), b.IntList(repeats)}));
}

Status EyeLike(OnnxBuilder& b) {
  const Shape shape = b.shape(b.in(0));
  if (shape.size() != 2 || ElementCount(shape) > (1 << 24)) return b.Invalid("no matrix");
  const auto type =
      FromOnnxType(static_cast<OnnxType>(b.Int("dtype", static_cast<int64_t>(OnnxType::kFloat))));
  const DataType wanted = b.HasAttribute("dtype") ? type : b.type(b.in(0));
  const int64_t k = b.Int("k", 0);
  std::vector<int32_t> values(static_cast<size_t>(ElementCount(shape)), 0);
  for (int64_t row = 0; row < shape[0]; ++row) {
    if (row + k >= 0 && row + k < shape[1]) values[row * shape[1] + row + k] = 1;
  }
  if (wanted == DataType::kOther) return b.Unsupported("that type");
  return b.Set(b.Cast(b.IntConstant(values, shape), wanted));
}

constexpr OnnxRow kRows[] = {
    {"Constant", Constant, "a constant"},
    {"ConstantOfShape", ConstantOfShape, "a constant"},
    {"Expand", Expand, "BROADCAST_TO"},
    {"EyeLike", EyeLike, "a constant"},
    {"Flatten", Flatten, "RESHAPE"},
    {"Range", Range, "a constant"},
    {"Reshape", Reshape, "RESHAPE"},
    {"Shape", ShapeOf, "a constant"},
    {"Size", Size, "a constant"},
    {"Squeeze", Squeeze, "RESHAPE"},
    {"Tile", Tile, "TILE"},
    {"Transpose", Transpose, "TRANSPOSE"},
    {"Unsqueeze", Unsqueeze, "RESHAPE"},
};

}  // namespace

std::span<const OnnxRow> OnnxShapeRows() { return kRows; }

}  // namespace dlpu
