// SPDX-License-Identifier: Apache-2.0
// Rules of the reductions and of what picks the largest elements.
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "formats/onnx_builder.h"

namespace dlpu {
namespace {

struct Axes {
  std::vector<int32_t> list;
  bool keep = true;
  bool nothing = false;  // the input is the result
};

// Axes are an attribute in older opsets and an input in newer ones.
Axes ReadAxes(OnnxBuilder& b) {
  Axes axes;
  axes.keep = b.Int("keepdims", 1) != 0;
  const size_t rank = b.rank(b.in(0));
  std::vector<int64_t> stated = b.Ints("axes");
  if (b.has(1)) stated = b.ConstantInts(b.in(1));
  if (stated.empty()) {
    axes.nothing = b.Int("noop_with_empty_axes", 0) != 0;
    for (size_t d = 0; d < rank; ++d) axes.list.push_back(static_cast<int32_t>(d));
  }
  for (const int64_t axis : stated) axes.list.push_back(b.Axis(axis, rank));
  return axes;
}

// Integers that the IR's reductions lack are computed as int32.
TensorId ReduceOver(OnnxBuilder& b, Op op, TensorId x, const Axes& axes) {
  const DataType type = b.type(x);
  if (!IsInteger(type) || type == DataType::kInt32) {
    if (type == DataType::kInt32 && op == Op::kMean) {
      return b.Cast(b.Reduce(op, b.Cast(x, DataType::kFloat32), axes.list, axes.keep), type);
    }
    return b.Reduce(op, x, axes.list, axes.keep);
  }
  const DataType wide = op == Op::kMean ? DataType::kFloat32 : DataType::kInt32;
  return b.Cast(b.Reduce(op, b.Cast(x, wide), axes.list, axes.keep), type);
}

// The result over no elements at all, in the shape that a sum of them has.
TensorId OverNothing(OnnxBuilder& b, const Axes& axes, double value) {
  const TensorId zeros = b.FloatConstant({}, b.shape(b.in(0)));
  const TensorId sum = b.Reduce(Op::kSum, zeros, axes.list, axes.keep);
  if (!b.status().ok()) return kNoTensor;
  const std::vector<float> values(static_cast<size_t>(ElementCount(b.shape(sum))),
                                  static_cast<float>(value));
  const TensorId result = b.FloatConstant(values, b.shape(sum));
  return b.type(b.in(0)) == DataType::kBool ? b.Binary(Op::kGreater, result, b.FloatScalar(0))
                                            : b.Cast(result, b.type(b.in(0)));
}

template <Op kOp>
Status Plain(OnnxBuilder& b) {
  const Axes axes = ReadAxes(b);
  if (axes.nothing) return b.Set(b.in(0));
  const DataType type = b.type(b.in(0));
  const bool extreme = kOp == Op::kReduceMax || kOp == Op::kReduceMin;
  const bool open = type == DataType::kFloat32 || type == DataType::kBool;
  if (extreme && open && ElementCount(b.shape(b.in(0))) == 0) {
    const double infinity = std::numeric_limits<double>::infinity();
    return b.Set(OverNothing(b, axes, kOp == Op::kReduceMax ? -infinity : infinity));
  }
  if (type == DataType::kBool) {
    return b.Set(b.Cast(ReduceOver(b, kOp, b.Cast(b.in(0), DataType::kInt32), axes), type));
  }
  return b.Set(ReduceOver(b, kOp, b.in(0), axes));
}

// A reduction of a function of x, and a function of that. The functions are in float32.
template <typename Before, typename After>
Status Around(OnnxBuilder& b, Before before, After after) {
  const Axes axes = ReadAxes(b);
  const DataType type = b.type(b.in(0));
  TensorId y = before(b.Cast(b.in(0), DataType::kFloat32));
  if (!axes.nothing) y = b.Reduce(Op::kSum, y, axes.list, axes.keep);
  return b.Set(b.Cast(after(y), type));
}

Status ReduceL1(OnnxBuilder& b) {
  return Around(
      b, [&](TensorId x) { return b.Unary(Op::kAbs, x); }, [](TensorId y) { return y; });
}

Status ReduceL2(OnnxBuilder& b) {
  return Around(
      b, [&](TensorId x) { return b.Unary(Op::kSquare, x); },
      [&](TensorId y) { return b.Unary(Op::kSqrt, y); });
}

Status ReduceSumSquare(OnnxBuilder& b) {
  return Around(
      b, [&](TensorId x) { return b.Unary(Op::kSquare, x); }, [](TensorId y) { return y; });
}

Status ReduceLogSum(OnnxBuilder& b) {
  return Around(
      b, [](TensorId x) { return x; }, [&](TensorId y) { return b.Unary(Op::kLog, y); });
}

// log(sum(e^(x - max))) + max does not overflow.
Status ReduceLogSumExp(OnnxBuilder& b) {
  const Axes axes = ReadAxes(b);
  const DataType type = b.type(b.in(0));
  const TensorId x = b.Cast(b.in(0), DataType::kFloat32);
  if (axes.nothing) return b.Set(x);
  if (ElementCount(b.shape(x)) == 0) {
    return b.Set(OverNothing(b, axes, -std::numeric_limits<double>::infinity()));
  }
  const float lowest = std::numeric_limits<float>::lowest();
  TensorId top =
      b.Binary(Op::kMaximum, b.Reduce(Op::kReduceMax, x, axes.list, true), b.FloatScalar(lowest));
  const TensorId sum =
      b.Reduce(Op::kSum, b.Unary(Op::kExp, b.Binary(Op::kSub, x, top)), axes.list, axes.keep);
  if (!b.status().ok()) return b.status();
  if (!axes.keep) top = b.Reshape(top, b.shape(sum));
  return b.Set(b.Cast(b.Binary(Op::kAdd, b.Unary(Op::kLog, sum), top), type));
}

template <Op kOp>
Status Arg(OnnxBuilder& b) {
  const TensorId x = b.in(0);
  const Shape shape = b.shape(x);
  const int32_t axis = b.Axis(b.Int("axis", 0), shape.size());
  if (!b.status().ok()) return b.status();
  TensorId values = IsInteger(b.type(x)) ? b.Cast(x, DataType::kInt32) : x;
  const bool last = b.Int("select_last_index", 0) != 0;
  if (last) values = b.Emit(Op::kReverseV2, {values, b.IntList({axis})});
  TensorId index = b.EmitMany(kOp, {values, b.IntScalar(axis)}, OutputTypeAttrs{DataType::kInt32},
                              {DataType::kInt32})[0];
  if (last) index = b.Binary(Op::kSub, b.IntScalar(shape[axis] - 1), index);
  index = b.Cast(index, DataType::kInt64);
  if (b.Int("keepdims", 1) == 0) return b.Set(index);
  Shape kept = shape;
  kept[axis] = 1;
  return b.Set(b.Reshape(index, kept));
}

Status TopK(OnnxBuilder& b) {
  const TensorId x = b.in(0);
  const size_t rank = b.rank(x);
  const int32_t axis = b.Axis(b.Int("axis", -1), rank);
  int64_t k = b.Int("k", 0);
  if (b.has(1)) {
    const std::vector<int64_t> values = b.ConstantInts(b.in(1));
    k = values.empty() ? 0 : values[0];
  }
  if (!b.status().ok()) return b.status();
  if (k < 0 || k > b.shape(x)[axis]) return b.Invalid(fmt::format("{} elements", k));
  Permutation perm = IdentityPermutation(rank);
  std::swap(perm[axis], perm.back());
  const DataType type = b.type(x);
  const bool largest = b.Int("largest", 1) != 0;
  TensorId values = b.Transpose(b.Cast(x, IsInteger(type) ? DataType::kInt32 : type), perm);
  if (!largest) values = b.Unary(Op::kNeg, values);
  const auto top = b.EmitMany(Op::kTopKV2, {values, b.IntScalar(static_cast<int32_t>(k))},
                              NoAttrs{}, {b.type(values), DataType::kInt32});
  TensorId found = top[0];
  if (!largest) found = b.Unary(Op::kNeg, found);
  DLPU_RETURN_IF_ERROR(b.Set(0, b.Cast(b.Transpose(found, perm), type)));
  return b.Set(1, b.Cast(b.Transpose(top[1], perm), DataType::kInt64));
}

constexpr OnnxRow kRows[] = {
    {"ArgMax", Arg<Op::kArgMax>, "ARG_MAX, CAST to int64"},
    {"ArgMin", Arg<Op::kArgMin>, "ARG_MIN, CAST to int64"},
    {"ReduceL1", ReduceL1, "ABS, SUM"},
    {"ReduceL2", ReduceL2, "SQUARE, SUM, SQRT"},
    {"ReduceLogSum", ReduceLogSum, "SUM, LOG"},
    {"ReduceLogSumExp", ReduceLogSumExp, "REDUCE_MAX, EXP, SUM, LOG"},
    {"ReduceMax", Plain<Op::kReduceMax>, "REDUCE_MAX"},
    {"ReduceMean", Plain<Op::kMean>, "MEAN"},
    {"ReduceMin", Plain<Op::kReduceMin>, "REDUCE_MIN"},
    {"ReduceProd", Plain<Op::kReduceProd>, "REDUCE_PROD"},
    {"ReduceSum", Plain<Op::kSum>, "SUM"},
    {"ReduceSumSquare", ReduceSumSquare, "SQUARE, SUM"},
    {"TopK", TopK, "TOPK_V2"},
};

}  // namespace

std::span<const OnnxRow> OnnxReduceRows() { return kRows; }

}  // namespace dlpu
