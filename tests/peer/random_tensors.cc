// SPDX-License-Identifier: Apache-2.0
// Random scales, zero points and data for generated cases.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/check.h"
#include "cases.h"

namespace dlpu::peer {
namespace {

// How the codes of one tensor are spread.
enum class Spread { kWhole, kExtremes, kNearZero, kConstant };

Spread RandomSpread(Random& random) {
  const double draw = random.Real(0, 1);
  if (draw < 0.65) return Spread::kWhole;
  if (draw < 0.80) return Spread::kNearZero;
  return draw < 0.95 ? Spread::kExtremes : Spread::kConstant;
}

int64_t RandomCode(Random& random, Spread spread, int64_t low, int64_t high, int64_t zero) {
  switch (spread) {
    case Spread::kWhole:
    case Spread::kConstant:
      return random.Int(low, high);
    case Spread::kExtremes:
      return random.Pick<int64_t>({low, high, low, high, low + 1, high - 1, zero});
    case Spread::kNearZero:
      return std::clamp<int64_t>(zero + random.Int(-6, 6), low, high);
  }
  return 0;
}

template <typename T>
Bytes Codes(Random& random, int64_t count, int64_t low, int64_t high, int64_t zero) {
  const Spread spread = RandomSpread(random);
  std::vector<T> values(static_cast<size_t>(count));
  for (T& value : values) {
    value = static_cast<T>(RandomCode(random, spread, low, high, zero));
    if (spread == Spread::kConstant) {
      std::fill(values.begin(), values.end(), value);
      break;
    }
  }
  return BytesOf(values);
}

Bytes Floats(Random& random, int64_t count, double limit) {
  const double style = random.Real(0, 1);
  std::vector<float> values(static_cast<size_t>(count));
  for (float& value : values) {
    if (style < 0.2) {  // whole numbers: equal values, exact ties
      value = static_cast<float>(std::floor(random.Real(-limit, limit + 1)));
    } else if (random.Chance(0.02)) {
      value = random.Pick({0.0f, -0.0f, static_cast<float>(limit), static_cast<float>(-limit)});
    } else {
      value = static_cast<float>(random.Real(-limit, limit));
    }
  }
  return BytesOf(values);
}

// Binary16 numbers from -2 to 2, normal ones only.
Bytes Halves(Random& random, int64_t count) {
  std::vector<uint16_t> values(static_cast<size_t>(count));
  for (uint16_t& value : values) {
    const int64_t exponent = random.Int(1, 15), sign = random.Int(0, 1);
    value = static_cast<uint16_t>(sign << 15 | exponent << 10 | random.Int(0, 1023));
  }
  return BytesOf(values);
}

}  // namespace

float RandomScale(Random& random) {
  if (random.Chance(0.4)) return std::ldexp(1.0f, static_cast<int>(random.Int(-9, 0)));
  // 2^-9 to 1, uniform within each octave; exact in binary64, rounded once.
  const int octave = static_cast<int>(random.Int(-9, -1));
  return static_cast<float>(std::ldexp(random.Real(1, 2), octave));
}

int64_t RandomZeroPoint(Random& random, DataType type) {
  if (type == DataType::kInt16 || type == DataType::kInt32) return 0;
  const int64_t low = LowestCode(type), high = HighestCode(type);
  const double draw = random.Real(0, 1);
  if (draw < 0.15) return low;
  if (draw < 0.30) return high;
  if (draw < 0.50) return low + (high - low + 1) / 2;  // 0 for int8, 128 for uint8
  return random.Int(low, high);
}

Quantization PerTensor(float scale, int64_t zero_point) {
  Quantization q;
  q.scale = {scale};
  q.zero_point = {zero_point};
  return q;
}

Quantization RandomQuantization(Random& random, DataType type) {
  const float scale = RandomScale(random);
  return PerTensor(scale, RandomZeroPoint(random, type));
}

Quantization PerChannel(Random& random, float scale, int count, int axis) {
  Quantization q;
  q.axis = axis;
  for (int i = 0; i < count; ++i) {
    const double factor = random.Chance(0.5) ? std::ldexp(1.0, static_cast<int>(random.Int(-3, 2)))
                                             : random.Real(0.1, 2);
    q.scale.push_back(static_cast<float>(scale * factor));
    q.zero_point.push_back(0);
  }
  return q;
}

Quantization OutputQuantization(Random& random, DataType type, double range, double base) {
  const double codes = static_cast<double>(HighestCode(type)) - LowestCode(type);
  const double fitting = 2 * range / codes;
  double scale = 0;
  if (random.Chance(0.5)) {
    const int shift = static_cast<int>(std::ceil(std::log2(fitting / base)));
    scale = std::ldexp(base, shift + static_cast<int>(random.Int(-1, 0)));
  } else {
    scale = fitting * random.Real(0.4, 1.3);
  }
  return PerTensor(static_cast<float>(scale), RandomZeroPoint(random, type));
}

Bytes RandomData(Random& random, DataType type, int64_t count, double limit, int64_t zero) {
  const auto whole = static_cast<int64_t>(limit);
  switch (type) {
    case DataType::kFloat32:
      return Floats(random, count, limit);
    case DataType::kFloat16:
      return Halves(random, count);
    case DataType::kBool:
      return Codes<uint8_t>(random, count, 0, 1, 0);
    case DataType::kInt4:  // two codes a byte, any byte will do
      return Codes<uint8_t>(random, (count + 1) / 2, 0, 255, 0);
    case DataType::kInt8:
      return Codes<int8_t>(random, count, -128, 127, zero);
    case DataType::kUInt8:
      return Codes<uint8_t>(random, count, 0, 255, zero);
    case DataType::kInt16:
      return Codes<int16_t>(random, count, -32768, 32767, zero);
    case DataType::kInt32:
      return Codes<int32_t>(random, count, -whole, whole, 0);
    case DataType::kInt64:
      return Codes<int64_t>(random, count, -whole, whole, 0);
    case DataType::kUInt32:
      return Codes<uint32_t>(random, count, 0, whole, 0);
    default:
      DLPU_CHECK(false);  // generators make no tensors of other types
      return {};
  }
}

Shape RandomShape(Random& random, int low_rank, int high_rank, int max_extent) {
  Shape shape(static_cast<size_t>(random.Int(low_rank, high_rank)));
  for (int32_t& extent : shape) extent = static_cast<int32_t>(random.Int(1, max_extent));
  return shape;
}

}  // namespace dlpu::peer
