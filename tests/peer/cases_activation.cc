// SPDX-License-Identifier: Apache-2.0
// Generated cases of activations and of QUANTIZE and DEQUANTIZE. Quantized ones feed every code.
#include <cmath>

#include "elementwise.h"

namespace dlpu::peer {
namespace {

// An op on all codes of `type`, its output reaching about `range(input's range)`.
Case Codes(Random& random, Op op, DataType type, double (*range)(double)) {
  CaseBuilder builder(random);
  const Quantization in = RandomQuantization(random, type);
  const double codes = static_cast<double>(HighestCode(type)) - LowestCode(type);
  const Quantization out =
      OutputQuantization(random, type, range(in.scale0() * codes / 2), in.scale0());
  const TensorId x = AllCodes(random, builder, type, in);
  return builder.Finish(op, {x}, type, out, NoAttrs{});
}

double Same(double range) { return range; }

// The same with a prescribed output.
Case FixedOutput(Random& random, Op op, DataType type, Quantization out) {
  CaseBuilder builder(random);
  Quantization in = RandomQuantization(random, type);
  if (type == DataType::kInt16) {  // ranges of about 1 to 30, and the two special scales
    in.scale[0] = random.Pick({0x1p-12f, 0x1p-11f, in.scale[0] * 0x1p-6f, in.scale[0] * 0x1p-9f});
  }
  const TensorId x = AllCodes(random, builder, type, in);
  return builder.Finish(op, {x}, type, out, NoAttrs{});
}

Case Float(Random& random, Op op, double limit, double specials) {
  CaseBuilder builder(random);
  const Shape shape = RandomShape(random, 1, 5, 7);
  const TensorId x = FloatInput(random, builder, shape, limit, specials);
  return builder.Finish(op, {x}, DataType::kFloat32, {}, NoAttrs{});
}

Quantization Zeroed(Quantization q) {
  q.zero_point[0] = 0;
  return q;
}

// float32 to codes: values over the whole range and beyond, and exact ties.
Case QuantizeFloat(Random& random, DataType type) {
  CaseBuilder builder(random);
  const Quantization out = RandomQuantization(random, type);
  const Shape shape = RandomShape(random, 1, 5, 9);
  std::vector<float> values(static_cast<size_t>(ElementCount(shape)));
  const double codes = static_cast<double>(HighestCode(type)) - LowestCode(type);
  for (float& value : values) {
    const double code = random.Real(-codes * 1.2, codes * 1.2);
    const double chosen = random.Chance(0.5) ? std::floor(code) + 0.5 : code;
    value = static_cast<float>(chosen * out.scale0());
    if (random.Chance(0.01)) value = random.Pick({0.0f, -0.0f, 1e-40f, 1e5f, -1e5f});
  }
  const TensorId x = builder.InputData(DataType::kFloat32, shape, BytesOf(values));
  return builder.Finish(Op::kQuantize, {x}, type, out, NoAttrs{});
}

Case QuantizeChannels(Random& random, DataType type) {
  CaseBuilder builder(random);
  const Shape shape = RandomShape(random, 2, 4, 6);
  const int axis = static_cast<int>(random.Int(0, static_cast<int64_t>(shape.size()) - 1));
  const float scale = RandomScale(random);
  const Quantization out = PerChannel(random, scale, shape[axis], axis);
  const TensorId x = builder.Input(DataType::kFloat32, shape, {}, scale * 200);
  return builder.Finish(Op::kQuantize, {x}, type, out, NoAttrs{});
}

Case Requantize(Random& random, DataType from, DataType to) {
  CaseBuilder builder(random);
  const Quantization in = RandomQuantization(random, from);
  const double ratio = (HighestCode(from) - static_cast<double>(LowestCode(from))) /
                       (HighestCode(to) - static_cast<double>(LowestCode(to)));
  Quantization out = RandomQuantization(random, to);
  const double draw = random.Real(0, 1);
  if (draw < 0.25) {
    out.scale[0] = in.scale0();
    if (random.Chance(0.5))
      out.zero_point[0] = in.zero_point[0] + LowestCode(to) - LowestCode(from);
    if (BitsOf(to) != BitsOf(from)) out = Zeroed(out);
  } else if (draw < 0.75) {
    const double exponent = random.Pick({-2, -1, 0, 1, 2, 3});
    out.scale[0] = static_cast<float>(in.scale0() * std::exp2(exponent));
  } else if (draw < 0.9) {
    out.scale[0] = static_cast<float>(in.scale0() * ratio * random.Real(0.3, 3));
  }
  const TensorId x = AllCodes(random, builder, from, in);
  return builder.Finish(Op::kQuantize, {x}, to, out, NoAttrs{});
}

Case RequantizeInt32(Random& random, DataType to) {
  CaseBuilder builder(random);
  const Quantization in = PerTensor(RandomScale(random) * 0x1p-12f, 0);
  Quantization out = RandomQuantization(random, to);
  if (random.Chance(0.5)) out.scale[0] = in.scale0() * 0x1p10f;
  const Shape shape = RandomShape(random, 1, 4, 9);
  const TensorId x = builder.Input(DataType::kInt32, shape, in, 1e6);
  return builder.Finish(Op::kQuantize, {x}, to, out, NoAttrs{});
}

Case Dequantize(Random& random, DataType type) {
  CaseBuilder builder(random);
  const Quantization in = RandomQuantization(random, type);
  const TensorId x = AllCodes(random, builder, type, in);
  return builder.Finish(Op::kDequantize, {x}, DataType::kFloat32, {}, NoAttrs{});
}

Case DequantizeChannels(Random& random, DataType type) {
  CaseBuilder builder(random);
  const Shape shape = RandomShape(random, 1, 4, 6);
  const int axis = static_cast<int>(random.Int(0, static_cast<int64_t>(shape.size()) - 1));
  const float scale = RandomScale(random);
  Quantization in = PerChannel(random, scale, shape[axis], axis);
  for (int64_t& zero : in.zero_point) zero = RandomZeroPoint(random, type);
  const TensorId x = builder.Input(type, shape, in);
  return builder.Finish(Op::kDequantize, {x}, DataType::kFloat32, {}, NoAttrs{});
}

}  // namespace

DLPU_PEER_CASE(activation, relu_int8) { return Codes(random, Op::kRelu, DataType::kInt8, Same); }
DLPU_PEER_CASE(activation, relu_uint8) { return Codes(random, Op::kRelu, DataType::kUInt8, Same); }
DLPU_PEER_CASE(activation, relu_int16) { return Codes(random, Op::kRelu, DataType::kInt16, Same); }
DLPU_PEER_CASE(activation, relu_float32) { return Float(random, Op::kRelu, 4, 0); }
DLPU_PEER_CASE(activation, relu6_int8) { return Codes(random, Op::kRelu6, DataType::kInt8, Same); }
DLPU_PEER_CASE(activation, relu6_uint8) {
  return Codes(random, Op::kRelu6, DataType::kUInt8, Same);
}
DLPU_PEER_CASE(activation, relu6_int16) {
  return Codes(random, Op::kRelu6, DataType::kInt16, Same);
}
DLPU_PEER_CASE(activation, relu6_float32) { return Float(random, Op::kRelu6, 9, 0.1); }
DLPU_PEER_CASE(activation, relu_n1_to_1_int8) {
  return Codes(random, Op::kReluN1To1, DataType::kInt8, Same);
}
DLPU_PEER_CASE(activation, relu_n1_to_1_uint8) {
  return Codes(random, Op::kReluN1To1, DataType::kUInt8, Same);
}
DLPU_PEER_CASE(activation, relu_n1_to_1_float32) { return Float(random, Op::kReluN1To1, 3, 0.1); }
DLPU_PEER_CASE(activation, relu_0_to_1_int8) {
  return Codes(random, Op::kRelu0To1, DataType::kInt8, Same);
}
DLPU_PEER_CASE(activation, relu_0_to_1_uint8) {
  return Codes(random, Op::kRelu0To1, DataType::kUInt8, Same);
}
DLPU_PEER_CASE(activation, relu_0_to_1_float32) { return Float(random, Op::kRelu0To1, 3, 0.1); }
DLPU_PEER_CASE(activation, logistic_int8) {
  const Quantization out = PerTensor(1.0f / 256, RandomZeroPoint(random, DataType::kInt8));
  return FixedOutput(random, Op::kLogistic, DataType::kInt8, out);
}
DLPU_PEER_CASE(activation, logistic_uint8) {
  const Quantization out = PerTensor(1.0f / 256, RandomZeroPoint(random, DataType::kUInt8));
  return FixedOutput(random, Op::kLogistic, DataType::kUInt8, out);
}
DLPU_PEER_CASE(activation, logistic_int16) {
  return FixedOutput(random, Op::kLogistic, DataType::kInt16, PerTensor(0x1p-15f, 0));
}
DLPU_PEER_CASE(activation, logistic_float32) { return Float(random, Op::kLogistic, 20, 0.1); }
DLPU_PEER_CASE(activation, tanh_int8) {
  const Quantization out = PerTensor(1.0f / 128, RandomZeroPoint(random, DataType::kInt8));
  return FixedOutput(random, Op::kTanh, DataType::kInt8, out);
}
DLPU_PEER_CASE(activation, tanh_int8_any_scale) {
  const Quantization out = RandomQuantization(random, DataType::kInt8);
  return FixedOutput(random, Op::kTanh, DataType::kInt8, out);
}
DLPU_PEER_CASE(activation, tanh_uint8) {
  const Quantization out = PerTensor(1.0f / 128, RandomZeroPoint(random, DataType::kUInt8));
  return FixedOutput(random, Op::kTanh, DataType::kUInt8, out);
}
DLPU_PEER_CASE(activation, tanh_int16) {
  return FixedOutput(random, Op::kTanh, DataType::kInt16, PerTensor(0x1p-15f, 0));
}
DLPU_PEER_CASE(activation, tanh_float32) { return Float(random, Op::kTanh, 5, 0.1); }
DLPU_PEER_CASE(activation, hard_swish_int8) {
  return Codes(random, Op::kHardSwish, DataType::kInt8, Same);
}
DLPU_PEER_CASE(activation, hard_swish_uint8) {
  return Codes(random, Op::kHardSwish, DataType::kUInt8, Same);
}
DLPU_PEER_CASE(activation, hard_swish_float32) { return Float(random, Op::kHardSwish, 6, 0); }

DLPU_PEER_CASE(quantize, quantize_int8) { return QuantizeFloat(random, DataType::kInt8); }
DLPU_PEER_CASE(quantize, quantize_uint8) { return QuantizeFloat(random, DataType::kUInt8); }
DLPU_PEER_CASE(quantize, quantize_int16) { return QuantizeFloat(random, DataType::kInt16); }
DLPU_PEER_CASE(quantize, quantize_channels_int8) {
  return QuantizeChannels(random, DataType::kInt8);
}
DLPU_PEER_CASE(quantize, quantize_channels_int16) {
  return QuantizeChannels(random, DataType::kInt16);
}
DLPU_PEER_CASE(quantize, requantize_int8_int8) {
  return Requantize(random, DataType::kInt8, DataType::kInt8);
}
DLPU_PEER_CASE(quantize, requantize_int8_uint8) {
  return Requantize(random, DataType::kInt8, DataType::kUInt8);
}
DLPU_PEER_CASE(quantize, requantize_uint8_int8) {
  return Requantize(random, DataType::kUInt8, DataType::kInt8);
}
DLPU_PEER_CASE(quantize, requantize_uint8_uint8) {
  return Requantize(random, DataType::kUInt8, DataType::kUInt8);
}
DLPU_PEER_CASE(quantize, requantize_int8_int16) {
  return Requantize(random, DataType::kInt8, DataType::kInt16);
}
DLPU_PEER_CASE(quantize, requantize_uint8_int16) {
  return Requantize(random, DataType::kUInt8, DataType::kInt16);
}
DLPU_PEER_CASE(quantize, requantize_int16_int8) {
  return Requantize(random, DataType::kInt16, DataType::kInt8);
}
DLPU_PEER_CASE(quantize, requantize_int16_int16) {
  return Requantize(random, DataType::kInt16, DataType::kInt16);
}
DLPU_PEER_CASE(quantize, requantize_int16_int32) {
  CaseBuilder builder(random);
  const Quantization in = RandomQuantization(random, DataType::kInt16);
  const Quantization out = PerTensor(in.scale0() * random.Pick({1.0f, 0.5f, 0x1p-10f, 0.3f}), 0);
  const TensorId x = AllCodes(random, builder, DataType::kInt16, in);
  return builder.Finish(Op::kQuantize, {x}, DataType::kInt32, out, NoAttrs{});
}
DLPU_PEER_CASE(quantize, requantize_int32_int8) { return RequantizeInt32(random, DataType::kInt8); }
DLPU_PEER_CASE(quantize, requantize_int32_int16) {
  return RequantizeInt32(random, DataType::kInt16);
}
DLPU_PEER_CASE(quantize, dequantize_int8) { return Dequantize(random, DataType::kInt8); }
DLPU_PEER_CASE(quantize, dequantize_uint8) { return Dequantize(random, DataType::kUInt8); }
DLPU_PEER_CASE(quantize, dequantize_int16) { return Dequantize(random, DataType::kInt16); }
DLPU_PEER_CASE(quantize, dequantize_channels_int8) {
  return DequantizeChannels(random, DataType::kInt8);
}
DLPU_PEER_CASE(quantize, dequantize_channels_uint8) {
  return DequantizeChannels(random, DataType::kUInt8);
}
DLPU_PEER_CASE(quantize, dequantize_int4) {
  CaseBuilder builder(random);
  const Quantization in = PerTensor(RandomScale(random), random.Int(-8, 7));
  const Shape shape = RandomShape(random, 1, 4, 7);
  const TensorId x = builder.RandomConstant(DataType::kInt4, shape, in);
  return builder.Finish(Op::kDequantize, {x}, DataType::kFloat32, {}, NoAttrs{});
}
DLPU_PEER_CASE(quantize, dequantize_float16) {
  CaseBuilder builder(random);
  const Shape shape = RandomShape(random, 1, 4, 9);
  std::vector<uint16_t> halves(static_cast<size_t>(ElementCount(shape)));
  for (uint16_t& half : halves) half = static_cast<uint16_t>(random.Int(0, 0xffff));
  const TensorId x = builder.Constant(DataType::kFloat16, shape, BytesOf(halves));
  return builder.Finish(Op::kDequantize, {x}, DataType::kFloat32, {}, NoAttrs{});
}

}  // namespace dlpu::peer
