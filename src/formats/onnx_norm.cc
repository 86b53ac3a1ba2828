// SPDX-License-Identifier: Apache-2.0
// Rules of the normalizations.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "formats/onnx_builder.h"

namespace dlpu {
namespace {

// A list of one value a channel, shaped to broadcast over N, C, ...
TensorId PerChannel(OnnxBuilder& b, TensorId list, size_t rank) {
  if (!b.status().ok()) return kNoTensor;
  if (rank < 2) return list;
  Shape shape(rank - 1, 1);
  shape[0] = static_cast<int32_t>(ElementCount(b.shape(list)));
  return b.Reshape(list, shape);
}

std::vector<int32_t> AxesFrom(size_t first, size_t rank) {
  std::vector<int32_t> axes;
  for (size_t d = first; d < rank; ++d) axes.push_back(static_cast<int32_t>(d));
  return axes;
}

// scale / sqrt(variance + epsilon), and bias - mean * that: MUL and ADD, which fold into a
// convolution before them.
Status BatchNormalization(OnnxBuilder& b) {
  if (b.Int("training_mode", 0) != 0 || b.wants(1)) {
    return b.Unsupported("training mode; export the model in evaluation mode");
  }
  const size_t rank = b.rank(b.in(0));
  const TensorId deviation =
      b.Unary(Op::kSqrt, b.Binary(Op::kAdd, b.in(4), b.FloatScalar(b.Float("epsilon", 1e-5f))));
  const TensorId scale = b.Binary(Op::kDiv, b.in(1), deviation);
  const TensorId shift = b.Binary(Op::kSub, b.in(2), b.Binary(Op::kMul, b.in(3), scale));
  const TensorId y = b.Binary(Op::kMul, b.in(0), PerChannel(b, scale, rank));
  return b.Set(b.Binary(Op::kAdd, y, PerChannel(b, shift, rank)));
}

struct Normalized {
  TensorId y, mean, inverse;
};

// (x - mean) / sqrt(variance + epsilon) over the axes.
Normalized Normalize(OnnxBuilder& b, TensorId x, const std::vector<int32_t>& axes, float epsilon) {
  const TensorId mean = b.Reduce(Op::kMean, x, axes, true);
  const TensorId variance =
      b.Reduce(Op::kMean, b.Binary(Op::kSquaredDifference, x, mean), axes, true);
  const TensorId inverse =
      b.Unary(Op::kRsqrt, b.Binary(Op::kAdd, variance, b.FloatScalar(epsilon)));
  return {b.Binary(Op::kMul, b.Binary(Op::kSub, x, mean), inverse), mean, inverse};
}

Status InstanceNormalization(OnnxBuilder& b) {
  const size_t rank = b.rank(b.in(0));
  TensorId y = Normalize(b, b.in(0), AxesFrom(2, rank), b.Float("epsilon", 1e-5f)).y;
  y = b.Binary(Op::kMul, y, PerChannel(b, b.in(1), rank));
  return b.Set(b.Binary(Op::kAdd, y, PerChannel(b, b.in(2), rank)));
}

Status LayerNormalization(OnnxBuilder& b) {
  const size_t rank = b.rank(b.in(0));
  const int32_t axis = b.Axis(b.Int("axis", -1), rank);
  const Normalized n =
      Normalize(b, b.in(0), AxesFrom(static_cast<size_t>(axis), rank), b.Float("epsilon", 1e-5f));
  TensorId y = b.Binary(Op::kMul, n.y, b.in(1));
  if (b.has(2)) y = b.Binary(Op::kAdd, y, b.in(2));
  DLPU_RETURN_IF_ERROR(b.Set(0, y));
  if (b.wants(1)) DLPU_RETURN_IF_ERROR(b.Set(1, n.mean));
  return b.wants(2) ? b.Set(2, n.inverse) : OkStatus();
}

Status RmsNormalization(OnnxBuilder& b) {
  const size_t rank = b.rank(b.in(0));
  const int32_t axis = b.Axis(b.Int("axis", -1), rank);
  const TensorId mean = b.Reduce(Op::kMean, b.Unary(Op::kSquare, b.in(0)),
                                 AxesFrom(static_cast<size_t>(axis), rank), true);
  const TensorId inverse =
      b.Unary(Op::kRsqrt, b.Binary(Op::kAdd, mean, b.FloatScalar(b.Float("epsilon", 1e-5f))));
  return b.Set(b.Binary(Op::kMul, b.Binary(Op::kMul, b.in(0), inverse), b.in(1)));
}

Status GroupNormalization(OnnxBuilder& b) {
  const Shape shape = b.shape(b.in(0));
  const int64_t groups = b.Int("num_groups", 1);
  if (shape.size() < 2 || groups < 1 || groups > shape[1] || shape[1] % groups != 0) {
    return b.Invalid(fmt::format("{} in {} groups", ShapeText(shape), groups));
  }
  const auto count = static_cast<int32_t>(groups);
  Shape grouped = shape;
  grouped[1] = shape[1] / count;
  grouped.insert(grouped.begin() + 1, count);
  TensorId y = Normalize(b, b.Reshape(b.in(0), grouped), AxesFrom(2, grouped.size()),
                         b.Float("epsilon", 1e-5f))
                   .y;
  // Before opset 21 there is one scale and bias for each group.
  const bool by_group = ElementCount(b.shape(b.in(1))) == count && count != shape[1];
  const auto apply = [&](Op op, size_t i, size_t rank) {
    y = b.Binary(op, y, PerChannel(b, b.in(i), rank));
  };
  if (by_group) {
    apply(Op::kMul, 1, grouped.size());
    apply(Op::kAdd, 2, grouped.size());
    return b.Set(b.Reshape(y, shape));
  }
  y = b.Reshape(y, shape);
  apply(Op::kMul, 1, shape.size());
  apply(Op::kAdd, 2, shape.size());
  return b.Set(y);
}

Status MeanVarianceNormalization(OnnxBuilder& b) {
  std::vector<int32_t> axes;
  std::vector<int64_t> stated = b.Ints("axes");
  if (stated.empty()) stated = {0, 2, 3};
  for (const int64_t axis : stated) axes.push_back(b.Axis(axis, b.rank(b.in(0))));
  const TensorId x = b.in(0), mean = b.Reduce(Op::kMean, x, axes, true);
  const TensorId variance =
      b.Reduce(Op::kMean, b.Binary(Op::kSquaredDifference, x, mean), axes, true);
  // The specification adds its epsilon to the deviation.
  const TensorId deviation = b.Binary(Op::kAdd, b.Unary(Op::kSqrt, variance), b.FloatScalar(1e-9f));
  return b.Set(b.Binary(Op::kDiv, b.Binary(Op::kSub, x, mean), deviation));
}

// Along the last axis as L2_NORMALIZATION does it; composed for others and for p = 1.
Status LpNormalization(OnnxBuilder& b) {
  const TensorId x = b.in(0);
  const int32_t axis = b.Axis(b.Int("axis", -1), b.rank(x));
  if (b.Int("p", 2) == 1) {
    const TensorId sum = b.Reduce(Op::kSum, b.Unary(Op::kAbs, x), {axis}, true);
    return b.Set(b.Binary(Op::kDiv, x, b.Binary(Op::kMaximum, sum, b.FloatScalar(1e-30f))));
  }
  const TensorId sum = b.Reduce(Op::kSum, b.Unary(Op::kSquare, x), {axis}, true);
  const TensorId length = b.Binary(Op::kMaximum, b.Unary(Op::kSqrt, sum), b.FloatScalar(1e-30f));
  return b.Set(b.Binary(Op::kDiv, x, length));
}

Status Lrn(OnnxBuilder& b) {
  const TensorId x = b.in(0);
  const int64_t size = b.Int("size", 1);
  if (b.rank(x) != 4) return b.Unsupported("an input that is no picture");
  if (size < 1 || size > 65535 || size % 2 == 0) {
    return b.Unsupported(fmt::format("a size of {}; odd sizes are possible", size));
  }
  LocalResponseNormalizationAttrs attrs;
  attrs.radius = static_cast<int32_t>(size / 2);
  attrs.bias = b.Float("bias", 1);
  attrs.alpha = b.Float("alpha", 1e-4f) / static_cast<float>(size);
  attrs.beta = b.Float("beta", 0.75f);
  const TensorId y = b.Emit(Op::kLocalResponseNormalization, {b.Transpose(x, kNchwToNhwc)}, attrs);
  return b.Set(b.Transpose(y, kNhwcToNchw));
}

// In a model for running they do nothing.
Status Same(OnnxBuilder& b) {
  if (b.wants(1)) {  // Dropout's mask: everything is kept
    const Shape shape = b.shape(b.in(0));
    if (ElementCount(shape) > (1 << 26)) return b.Unsupported("a mask of over 2^26 elements");
    std::vector<int32_t> ones(static_cast<size_t>(ElementCount(shape)), 1);
    DLPU_RETURN_IF_ERROR(b.Set(1, b.Cast(b.IntConstant(ones, shape), DataType::kBool)));
  }
  return b.Set(0, b.in(0));
}

Status Dropout(OnnxBuilder& b) {
  if (b.has(2) && !b.ConstantInts(b.in(2)).empty() && b.ConstantInts(b.in(2))[0] != 0 &&
      !(b.has(1) && b.ConstantFloats(b.in(1))[0] == 0)) {
    return b.Unsupported("training mode; export the model in evaluation mode");
  }
  return Same(b);
}

constexpr OnnxRow kRows[] = {
    {"BatchNormalization", BatchNormalization, "MUL and ADD, folded into a convolution before it"},
    {"Dropout", Dropout, "nothing"},
    {"GroupNormalization", GroupNormalization, "MEAN, SQUARED_DIFFERENCE, RSQRT and arithmetic"},
    {"Identity", Same, "nothing"},
    {"InstanceNormalization", InstanceNormalization,
     "MEAN, SQUARED_DIFFERENCE, RSQRT and arithmetic"},
    {"LRN", Lrn, "LOCAL_RESPONSE_NORMALIZATION"},
    {"LayerNormalization", LayerNormalization, "MEAN, SQUARED_DIFFERENCE, RSQRT and arithmetic"},
    {"LpNormalization", LpNormalization, "SUM, SQRT, DIV"},
    {"MeanVarianceNormalization", MeanVarianceNormalization, "MEAN, SQUARED_DIFFERENCE, SQRT, DIV"},
    {"RMSNormalization", RmsNormalization, "MEAN, RSQRT, MUL"},
};

}  // namespace

std::span<const OnnxRow> OnnxNormRows() { return kRows; }

}  // namespace dlpu
