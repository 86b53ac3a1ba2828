// SPDX-License-Identifier: Apache-2.0
// Generated cases of the remaining arithmetic: quotients, powers, roots, logarithms, rounding.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "elementwise.h"

namespace dlpu::peer {
namespace {

double Span(DataType type) { return static_cast<double>(HighestCode(type)) - LowestCode(type); }

Case Values(Random& random, Op op, DataType type, double limit, double specials, Attrs attrs) {
  CaseBuilder builder(random);
  const std::vector<TensorId> inputs = ValuePair(random, builder, type, limit, specials);
  return builder.Finish(op, inputs, type, {}, std::move(attrs));
}

// Elements equal to `bad` become `good`.
template <typename T>
Bytes Replaced(Bytes data, T bad, T good) {
  for (size_t i = 0; i + sizeof(T) <= data.size(); i += sizeof(T)) {
    if (std::memcmp(data.data() + i, &bad, sizeof(T)) == 0) {
      std::memcpy(data.data() + i, &good, sizeof(T));
    }
  }
  return data;
}

// The same for divisors of 0, but one case in fifty keeps them.
template <typename T>
Bytes WithoutValue(Random& random, Bytes data, T bad, T good) {
  return random.Chance(0.02) ? data : Replaced<T>(std::move(data), bad, good);
}

template <typename T>
Case Quotient(Random& random, Op op, DataType type, double limit, Attrs attrs) {
  CaseBuilder builder(random);
  const ShapePair shapes = RandomShapePair(random);
  Bytes dividends = RandomData(random, type, ElementCount(shapes.a), limit);
  if constexpr (sizeof(T) < 4) {
    // -128 / -1 and -32768 / -1 are undefined in LiteRT: vector loops saturate, others wrap.
    constexpr T kLowest = std::numeric_limits<T>::lowest();
    dividends = Replaced<T>(std::move(dividends), kLowest, kLowest + 1);
  }
  const TensorId a = builder.InputData(type, shapes.a, std::move(dividends));
  Bytes divisors = RandomData(random, type, ElementCount(shapes.b), limit);
  divisors = WithoutValue<T>(random, std::move(divisors), T{0}, T{3});
  const TensorId b = builder.InputData(type, shapes.b, std::move(divisors));
  return builder.Finish(op, {a, b}, type, {}, std::move(attrs));
}

ArithmeticAttrs RandomAttrs(Random& random) {
  ArithmeticAttrs attrs;
  attrs.activation = RandomActivation(random);
  return attrs;
}

template <typename T>
Case QuantizedQuotient(Random& random, DataType type) {
  CaseBuilder builder(random);
  const Quantization a = RandomQuantization(random, type), b = RandomQuantization(random, type);
  // Quotients of codes are between 1/span and span; most outputs are made for small ones.
  const double ratio = a.scale0() / b.scale0();
  const double range = ratio * random.Pick({4.0, 16.0, 64.0});
  const Quantization out = OutputQuantization(random, type, range, ratio);
  const ShapePair shapes = RandomShapePair(random);
  const TensorId x = builder.Input(type, shapes.a, a);
  Bytes divisors = RandomData(random, type, ElementCount(shapes.b), 4, b.zero0());
  const int64_t other = b.zero0() == HighestCode(type) ? b.zero0() - 1 : b.zero0() + 1;
  divisors = WithoutValue<T>(random, std::move(divisors), static_cast<T>(b.zero0()),
                             static_cast<T>(other));
  const TensorId y = builder.InputData(type, shapes.b, std::move(divisors), b);
  return builder.Finish(Op::kDiv, {x, y}, type, out, RandomAttrs(random));
}

Case SquaredDifference(Random& random) {
  CaseBuilder builder(random);
  const DataType type = DataType::kInt8;
  const Quantization a = RandomQuantization(random, type), b = RandomQuantization(random, type);
  const double scale = std::max(a.scale0(), b.scale0());
  const double range = scale * scale * random.Pick({100.0, 1000.0, 40000.0});
  const Quantization out = OutputQuantization(random, type, range, scale * scale);
  const std::vector<TensorId> inputs = CodePair(random, builder, type, a, b);
  return builder.Finish(Op::kSquaredDifference, inputs, type, out, NoAttrs{});
}

Case RawCodes(Random& random, Op op, DataType type) {
  CaseBuilder builder(random);
  const Quantization a = RandomQuantization(random, type), b = RandomQuantization(random, type);
  const std::vector<TensorId> inputs = CodePair(random, builder, type, a, b);
  return builder.Finish(op, inputs, type, a, NoAttrs{});
}

Case Float(Random& random, Op op, double limit, double specials, Attrs attrs = NoAttrs{}) {
  CaseBuilder builder(random);
  const Shape shape = RandomShape(random, 1, 5, 7);
  const TensorId x = FloatInput(random, builder, shape, limit, specials);
  return builder.Finish(op, {x}, DataType::kFloat32, {}, std::move(attrs));
}

// Positive numbers.
Case PositiveFloat(Random& random, Op op, double limit) {
  CaseBuilder builder(random);
  const Shape shape = RandomShape(random, 1, 5, 7);
  std::vector<float> values(static_cast<size_t>(ElementCount(shape)));
  for (float& value : values) value = static_cast<float>(random.Real(1e-3, limit));
  const TensorId x = builder.InputData(DataType::kFloat32, shape, BytesOf(values));
  return builder.Finish(op, {x}, DataType::kFloat32, {}, NoAttrs{});
}

Case Plain(Random& random, Op op, DataType type, double limit) {
  CaseBuilder builder(random);
  const TensorId x = builder.Input(type, RandomShape(random, 1, 5, 7), {}, limit);
  return builder.Finish(op, {x}, type, {}, NoAttrs{});
}

// Every code to an output that reaches about `range(input's range)`.
Case Codes(Random& random, Op op, DataType type, double (*range)(double), Attrs attrs = NoAttrs{}) {
  CaseBuilder builder(random);
  Quantization in = RandomQuantization(random, type);
  if (type == DataType::kInt16) in.scale[0] *= 0x1p-7f;
  const double reach = range(in.scale0() * Span(type) / 2);
  const Quantization out = OutputQuantization(random, type, reach, in.scale0());
  const TensorId x = AllCodes(random, builder, type, in);
  return builder.Finish(op, {x}, type, out, std::move(attrs));
}

// Roots: codes from the zero point up only (one case in thirty has a negative one too).
Case Root(Random& random, Op op, DataType type, double (*range)(double)) {
  CaseBuilder builder(random);
  Quantization in = RandomQuantization(random, type);
  if (in.zero_point[0] == HighestCode(type)) in.zero_point[0] = LowestCode(type);
  const Quantization out =
      OutputQuantization(random, type, range(in.scale0() * Span(type)), in.scale0());
  const int64_t low = in.zero0() - (random.Chance(0.03) ? 1 : 0);
  std::vector<int64_t> codes;
  for (int64_t c = low; c <= HighestCode(type); c += type == DataType::kInt16 ? 13 : 1) {
    codes.push_back(std::max<int64_t>(c, LowestCode(type)));
  }
  Bytes data;
  for (const int64_t code : codes) {
    for (int k = 0; k < BitsOf(type); k += 8) data.push_back(static_cast<uint8_t>(code >> k));
  }
  const Shape shape = {1, static_cast<int32_t>(codes.size())};
  const TensorId x = builder.InputData(type, shape, std::move(data), in);
  return builder.Finish(op, {x}, type, out, NoAttrs{});
}

double Same(double range) { return range; }
double SquareRoot(double range) { return std::sqrt(range); }
double InverseRoot(double range) { return 16 / std::sqrt(range); }
double Exponential(double range) { return std::exp(std::min(range, 6.0)); }
double Logarithm(double range) { return std::max(1.0, std::log(range)); }

Case Power(Random& random, DataType type, double limit, bool scalar) {
  CaseBuilder builder(random);
  const Shape shape = RandomShape(random, 1, 4, 6);
  const Shape exponents = scalar ? Shape{} : Shape{shape.back()};
  std::vector<TensorId> inputs;
  if (type == DataType::kInt32) {
    inputs.push_back(builder.Input(type, shape, {}, limit));
    std::vector<int32_t> powers(static_cast<size_t>(ElementCount(exponents)));
    for (int32_t& power : powers) power = static_cast<int32_t>(random.Int(0, 5));
    if (random.Chance(0.02)) powers[0] = -1;
    inputs.push_back(builder.InputData(type, exponents, BytesOf(powers)));
  } else {
    std::vector<float> bases(static_cast<size_t>(ElementCount(shape)));
    for (float& base : bases) base = static_cast<float>(random.Real(0, limit));
    inputs.push_back(builder.InputData(type, shape, BytesOf(bases)));
    std::vector<float> powers(static_cast<size_t>(ElementCount(exponents)));
    for (float& power : powers) {
      power = random.Chance(0.5) ? static_cast<float>(random.Int(-3, 7))
                                 : static_cast<float>(random.Real(-2, 4));
    }
    inputs.push_back(builder.InputData(type, exponents, BytesOf(powers)));
  }
  return builder.Finish(Op::kPow, inputs, type, {}, NoAttrs{});
}

LeakyReluAttrs RandomAlpha(Random& random) {
  LeakyReluAttrs attrs;
  attrs.alpha = random.Pick({0.1f, 0.2f, 0.01f, 0.5f, 1.0f, 0.0f, 1.7f, -0.3f, 0.3f});
  return attrs;
}

GeluAttrs RandomGelu(Random& random) {
  GeluAttrs attrs;
  attrs.approximate = random.Chance(0.5);
  return attrs;
}

}  // namespace

DLPU_PEER_CASE(math, div_float32) {
  const ArithmeticAttrs attrs = RandomAttrs(random);
  return Values(random, Op::kDiv, DataType::kFloat32, 5, 0.1, attrs);
}
DLPU_PEER_CASE(math, div_int32) {
  const ArithmeticAttrs attrs = RandomAttrs(random);
  return Quotient<int32_t>(random, Op::kDiv, DataType::kInt32, 1000, attrs);
}
DLPU_PEER_CASE(math, div_int8) { return QuantizedQuotient<int8_t>(random, DataType::kInt8); }
DLPU_PEER_CASE(math, div_uint8) { return QuantizedQuotient<uint8_t>(random, DataType::kUInt8); }
DLPU_PEER_CASE(math, div_int16) { return QuantizedQuotient<int16_t>(random, DataType::kInt16); }
DLPU_PEER_CASE(math, floor_div_float32) {
  return Quotient<float>(random, Op::kFloorDiv, DataType::kFloat32, 8, NoAttrs{});
}
DLPU_PEER_CASE(math, floor_div_int8) {
  return Quotient<int8_t>(random, Op::kFloorDiv, DataType::kInt8, 8, NoAttrs{});
}
DLPU_PEER_CASE(math, floor_div_int16) {
  return Quotient<int16_t>(random, Op::kFloorDiv, DataType::kInt16, 8, NoAttrs{});
}
DLPU_PEER_CASE(math, floor_div_int32) {
  return Quotient<int32_t>(random, Op::kFloorDiv, DataType::kInt32, 1000, NoAttrs{});
}
DLPU_PEER_CASE(math, floor_mod_float32) {
  return Values(random, Op::kFloorMod, DataType::kFloat32, 8, 0.1, NoAttrs{});
}
DLPU_PEER_CASE(math, floor_mod_int8) {
  return Quotient<int8_t>(random, Op::kFloorMod, DataType::kInt8, 8, NoAttrs{});
}
DLPU_PEER_CASE(math, floor_mod_int16) {
  return Quotient<int16_t>(random, Op::kFloorMod, DataType::kInt16, 8, NoAttrs{});
}
DLPU_PEER_CASE(math, floor_mod_int32) {
  return Quotient<int32_t>(random, Op::kFloorMod, DataType::kInt32, 1000, NoAttrs{});
}
DLPU_PEER_CASE(math, floor_mod_int64) {
  return Quotient<int64_t>(random, Op::kFloorMod, DataType::kInt64, 1e12, NoAttrs{});
}
DLPU_PEER_CASE(math, squared_difference_float32) {
  return Values(random, Op::kSquaredDifference, DataType::kFloat32, 8, 0.1, NoAttrs{});
}
DLPU_PEER_CASE(math, squared_difference_int32) {
  return Values(random, Op::kSquaredDifference, DataType::kInt32, 1000, 0, NoAttrs{});
}
DLPU_PEER_CASE(math, squared_difference_int8) { return SquaredDifference(random); }
DLPU_PEER_CASE(math, maximum_float32) {
  return Values(random, Op::kMaximum, DataType::kFloat32, 4, 0, NoAttrs{});
}
DLPU_PEER_CASE(math, maximum_int8) { return RawCodes(random, Op::kMaximum, DataType::kInt8); }
DLPU_PEER_CASE(math, maximum_uint8) { return RawCodes(random, Op::kMaximum, DataType::kUInt8); }
DLPU_PEER_CASE(math, maximum_int16) { return RawCodes(random, Op::kMaximum, DataType::kInt16); }
DLPU_PEER_CASE(math, maximum_int32) {
  return Values(random, Op::kMaximum, DataType::kInt32, 9, 0, NoAttrs{});
}
DLPU_PEER_CASE(math, maximum_int64) {
  return Values(random, Op::kMaximum, DataType::kInt64, 9, 0, NoAttrs{});
}
DLPU_PEER_CASE(math, minimum_float32) {
  return Values(random, Op::kMinimum, DataType::kFloat32, 4, 0, NoAttrs{});
}
DLPU_PEER_CASE(math, minimum_int8) { return RawCodes(random, Op::kMinimum, DataType::kInt8); }
DLPU_PEER_CASE(math, minimum_uint8) { return RawCodes(random, Op::kMinimum, DataType::kUInt8); }
DLPU_PEER_CASE(math, minimum_int16) { return RawCodes(random, Op::kMinimum, DataType::kInt16); }
DLPU_PEER_CASE(math, minimum_int32) {
  return Values(random, Op::kMinimum, DataType::kInt32, 9, 0, NoAttrs{});
}
DLPU_PEER_CASE(math, minimum_int64) {
  return Values(random, Op::kMinimum, DataType::kInt64, 9, 0, NoAttrs{});
}
DLPU_PEER_CASE(math, pow_float32) { return Power(random, DataType::kFloat32, 4, false); }
DLPU_PEER_CASE(math, pow_float32_one_exponent) {
  return Power(random, DataType::kFloat32, 4, true);
}
DLPU_PEER_CASE(math, pow_int32) { return Power(random, DataType::kInt32, 20, false); }
DLPU_PEER_CASE(math, pow_int32_one_exponent) { return Power(random, DataType::kInt32, 20, true); }
DLPU_PEER_CASE(math, abs_float32) { return Float(random, Op::kAbs, 4, 0.1); }
DLPU_PEER_CASE(math, abs_int32) { return Plain(random, Op::kAbs, DataType::kInt32, 1e6); }
DLPU_PEER_CASE(math, abs_int16_plain) { return Plain(random, Op::kAbs, DataType::kInt16, 1); }
DLPU_PEER_CASE(math, abs_int8) { return Codes(random, Op::kAbs, DataType::kInt8, Same); }
DLPU_PEER_CASE(math, abs_int16) { return Codes(random, Op::kAbs, DataType::kInt16, Same); }
DLPU_PEER_CASE(math, abs_int8_same_scale) {
  CaseBuilder builder(random);
  const Quantization in = RandomQuantization(random, DataType::kInt8);
  const Quantization out = PerTensor(in.scale0(), RandomZeroPoint(random, DataType::kInt8));
  const TensorId x = AllCodes(random, builder, DataType::kInt8, in);
  return builder.Finish(Op::kAbs, {x}, DataType::kInt8, out, NoAttrs{});
}
DLPU_PEER_CASE(math, neg_float32) { return Float(random, Op::kNeg, 4, 0.1); }
DLPU_PEER_CASE(math, neg_int8) { return Codes(random, Op::kNeg, DataType::kInt8, Same); }
DLPU_PEER_CASE(math, neg_int16) { return Codes(random, Op::kNeg, DataType::kInt16, Same); }
DLPU_PEER_CASE(math, neg_int32) { return Plain(random, Op::kNeg, DataType::kInt32, 1e6); }
DLPU_PEER_CASE(math, neg_int64) { return Plain(random, Op::kNeg, DataType::kInt64, 1e12); }
DLPU_PEER_CASE(math, sqrt_float32) { return PositiveFloat(random, Op::kSqrt, 9); }
DLPU_PEER_CASE(math, sqrt_int8) { return Root(random, Op::kSqrt, DataType::kInt8, SquareRoot); }
DLPU_PEER_CASE(math, sqrt_int16) { return Root(random, Op::kSqrt, DataType::kInt16, SquareRoot); }
DLPU_PEER_CASE(math, rsqrt_float32) { return PositiveFloat(random, Op::kRsqrt, 9); }
DLPU_PEER_CASE(math, rsqrt_int8) { return Root(random, Op::kRsqrt, DataType::kInt8, InverseRoot); }
DLPU_PEER_CASE(math, rsqrt_int16) {
  return Root(random, Op::kRsqrt, DataType::kInt16, InverseRoot);
}
DLPU_PEER_CASE(math, exp_float32) { return Float(random, Op::kExp, 6, 0.1); }
DLPU_PEER_CASE(math, exp_int8) { return Codes(random, Op::kExp, DataType::kInt8, Exponential); }
DLPU_PEER_CASE(math, exp_int16) { return Codes(random, Op::kExp, DataType::kInt16, Exponential); }
DLPU_PEER_CASE(math, log_float32) { return PositiveFloat(random, Op::kLog, 50); }
DLPU_PEER_CASE(math, log_int8) { return Codes(random, Op::kLog, DataType::kInt8, Logarithm); }
DLPU_PEER_CASE(math, log_int16) { return Codes(random, Op::kLog, DataType::kInt16, Logarithm); }
DLPU_PEER_CASE(math, square_float32) { return Float(random, Op::kSquare, 4, 0.1); }
DLPU_PEER_CASE(math, sin_float32) { return Float(random, Op::kSin, 20, 0); }
DLPU_PEER_CASE(math, cos_float32) { return Float(random, Op::kCos, 20, 0); }
DLPU_PEER_CASE(math, floor_float32) { return Float(random, Op::kFloor, 5, 0.1); }
DLPU_PEER_CASE(math, ceil_float32) { return Float(random, Op::kCeil, 5, 0.1); }
DLPU_PEER_CASE(math, round_float32) {
  CaseBuilder builder(random);
  const Shape shape = RandomShape(random, 1, 5, 7);
  std::vector<float> values(static_cast<size_t>(ElementCount(shape)));
  for (float& value : values) {
    value = static_cast<float>(random.Chance(0.5) ? static_cast<double>(random.Int(-9, 9)) + 0.5
                                                  : random.Real(-9, 9));
  }
  const TensorId x = builder.InputData(DataType::kFloat32, shape, BytesOf(values));
  return builder.Finish(Op::kRound, {x}, DataType::kFloat32, {}, NoAttrs{});
}
DLPU_PEER_CASE(math, leaky_relu_float32) {
  const LeakyReluAttrs attrs = RandomAlpha(random);
  return Float(random, Op::kLeakyRelu, 4, 0, attrs);
}
DLPU_PEER_CASE(math, leaky_relu_int8) {
  const LeakyReluAttrs attrs = RandomAlpha(random);
  return Codes(random, Op::kLeakyRelu, DataType::kInt8, Same, attrs);
}
DLPU_PEER_CASE(math, leaky_relu_uint8) {
  const LeakyReluAttrs attrs = RandomAlpha(random);
  return Codes(random, Op::kLeakyRelu, DataType::kUInt8, Same, attrs);
}
DLPU_PEER_CASE(math, leaky_relu_int16) {
  const LeakyReluAttrs attrs = RandomAlpha(random);
  return Codes(random, Op::kLeakyRelu, DataType::kInt16, Same, attrs);
}
DLPU_PEER_CASE(math, elu_float32) { return Float(random, Op::kElu, 5, 0); }
DLPU_PEER_CASE(math, elu_int8) { return Codes(random, Op::kElu, DataType::kInt8, Same); }
DLPU_PEER_CASE(math, gelu_float32) {
  const GeluAttrs attrs = RandomGelu(random);
  return Float(random, Op::kGelu, 4, 0, attrs);
}
DLPU_PEER_CASE(math, gelu_int8) {
  const GeluAttrs attrs = RandomGelu(random);
  return Codes(random, Op::kGelu, DataType::kInt8, Same, attrs);
}
DLPU_PEER_CASE(math, gelu_uint8) {
  const GeluAttrs attrs = RandomGelu(random);
  return Codes(random, Op::kGelu, DataType::kUInt8, Same, attrs);
}
DLPU_PEER_CASE(math, gelu_int16) {
  const GeluAttrs attrs = RandomGelu(random);
  return Codes(random, Op::kGelu, DataType::kInt16, Same, attrs);
}

}  // namespace dlpu::peer
