// SPDX-License-Identifier: Apache-2.0
// The vocabulary of tensors: element types, shapes, affine quantization. Plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dlpu {

enum class DataType : uint8_t {
  kFloat32,
  kFloat16,
  kInt32,
  kUInt8,
  kInt64,
  kString,
  kBool,
  kInt16,
  kInt8,
  kFloat64,
  kUInt64,
  kUInt32,
  kUInt16,
  kInt4,
  kOther,
};

// "float32", "int8", ...; kOther is "other".
std::string_view DataTypeName(DataType type);
std::optional<DataType> DataTypeFromName(std::string_view name);
// Bits of one element; 0 for kString and kOther.
int BitsOf(DataType type);
bool IsFloat(DataType type);    // float16, float32, float64
bool IsInteger(DataType type);  // signed and unsigned integers, not bool
// Lowest and highest code of an integer type of at most 32 bits.
int32_t LowestCode(DataType type);
int32_t HighestCode(DataType type);

// The DataType of a C++ type, for typed access to tensors.
template <typename T>
struct DataTypeOf;
template <>
struct DataTypeOf<float> {
  static constexpr DataType value = DataType::kFloat32;
};
template <>
struct DataTypeOf<int8_t> {
  static constexpr DataType value = DataType::kInt8;
};
template <>
struct DataTypeOf<uint8_t> {
  static constexpr DataType value = DataType::kUInt8;
};
template <>
struct DataTypeOf<int16_t> {
  static constexpr DataType value = DataType::kInt16;
};
template <>
struct DataTypeOf<int32_t> {
  static constexpr DataType value = DataType::kInt32;
};
template <>
struct DataTypeOf<int64_t> {
  static constexpr DataType value = DataType::kInt64;
};
template <>
struct DataTypeOf<bool> {
  static constexpr DataType value = DataType::kBool;
};

// Extents, outermost first (NHWC for pictures). An empty shape is a scalar. -1: not known.
using Shape = std::vector<int32_t>;

// Product of the extents; 1 for a scalar. Saturates at INT64_MAX; an unknown extent gives 0.
int64_t ElementCount(const Shape& shape);
// Bytes of a packed tensor (int4: two elements a byte, rounded up). Saturates.
int64_t ByteCount(DataType type, const Shape& shape);
// "1x224x224x3"; "scalar" for an empty shape.
std::string ShapeText(const Shape& shape);

// real = scale[c] * (code - zero_point[c]); one entry, or one for each index along `axis`.
struct Quantization {
  std::vector<float> scale;
  std::vector<int64_t> zero_point;
  int32_t axis = 0;

  bool present() const { return !scale.empty(); }
  bool per_channel() const { return scale.size() > 1; }
  // REQUIRES: present().
  float scale0() const { return scale[0]; }
  int32_t zero0() const { return zero_point.empty() ? 0 : static_cast<int32_t>(zero_point[0]); }
  bool operator==(const Quantization&) const = default;
};

}  // namespace dlpu
