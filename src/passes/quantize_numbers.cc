// SPDX-License-Identifier: Apache-2.0
// The numbers of quantization.
#include "passes/quantize_numbers.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace dlpu {
namespace {

// Scales below this would be denormal in products with others.
constexpr double kSmallestScale = 1e-30;

double RoundHalfAway(double v) { return std::round(v); }

// The squared error of symmetric codes in [-127, 127] of these values under a scale.
double SquaredError(std::span<const float> values, double scale) {
  const double inverse = 1.0 / scale;
  double error = 0;
  for (const float v : values) {
    const double code = std::clamp(RoundHalfAway(v * inverse), -127.0, 127.0);
    const double d = v - code * scale;
    error += d * d;
  }
  return error;
}

// The least power of two that is not below a positive number.
double PowerOfTwoFrom(double least) {
  int exponent = 0;
  const double part = std::frexp(least, &exponent);  // in [0.5, 1)
  return std::ldexp(1.0, part == 0.5 ? exponent - 1 : exponent);
}

// The same among powers of two: a smaller one clips more and rounds less.
double PowerOfTwoScale(std::span<const float> values, double top, WeightRange how) {
  double best = PowerOfTwoFrom(top / 127.5);
  if (how == WeightRange::kMinMax) return best;
  double least = SquaredError(values, best);
  for (double scale = best / 2; scale > top / 127 / 8; scale /= 2) {
    const double error = SquaredError(values, scale);
    if (error >= least) continue;
    least = error;
    best = scale;
  }
  return best;
}

// The scale of symmetric codes: the largest magnitude, or less when that rounds better.
double SymmetricScale(std::span<const float> values, WeightRange how, bool power_of_two) {
  double top = 0;
  for (const float v : values) top = std::max(top, std::fabs(static_cast<double>(v)));
  if (power_of_two && top > kSmallestScale) return PowerOfTwoScale(values, top, how);
  double best = top / 127;
  if (how == WeightRange::kMinMax || top == 0) return best;
  double least = SquaredError(values, best);
  // Steps of 1 % down to 40 % of the full range: the optimum of real layers lies above that.
  for (int percent = 99; percent >= 40; --percent) {
    const double scale = top / 127 * percent / 100;
    const double error = SquaredError(values, scale);
    if (error < least) {
      least = error;
      best = scale;
    }
  }
  return best;
}

template <typename T>
void Append(std::vector<uint8_t>& bytes, T value) {
  const size_t at = bytes.size();
  bytes.resize(at + sizeof(T));
  std::memcpy(bytes.data() + at, &value, sizeof(T));
}

void AppendCode(std::vector<uint8_t>& bytes, double code, DataType type) {
  switch (type) {
    case DataType::kInt8:
      return Append(bytes, static_cast<int8_t>(std::clamp(code, -128.0, 127.0)));
    case DataType::kUInt8:
      return Append(bytes, static_cast<uint8_t>(std::clamp(code, 0.0, 255.0)));
    case DataType::kInt16:
      return Append(bytes, static_cast<int16_t>(std::clamp(code, -32768.0, 32767.0)));
    case DataType::kInt32:
      return Append(bytes, static_cast<int32_t>(std::clamp(code, -2147483648.0, 2147483647.0)));
    default:
      DLPU_CHECK(type == DataType::kInt64);
      return Append(bytes, static_cast<int64_t>(std::clamp(code, -9.2e18, 9.2e18)));
  }
}

}  // namespace

std::optional<WeightedLayer> WeightedLayerOf(const Graph& graph, const Node& node) {
  WeightedLayer layer;
  switch (node.op) {
    case Op::kConv2d:
      layer.input_axis = 3;
      break;
    case Op::kFullyConnected:
      layer.input_axis = 1;
      break;
    case Op::kDepthwiseConv2d:
      layer.channel_axis = 3;
      break;
    case Op::kTransposeConv:
      layer = {.data = 2, .weights = 1, .bias = 3, .channel_axis = 0, .input_axis = 3};
      break;
    default:
      return std::nullopt;
  }
  if (node.inputs.size() < 2 || node.inputs[1] == kNoTensor) return std::nullopt;
  const Tensor& weights = graph.tensors[node.inputs[1]];
  const size_t rank = node.op == Op::kFullyConnected ? 2 : 4;
  if (!weights.is_constant || weights.type != DataType::kFloat32 || weights.shape.size() != rank) {
    return std::nullopt;
  }
  return layer;
}

std::vector<float> FloatValues(const Tensor& constant) {
  std::vector<float> values(constant.data.size() / sizeof(float));
  if (!values.empty()) std::memcpy(values.data(), constant.data.data(), constant.data.size());
  return values;
}

void SetFloatValues(Tensor& constant, std::span<const float> values) {
  constant.data.resize(values.size_bytes());
  if (!values.empty()) std::memcpy(constant.data.data(), values.data(), values.size_bytes());
}

namespace {

Quantization FixedPoint(double low, double high, DataType type) {
  const double most = HighestCode(type), least = LowestCode(type);
  const double zero_code = low >= 0 && type == DataType::kInt8 ? least : 0;
  const auto zero = static_cast<int64_t>(zero_code);
  const double step =
      std::max(high / (most - zero_code + 1), low < 0 ? -low / (zero_code - least) : 0);
  if (!(step > kSmallestScale)) return {{1.0f}, {zero}, 0};
  return {{static_cast<float>(PowerOfTwoFrom(step))}, {zero}, 0};
}

}  // namespace

