// SPDX-License-Identifier: Apache-2.0
// Rules of elementwise arithmetic, comparison and logic.
#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "formats/onnx_builder.h"

namespace dlpu {
namespace {

template <Op kOp>
Status Two(OnnxBuilder& b) {
  return b.Set(b.Binary(kOp, b.in(0), b.in(1)));
}

template <Op kOp>
Status One(OnnxBuilder& b) {
  const DataType type = b.type(b.in(0));
  if (!IsInteger(type) || type == DataType::kInt32) return b.Set(b.Unary(kOp, b.in(0)));
  return b.Set(b.Cast(b.Unary(kOp, b.Cast(b.in(0), DataType::kInt32)), type));
}

// Ops of any number of inputs.
template <Op kOp>
TensorId Fold(OnnxBuilder& b) {
  TensorId result = b.in(0);
  for (size_t i = 1; i < b.input_count(); ++i) result = b.Binary(kOp, result, b.in(i));
  return result;
}

template <Op kOp>
Status Many(OnnxBuilder& b) {
  return b.Set(Fold<kOp>(b));
}

Status Mean(OnnxBuilder& b) {
  const auto count = static_cast<float>(b.input_count());
  return b.Set(b.Binary(Op::kMul, Fold<Op::kAdd>(b), b.FloatScalar(1 / count)));
}

// ONNX rounds quotients of integers toward zero, as DIV does.
Status Mod(OnnxBuilder& b) {
  if (b.Int("fmod", 0) == 0) return b.Set(b.Binary(Op::kFloorMod, b.in(0), b.in(1)));
  // The sign of the dividend: that of FLOOR_MOD of the magnitudes.
  const DataType type = b.type(b.in(0));
  const TensorId x = b.Cast(b.in(0), DataType::kFloat32), y = b.Cast(b.in(1), DataType::kFloat32);
  const TensorId rest = b.Binary(Op::kFloorMod, b.Unary(Op::kAbs, x), b.Unary(Op::kAbs, y));
  const TensorId negative = b.Binary(Op::kLess, x, b.FloatScalar(0));
  return b.Set(b.Cast(
      b.Emit(Op::kSelectV2, {negative, b.Unary(Op::kNeg, rest), rest}, DefaultAttrs(Op::kSelectV2)),
      type));
}

TensorId Select(OnnxBuilder& b, TensorId condition, TensorId yes, TensorId no) {
  return b.EmitMany(Op::kSelectV2, {condition, yes, no}, NoAttrs{}, {b.type(yes)})[0];
}

Status Where(OnnxBuilder& b) { return b.Set(Select(b, b.in(0), b.in(1), b.in(2))); }

Status Pow(OnnxBuilder& b) {
  const DataType type = b.type(b.in(0));
  const TensorId y = b.in(1);
  if (b.IsConstant(y) && ElementCount(b.shape(y)) == 1 && type == DataType::kFloat32 &&
      b.rank(y) <= b.rank(b.in(0))) {
    const float power = b.ConstantFloats(y)[0];
    if (power == 2) return b.Set(b.Unary(Op::kSquare, b.in(0)));
    if (power == 0.5f) return b.Set(b.Unary(Op::kSqrt, b.in(0)));
  }
  const TensorId power =
      b.Binary(Op::kPow, b.Cast(b.in(0), DataType::kFloat32), b.Cast(y, DataType::kFloat32));
  return b.Set(b.Cast(power, type));
}

Status Reciprocal(OnnxBuilder& b) { return b.Set(b.Binary(Op::kDiv, b.FloatScalar(1), b.in(0))); }

// (x > 0) - (x < 0).
TensorId SignOf(OnnxBuilder& b, TensorId x) {
  const TensorId zero = b.Scalar(b.type(x), 0);
  const TensorId up = b.Cast(b.Binary(Op::kGreater, x, zero), b.type(x));
  return b.Binary(Op::kSub, up, b.Cast(b.Binary(Op::kLess, x, zero), b.type(x)));
}

Status Sign(OnnxBuilder& b) {
  const DataType type = b.type(b.in(0));
  const bool small = IsInteger(type) && type != DataType::kInt32;
  return b.Set(b.Cast(SignOf(b, small ? b.Cast(b.in(0), DataType::kInt32) : b.in(0)), type));
}

Status Tan(OnnxBuilder& b) {
  return b.Set(b.Binary(Op::kDiv, b.Unary(Op::kSin, b.in(0)), b.Unary(Op::kCos, b.in(0))));
}

// (e^x + sign * e^-x) / 2
template <Op kOp>
Status Hyperbolic(OnnxBuilder& b) {
  const TensorId up = b.Unary(Op::kExp, b.in(0));
  const TensorId down = b.Unary(Op::kExp, b.Unary(Op::kNeg, b.in(0)));
  return b.Set(b.Binary(Op::kMul, b.Binary(kOp, up, down), b.FloatScalar(0.5f)));
}

// Inverse hyperbolic functions by their logarithms.
Status Asinh(OnnxBuilder& b) {
  const TensorId x = b.Unary(Op::kAbs, b.in(0));
  const TensorId root =
      b.Unary(Op::kSqrt, b.Binary(Op::kAdd, b.Unary(Op::kSquare, x), b.FloatScalar(1)));
  const TensorId y = b.Unary(Op::kLog, b.Binary(Op::kAdd, x, root));
  return b.Set(b.Binary(Op::kMul, SignOf(b, b.in(0)), y));
}

Status Acosh(OnnxBuilder& b) {
  const TensorId x = b.in(0);
  const TensorId root =
      b.Unary(Op::kSqrt, b.Binary(Op::kSub, b.Unary(Op::kSquare, x), b.FloatScalar(1)));
  return b.Set(b.Unary(Op::kLog, b.Binary(Op::kAdd, x, root)));
}

Status Atanh(OnnxBuilder& b) {
  const TensorId x = b.in(0), one = b.FloatScalar(1);
  const TensorId ratio = b.Binary(Op::kDiv, b.Binary(Op::kAdd, one, x), b.Binary(Op::kSub, one, x));
  return b.Set(b.Binary(Op::kMul, b.Unary(Op::kLog, ratio), b.FloatScalar(0.5f)));
}

// Abramowitz and Stegun 7.1.26, within 1.5e-7:
// erf(x) = sign(x) (1 - (a1 t + .. + a5 t^5) e^(-x^2)), t = 1 / (1 + 0.3275911 |x|).
Status Erf(OnnxBuilder& b) {
  const TensorId x = b.Cast(b.in(0), DataType::kFloat32);
  const TensorId one = b.FloatScalar(1);
  const TensorId t = b.Binary(
      Op::kDiv, one,
      b.Binary(Op::kAdd, b.Binary(Op::kMul, b.Unary(Op::kAbs, x), b.FloatScalar(0.3275911f)), one));
  TensorId sum = b.FloatScalar(1.061405429f);
  for (const float a : {-1.453152027f, 1.421413741f, -0.284496736f, 0.254829592f}) {
    sum = b.Binary(Op::kAdd, b.Binary(Op::kMul, t, sum), b.FloatScalar(a));
  }
  sum = b.Binary(Op::kMul, sum, t);
  const TensorId bell = b.Unary(Op::kExp, b.Unary(Op::kNeg, b.Unary(Op::kSquare, x)));
  const TensorId y = b.Binary(Op::kSub, one, b.Binary(Op::kMul, sum, bell));
  return b.Set(b.Cast(b.Binary(Op::kMul, SignOf(b, x), y), b.type(b.in(0))));
}

Status IsNaN(OnnxBuilder& b) { return b.Set(b.Binary(Op::kNotEqual, b.in(0), b.in(0))); }

Status IsInf(OnnxBuilder& b) {
  const float infinity = std::numeric_limits<float>::infinity();
  const bool up = b.Int("detect_positive", 1) != 0, down = b.Int("detect_negative", 1) != 0;
  TensorId x = b.in(0);
  if (up && down) x = b.Unary(Op::kAbs, x);
  const TensorId bound = b.FloatScalar(up ? infinity : -infinity);
  const TensorId y = b.Binary(Op::kEqual, x, bound);
  if (up || down) return b.Set(y);
  return b.Set(b.Binary(Op::kNotEqual, y, y));  // nothing is detected
}

Status Cast(OnnxBuilder& b) {
  const auto to = static_cast<OnnxType>(b.Int("to", 0));
  const DataType type = FromOnnxType(to), from = b.type(b.in(0));
  if (type == DataType::kOther) {
    return b.Unsupported(fmt::format("a cast to {}", OnnxTypeName(to)));
  }
  if (type == DataType::kBool && IsFloat(from)) {
    return b.Set(b.Binary(Op::kNotEqual, b.in(0), b.FloatScalar(0)));
  }
  return b.Set(b.Cast(b.in(0), type));
}

Status CastLike(OnnxBuilder& b) { return b.Set(b.Cast(b.in(0), b.type(b.in(1)))); }

Status Not(OnnxBuilder& b) { return b.Set(b.Unary(Op::kLogicalNot, b.in(0))); }

constexpr OnnxRow kRows[] = {
    {"Abs", One<Op::kAbs>, "ABS"},
    {"Acosh", Acosh, "LOG and arithmetic"},
    {"Add", Two<Op::kAdd>, "ADD"},
    {"And", Two<Op::kLogicalAnd>, "LOGICAL_AND"},
    {"Asinh", Asinh, "LOG and arithmetic"},
    {"Atanh", Atanh, "LOG and arithmetic"},
    {"Cast", Cast, "CAST; float16 and float64 are float32"},
    {"CastLike", CastLike, "CAST"},
    {"Ceil", One<Op::kCeil>, "CEIL"},
    {"Cos", One<Op::kCos>, "COS"},
    {"Cosh", Hyperbolic<Op::kAdd>, "EXP and arithmetic"},
    {"Div", Two<Op::kDiv>, "DIV"},
    {"Equal", Two<Op::kEqual>, "EQUAL"},
    {"Erf", Erf, "EXP and a polynomial, within 1.5e-7"},
    {"Exp", One<Op::kExp>, "EXP"},
    {"Floor", One<Op::kFloor>, "FLOOR"},
    {"Greater", Two<Op::kGreater>, "GREATER"},
    {"GreaterOrEqual", Two<Op::kGreaterEqual>, "GREATER_EQUAL"},
    {"IsInf", IsInf, "EQUAL"},
    {"IsNaN", IsNaN, "NOT_EQUAL with itself"},
    {"Less", Two<Op::kLess>, "LESS"},
    {"LessOrEqual", Two<Op::kLessEqual>, "LESS_EQUAL"},
    {"Log", One<Op::kLog>, "LOG"},
    {"Max", Many<Op::kMaximum>, "MAXIMUM"},
    {"Mean", Mean, "ADD, MUL"},
    {"Min", Many<Op::kMinimum>, "MINIMUM"},
    {"Mod", Mod, "FLOOR_MOD"},
    {"Mul", Two<Op::kMul>, "MUL"},
    {"Neg", One<Op::kNeg>, "NEG"},
    {"Not", Not, "LOGICAL_NOT"},
    {"Or", Two<Op::kLogicalOr>, "LOGICAL_OR"},
    {"Pow", Pow, "POW, SQUARE, SQRT"},
    {"Reciprocal", Reciprocal, "DIV"},
    {"Round", One<Op::kRound>, "ROUND"},
    {"Sign", Sign, "GREATER minus LESS"},
    {"Sin", One<Op::kSin>, "SIN"},
    {"Sinh", Hyperbolic<Op::kSub>, "EXP and arithmetic"},
    {"Sqrt", One<Op::kSqrt>, "SQRT"},
    {"Sub", Two<Op::kSub>, "SUB"},
    {"Sum", Many<Op::kAdd>, "ADD"},
    {"Tan", Tan, "SIN over COS"},
    {"Where", Where, "SELECT_V2"},
    {"Xor", Two<Op::kNotEqual>, "NOT_EQUAL"},
};

}  // namespace

std::span<const OnnxRow> OnnxMathRows() { return kRows; }

}  // namespace dlpu
