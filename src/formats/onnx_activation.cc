// SPDX-License-Identifier: Apache-2.0
// Rules of the activations. What LiteRT has an op for becomes that op; the others are composed.
#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "formats/onnx_builder.h"

namespace dlpu {
namespace {

TensorId Scaled(OnnxBuilder& b, TensorId x, float factor) {
  return factor == 1 ? x : b.Binary(Op::kMul, x, b.FloatScalar(factor));
}

TensorId Plus(OnnxBuilder& b, TensorId x, float term) {
  return term == 0 ? x : b.Binary(Op::kAdd, x, b.FloatScalar(term));
}

template <Op kOp>
Status Plain(OnnxBuilder& b) {
  const DataType type = b.type(b.in(0));
  return b.Set(b.Cast(b.Unary(kOp, b.Cast(b.in(0), DataType::kFloat32)), type));
}

// x limited to [low, high]; one of the RELU ops where they say the same.
TensorId Limited(OnnxBuilder& b, TensorId x, float low, float high) {
  const bool open_below = low <= std::numeric_limits<float>::lowest();
  const bool open_above = high >= std::numeric_limits<float>::max();
  if (low == 0 && open_above) return b.Unary(Op::kRelu, x);
  if (low == 0 && high == 6) return b.Unary(Op::kRelu6, x);
  if (low == -1 && high == 1) return b.Unary(Op::kReluN1To1, x);
  if (low == 0 && high == 1) return b.Unary(Op::kRelu0To1, x);
  if (!open_below) x = b.Binary(Op::kMaximum, x, b.FloatScalar(low));
  if (!open_above) x = b.Binary(Op::kMinimum, x, b.FloatScalar(high));
  return x;
}

Status Clip(OnnxBuilder& b) {
  const TensorId x = b.in(0);
  if (b.opset() < 11) {
    return b.Set(Limited(b, x, b.Float("min", std::numeric_limits<float>::lowest()),
                         b.Float("max", std::numeric_limits<float>::max())));
  }
  const bool has_low = b.has(1), has_high = b.has(2);
  const bool constant = (!has_low || b.IsConstant(b.in(1))) && (!has_high || b.IsConstant(b.in(2)));
  if (b.type(x) == DataType::kFloat32 && constant) {
    const auto bound = [&](bool has, size_t i, float otherwise) {
      const std::vector<float> values = has ? b.ConstantFloats(b.in(i)) : std::vector<float>();
      return values.empty() ? otherwise : values[0];
    };
    const float low = bound(has_low, 1, std::numeric_limits<float>::lowest());
    const float high = bound(has_high, 2, std::numeric_limits<float>::max());
    // The upper bound wins when they contradict each other.
    return b.Set(Limited(b, x, std::min(low, high), high));
  }
  TensorId y = x;
  if (has_low) y = b.Binary(Op::kMaximum, y, b.in(1));
  if (has_high) y = b.Binary(Op::kMinimum, y, b.in(2));
  return b.Set(y);
}

Status LeakyRelu(OnnxBuilder& b) {
  return b.Set(b.Emit(Op::kLeakyRelu, {b.in(0)}, LeakyReluAttrs{b.Float("alpha", 0.01f)}));
}

Status PRelu(OnnxBuilder& b) {
  TensorId slope = b.in(1);
  const Shape xs = b.shape(b.in(0)), ss = b.shape(slope);
  // Old exports give one slope a channel without the spatial axes.
  if (ss.size() == 1 && xs.size() > 2 && ss[0] != 1 && ss[0] == xs[1] && ss[0] != xs.back()) {
    Shape shape(xs.size() - 1, 1);
    shape[0] = ss[0];
    slope = b.Reshape(slope, shape);
  }
  return b.Set(b.Emit(Op::kPrelu, {b.in(0), slope}));
}

// max(x, 0) + alpha * (e^min(x, 0) - 1)
TensorId EluOf(OnnxBuilder& b, TensorId x, float alpha) {
  const TensorId zero = b.FloatScalar(0);
  const TensorId below = b.Unary(Op::kExp, b.Binary(Op::kMinimum, x, zero));
  return b.Binary(Op::kAdd, b.Unary(Op::kRelu, x), Scaled(b, Plus(b, below, -1), alpha));
}

Status Elu(OnnxBuilder& b) {
  const float alpha = b.Float("alpha", 1);
  return b.Set(alpha == 1 ? b.Unary(Op::kElu, b.in(0)) : EluOf(b, b.in(0), alpha));
}

Status Selu(OnnxBuilder& b) {
  const float alpha = b.Float("alpha", 1.67326319217681884765625f);
  const float gamma = b.Float("gamma", 1.05070102214813232421875f);
  return b.Set(Scaled(b, EluOf(b, b.in(0), alpha), gamma));
}

// max(x, 0) + min(0, alpha * (e^(x / alpha) - 1))
Status Celu(OnnxBuilder& b) {
  const float alpha = b.Float("alpha", 1);
  const TensorId below = b.Binary(Op::kMinimum, Scaled(b, b.in(0), 1 / alpha), b.FloatScalar(0));
  const TensorId curve = Scaled(b, Plus(b, b.Unary(Op::kExp, below), -1), alpha);
  return b.Set(b.Binary(Op::kAdd, b.Unary(Op::kRelu, b.in(0)), curve));
}

Status ThresholdedRelu(OnnxBuilder& b) {
  const TensorId above = b.Binary(Op::kGreater, b.in(0), b.FloatScalar(b.Float("alpha", 1)));
  return b.Set(b.Binary(Op::kMul, b.in(0), b.Cast(above, DataType::kFloat32)));
}

Status Shrink(OnnxBuilder& b) {
  const float bias = b.Float("bias", 0), lambda = b.Float("lambd", 0.5f);
  const DataType type = b.type(b.in(0));
  const TensorId x = b.Cast(b.in(0), DataType::kFloat32);
  const TensorId above = b.Cast(b.Binary(Op::kGreater, x, b.FloatScalar(lambda)), b.type(x));
  const TensorId below = b.Cast(b.Binary(Op::kLess, x, b.FloatScalar(-lambda)), b.type(x));
  return b.Set(b.Cast(b.Binary(Op::kAdd, b.Binary(Op::kMul, Plus(b, x, -bias), above),
                               b.Binary(Op::kMul, Plus(b, x, bias), below)),
                      type));
}

Status HardSigmoid(OnnxBuilder& b) {
  const float alpha = b.Float("alpha", 0.2f), beta = b.Float("beta", 0.5f);
  // The form that MobileNetV3 is made of: relu6(x + 3) / 6.
  if (std::fabs(alpha * 6 - 1) < 1e-5f && beta == 0.5f) {
    return b.Set(Scaled(b, b.Unary(Op::kRelu6, Plus(b, b.in(0), 3)), 1.0f / 6));
  }
  return b.Set(Limited(b, Plus(b, Scaled(b, b.in(0), alpha), beta), 0, 1));
}

Status HardSwish(OnnxBuilder& b) { return b.Set(b.Unary(Op::kHardSwish, b.in(0))); }

// max(x, 0) + log(1 + e^-|x|), which does not overflow.
TensorId SoftplusOf(OnnxBuilder& b, TensorId x) {
  const TensorId small = b.Unary(Op::kExp, b.Unary(Op::kNeg, b.Unary(Op::kAbs, x)));
  return b.Binary(Op::kAdd, b.Unary(Op::kRelu, x), b.Unary(Op::kLog, Plus(b, small, 1)));
}

Status Softplus(OnnxBuilder& b) { return b.Set(SoftplusOf(b, b.in(0))); }

Status Softsign(OnnxBuilder& b) {
  return b.Set(b.Binary(Op::kDiv, b.in(0), Plus(b, b.Unary(Op::kAbs, b.in(0)), 1)));
}

Status Mish(OnnxBuilder& b) {
  return b.Set(b.Binary(Op::kMul, b.in(0), b.Unary(Op::kTanh, SoftplusOf(b, b.in(0)))));
}

Status Gelu(OnnxBuilder& b) {
  const bool approximate = b.String("approximate", "none") == "tanh";
  return b.Set(b.Emit(Op::kGelu, {b.in(0)}, GeluAttrs{approximate}));
}

Status Swish(OnnxBuilder& b) {
  const TensorId x = b.in(0);
  return b.Set(b.Binary(Op::kMul, x, b.Unary(Op::kLogistic, Scaled(b, x, b.Float("alpha", 1)))));
}

// SOFTMAX and LOG_SOFTMAX work along the last axis.
TensorId AlongLast(OnnxBuilder& b, Op op, TensorId x, int32_t axis) {
  const auto last = static_cast<int32_t>(b.rank(x)) - 1;
  Permutation perm = IdentityPermutation(b.rank(x));
  if (axis != last) {  // the other axes keep their order, so that NCHW becomes NHWC
    perm.erase(perm.begin() + axis);
    perm.push_back(axis);
  }
  const TensorId y = b.Emit(op, {b.Transpose(x, perm)},
                            op == Op::kSoftmax ? Attrs(SoftmaxAttrs{}) : Attrs(NoAttrs{}));
  return b.Transpose(y, InversePermutation(perm));
}

// Before opset 13 all axes from `axis` on are one.
template <Op kOp>
Status SoftmaxRule(OnnxBuilder& b) {
  const TensorId x = b.in(0);
  const Shape shape = b.shape(x);
  const bool joined = b.opset() < 13;
  const int32_t axis = b.Axis(b.Int("axis", joined ? 1 : -1), shape.size());
  if (!b.status().ok()) return b.status();
  int64_t tail = 1;
  for (size_t d = static_cast<size_t>(axis); d < shape.size(); ++d) tail *= shape[d];
  // The same when only that axis is longer than 1, as after a global pooling.
  if (!joined || tail == shape[axis]) return b.Set(AlongLast(b, kOp, x, axis));
  const Shape flat = {static_cast<int32_t>(ElementCount(shape) / std::max<int64_t>(tail, 1)),
                      static_cast<int32_t>(tail)};
  return b.Set(b.Reshape(AlongLast(b, kOp, b.Reshape(x, flat), 1), shape));
}

Status Hardmax(OnnxBuilder& b) {
  const TensorId x = b.in(0);
  const Shape shape = b.shape(x);
  const int32_t axis = b.Axis(b.Int("axis", b.opset() < 13 ? 1 : -1), shape.size());
  if (!b.status().ok()) return b.status();
  if (b.opset() < 13 && axis + 1 != static_cast<int32_t>(shape.size())) {
    return b.Unsupported("several axes joined; export with opset 13 or later");
  }
  const TensorId index = b.EmitMany(Op::kArgMax, {x, b.IntScalar(axis)},
                                    OutputTypeAttrs{DataType::kInt32}, {DataType::kInt32})[0];
  return b.Set(b.EmitMany(Op::kOneHot,
                          {index, b.IntScalar(shape[axis]), b.FloatScalar(1), b.FloatScalar(0)},
                          PackAttrs{.axis = axis}, {DataType::kFloat32})[0]);
}

constexpr OnnxRow kRows[] = {
    {"Celu", Celu, "EXP and arithmetic"},
    {"Clip", Clip, "RELU, RELU6, RELU_N1_TO_1, RELU_0_TO_1, or MAXIMUM and MINIMUM"},
    {"Elu", Elu, "ELU; EXP and arithmetic when alpha is not 1"},
    {"Gelu", Gelu, "GELU"},
    {"HardSigmoid", HardSigmoid, "RELU6 or RELU_0_TO_1 and arithmetic"},
    {"HardSwish", HardSwish, "HARD_SWISH"},
    {"Hardmax", Hardmax, "ARG_MAX, ONE_HOT"},
    {"LeakyRelu", LeakyRelu, "LEAKY_RELU"},
    {"LogSoftmax", SoftmaxRule<Op::kLogSoftmax>, "LOG_SOFTMAX"},
    {"Mish", Mish, "EXP, LOG, TANH and arithmetic"},
    {"PRelu", PRelu, "PRELU"},
    {"Relu", Plain<Op::kRelu>, "RELU"},
    {"Selu", Selu, "EXP and arithmetic"},
    {"Shrink", Shrink, "GREATER, LESS and arithmetic"},
    {"Sigmoid", Plain<Op::kLogistic>, "LOGISTIC"},
    {"Softmax", SoftmaxRule<Op::kSoftmax>, "SOFTMAX"},
    {"Softplus", Softplus, "EXP, LOG and arithmetic"},
    {"Softsign", Softsign, "ABS, DIV"},
    {"Swish", Swish, "LOGISTIC, MUL"},
    {"Tanh", Plain<Op::kTanh>, "TANH"},
    {"ThresholdedRelu", ThresholdedRelu, "GREATER, MUL"},
};

}  // namespace

std::span<const OnnxRow> OnnxActivationRows() { return kRows; }

}  // namespace dlpu