Quantization ActivationQuantization(RealRange range, DataType type, bool power_of_two) {
  const double low = std::min(0.0, static_cast<double>(range.low));
  const double high = std::max(0.0, static_cast<double>(range.high));
  if (power_of_two) return FixedPoint(low, high, type);
  if (type == DataType::kInt16) {
    const double top = std::max(-low, high);
    return {{static_cast<float>(top > kSmallestScale ? top / 32767 : 1.0 / 32767)}, {0}, 0};
  }
  const double least = LowestCode(type), most = HighestCode(type);
  if (!(high - low > kSmallestScale)) return {{1.0f}, {static_cast<int64_t>(least)}, 0};
  const auto scale = static_cast<float>((high - low) / (most - least));
  const double zero = RoundHalfAway(least - low / static_cast<double>(scale));
  return {{scale}, {static_cast<int64_t>(std::clamp(zero, least, most))}, 0};
}

std::vector<uint8_t> Codes(std::span<const float> values, const Quantization& quantization,
                           DataType type) {
  std::vector<uint8_t> bytes;
  bytes.reserve(values.size() * static_cast<size_t>(BitsOf(type)) / 8);
  const double scale = quantization.scale0();
  for (const float v : values) {
    AppendCode(bytes, RoundHalfAway(v / scale) + quantization.zero0(), type);
  }
  return bytes;
}

std::vector<uint8_t> ChannelCodes(std::span<const float> values, const Quantization& quantization,
                                  DataType type) {
  std::vector<uint8_t> bytes;
  for (size_t c = 0; c < values.size(); ++c) {
    const double scale = quantization.scale[quantization.scale.size() == 1 ? 0 : c];
    AppendCode(bytes, RoundHalfAway(values[c] / scale), type);
  }
  return bytes;
}

RealRange RangeOf(std::span<const float> values) {
  RealRange range;
  for (const float v : values) {
    range.low = std::min(range.low, v);
    range.high = std::max(range.high, v);
  }
  return range;
}

AxisIndex IndexAlong(const Shape& shape, int axis) {
  AxisIndex index;
  index.extent = shape[static_cast<size_t>(axis)];
  for (size_t i = static_cast<size_t>(axis) + 1; i < shape.size(); ++i) index.inner *= shape[i];
  return index;
}

namespace {

// uint8 codes 1 to 255 over the whole tensor, as TensorFlow 1 trained them.
QuantizedWeights UnsignedWeights(std::span<const float> values, double floor) {
  QuantizedWeights result;
  result.type = DataType::kUInt8;
  const RealRange range = RangeOf(values);
  double width = static_cast<double>(range.high) - static_cast<double>(range.low);
  if (!(width > kSmallestScale)) width = 254;
  const auto scale = static_cast<float>(std::max(width / 254, floor));
  const double zero =
      std::clamp(RoundHalfAway(1 - static_cast<double>(range.low) / scale), 1.0, 255.0);
  result.quantization = {{scale}, {static_cast<int64_t>(zero)}, 0};
  for (const float v : values) {
    const double code =
        std::clamp(RoundHalfAway(v / static_cast<double>(scale)) + zero, 1.0, 255.0);
    result.codes.push_back(static_cast<uint8_t>(code));
    result.real.push_back(static_cast<float>((code - zero) * static_cast<double>(scale)));
  }
  return result;
}

}  // namespace

QuantizedWeights QuantizeWeights(const Tensor& weights, int channel_axis, bool per_channel,
                                 bool is_unsigned, WeightRange how, std::span<const double> floor,
                                 bool power_of_two) {
  const std::vector<float> values = FloatValues(weights);
  double common_floor = 0;
  for (const double f : floor) common_floor = std::max(common_floor, f);
  if (is_unsigned) return UnsignedWeights(values, common_floor);
  QuantizedWeights result;
  result.quantization.axis = per_channel ? channel_axis : 0;
  const AxisIndex index = IndexAlong(weights.shape, channel_axis);
  const auto channels = static_cast<size_t>(per_channel ? index.extent : 1);
  std::vector<std::vector<float>> parts(channels);
  for (size_t i = 0; i < values.size(); ++i) parts[per_channel ? index(i) : 0].push_back(values[i]);
  for (size_t c = 0; c < channels; ++c) {
    double scale = SymmetricScale(parts[c], how, power_of_two);
    if (!(scale > kSmallestScale)) scale = 1;  // all zeros
    scale = std::max(scale, per_channel && c < floor.size() ? floor[c] : common_floor);
    if (power_of_two) scale = PowerOfTwoFrom(scale);
    result.quantization.scale.push_back(static_cast<float>(scale));
    result.quantization.zero_point.push_back(0);
  }
  result.codes.reserve(values.size());
  result.real.reserve(values.size());
  for (size_t i = 0; i < values.size(); ++i) {
    const double scale = result.quantization.scale[per_channel ? index(i) : 0];
    const double code = std::clamp(RoundHalfAway(values[i] / scale), -127.0, 127.0);
    result.codes.push_back(static_cast<uint8_t>(static_cast<int8_t>(code)));
    result.real.push_back(static_cast<float>(code * scale));
  }
  return result;
}

}  // namespace dlpu
