// SPDX-License-Identifier: Apache-2.0
// Generated cases of ADD, SUB, MUL and PRELU.
#include <algorithm>

#include "elementwise.h"

namespace dlpu::peer {
namespace {

ArithmeticAttrs RandomAttrs(Random& random) {
  ArithmeticAttrs attrs;
  attrs.activation = RandomActivation(random);
  attrs.pot_scale_int16 = random.Chance(0.5);
  return attrs;
}

Case Sum(Random& random, Op op, DataType type) {
  CaseBuilder builder(random);
  const Quantization a = RandomQuantization(random, type), b = RandomQuantization(random, type);
  const double codes = static_cast<double>(HighestCode(type)) - LowestCode(type);
  const double range = (a.scale0() + b.scale0()) * codes / 2;
  const Quantization out =
      OutputQuantization(random, type, range, std::max(a.scale0(), b.scale0()));
  const std::vector<TensorId> inputs = CodePair(random, builder, type, a, b);
  return builder.Finish(op, inputs, type, out, RandomAttrs(random));
}

// 16-bit codes with scales that are powers of two, as LSTM cells have them.
Case ShiftedSum(Random& random, Op op) {
  CaseBuilder builder(random);
  const DataType type = DataType::kInt16;
  const float scale = random.Pick({0x1p-15f, 0x1p-12f, 0x1p-8f});
  const float fine = scale * random.Pick({1.0f, 0.5f, 0.25f, 0x1p-6f, 1.0003f});
  const bool swap = random.Chance(0.5);
  const Quantization a = PerTensor(swap ? fine : scale, 0), b = PerTensor(swap ? scale : fine, 0);
  ArithmeticAttrs attrs;
  attrs.activation = RandomActivation(random);
  const Shape shape = RandomShape(random, 1, 4, 7);
  const TensorId x = builder.Input(type, shape, a);
  const TensorId y = builder.Input(type, shape, b);
  return builder.Finish(op, {x, y}, type, PerTensor(scale, 0), attrs);
}

Case Product(Random& random, DataType type) {
  CaseBuilder builder(random);
  const Quantization a = RandomQuantization(random, type), b = RandomQuantization(random, type);
  const double codes = static_cast<double>(HighestCode(type)) - LowestCode(type);
  const double product = static_cast<double>(a.scale0()) * b.scale0();
  // Small outputs use the multipliers near and above 1.
  const double range = product * codes * codes / 4 * (random.Chance(0.2) ? 1.0 / 1024 : 1);
  const Quantization out = OutputQuantization(random, type, range, product);
  const std::vector<TensorId> inputs = CodePair(random, builder, type, a, b);
  return builder.Finish(Op::kMul, inputs, type, out, RandomAttrs(random));
}

Case Plain(Random& random, Op op, DataType type, double limit) {
  CaseBuilder builder(random);
  const std::vector<TensorId> inputs = ValuePair(random, builder, type, limit, 0.1);
  return builder.Finish(op, inputs, type, {}, RandomAttrs(random));
}

Case Narrowing(Random& random, DataType out) {
  CaseBuilder builder(random);
  const Shape shape = RandomShape(random, 1, 4, 7);
  const Quantization q = PerTensor(0x1p-15f, 0);
  const TensorId x = builder.Input(DataType::kInt16, shape, q);
  const TensorId y = builder.Input(DataType::kInt16, shape, q);
  const Quantization narrow = PerTensor(0x1p-7f, RandomZeroPoint(random, out));
  return builder.Finish(Op::kMul, {x, y}, out, narrow, RandomAttrs(random));
}

// Slopes broadcast to the input: one for all, one for each channel, or one for each element.
Shape SlopeShape(Random& random, const Shape& input) {
  Shape slope = input;
  for (int32_t& extent : slope) {
    if (random.Chance(0.5)) extent = 1;
  }
  if (slope.size() > 1 && slope[0] == 1 && random.Chance(0.5)) slope.erase(slope.begin());
  return slope;
}

Case Prelu(Random& random, DataType type, DataType slope_type) {
  CaseBuilder builder(random);
  const Shape shape = RandomShape(random, 1, 5, 7);
  const Shape slopes = SlopeShape(random, shape);
  if (type == DataType::kFloat32) {
    const TensorId x = FloatInput(random, builder, shape, 4, 0.1);
    return builder.Finish(Op::kPrelu, {x, builder.RandomConstant(type, slopes)}, type, {},
                          NoAttrs{});
  }
  const Quantization a = RandomQuantization(random, type);
  const Quantization b = RandomQuantization(random, slope_type);
  const double codes = static_cast<double>(HighestCode(type)) - LowestCode(type);
  const Quantization out = OutputQuantization(random, type, a.scale0() * codes / 2, a.scale0());
  const TensorId x = builder.Input(type, shape, a);
  const TensorId slope = builder.RandomConstant(slope_type, slopes, b);
  return builder.Finish(Op::kPrelu, {x, slope}, type, out, NoAttrs{});
}

}  // namespace

DLPU_PEER_CASE(arithmetic, add_int8) { return Sum(random, Op::kAdd, DataType::kInt8); }
DLPU_PEER_CASE(arithmetic, add_uint8) { return Sum(random, Op::kAdd, DataType::kUInt8); }
DLPU_PEER_CASE(arithmetic, add_int16) { return Sum(random, Op::kAdd, DataType::kInt16); }
DLPU_PEER_CASE(arithmetic, add_int16_shifted) { return ShiftedSum(random, Op::kAdd); }
DLPU_PEER_CASE(arithmetic, add_int16_plain) {
  return Plain(random, Op::kAdd, DataType::kInt16, 100);
}
DLPU_PEER_CASE(arithmetic, add_float32) { return Plain(random, Op::kAdd, DataType::kFloat32, 8); }
DLPU_PEER_CASE(arithmetic, add_int32) { return Plain(random, Op::kAdd, DataType::kInt32, 1e9); }
DLPU_PEER_CASE(arithmetic, add_int64) { return Plain(random, Op::kAdd, DataType::kInt64, 1e15); }
DLPU_PEER_CASE(arithmetic, sub_int8) { return Sum(random, Op::kSub, DataType::kInt8); }
DLPU_PEER_CASE(arithmetic, sub_uint8) { return Sum(random, Op::kSub, DataType::kUInt8); }
DLPU_PEER_CASE(arithmetic, sub_int16) { return Sum(random, Op::kSub, DataType::kInt16); }
DLPU_PEER_CASE(arithmetic, sub_int16_shifted) { return ShiftedSum(random, Op::kSub); }
DLPU_PEER_CASE(arithmetic, sub_float32) { return Plain(random, Op::kSub, DataType::kFloat32, 8); }
DLPU_PEER_CASE(arithmetic, sub_int32) { return Plain(random, Op::kSub, DataType::kInt32, 1e9); }
DLPU_PEER_CASE(arithmetic, sub_int64) { return Plain(random, Op::kSub, DataType::kInt64, 1e15); }
DLPU_PEER_CASE(arithmetic, mul_int8) { return Product(random, DataType::kInt8); }
DLPU_PEER_CASE(arithmetic, mul_uint8) { return Product(random, DataType::kUInt8); }
DLPU_PEER_CASE(arithmetic, mul_int16) { return Product(random, DataType::kInt16); }
DLPU_PEER_CASE(arithmetic, mul_int16_to_int8) { return Narrowing(random, DataType::kInt8); }
DLPU_PEER_CASE(arithmetic, mul_int16_to_uint8) { return Narrowing(random, DataType::kUInt8); }
DLPU_PEER_CASE(arithmetic, mul_int16_plain) {
  return Plain(random, Op::kMul, DataType::kInt16, 100);
}
DLPU_PEER_CASE(arithmetic, mul_float32) { return Plain(random, Op::kMul, DataType::kFloat32, 8); }
DLPU_PEER_CASE(arithmetic, mul_int32) { return Plain(random, Op::kMul, DataType::kInt32, 1e9); }
DLPU_PEER_CASE(arithmetic, mul_uint32) { return Plain(random, Op::kMul, DataType::kUInt32, 1e9); }
DLPU_PEER_CASE(arithmetic, mul_int64) { return Plain(random, Op::kMul, DataType::kInt64, 1e15); }
DLPU_PEER_CASE(arithmetic, prelu_int8) { return Prelu(random, DataType::kInt8, DataType::kInt8); }
DLPU_PEER_CASE(arithmetic, prelu_uint8) {
  return Prelu(random, DataType::kUInt8, DataType::kUInt8);
}
DLPU_PEER_CASE(arithmetic, prelu_int16) { return Prelu(random, DataType::kInt16, DataType::kInt8); }
DLPU_PEER_CASE(arithmetic, prelu_float32) {
  return Prelu(random, DataType::kFloat32, DataType::kFloat32);
}

}  // namespace dlpu::peer
