// SPDX-License-Identifier: Apache-2.0
// Names and sizes of element types, arithmetic on shapes.
#include "ir/types.h"

#include <iterator>
#include <limits>

#include "base/check.h"

namespace dlpu {
namespace {

struct TypeRow {
  DataType type;
  std::string_view name;
  int bits;
};
constexpr TypeRow kTypes[] = {
    {DataType::kFloat32, "float32", 32}, {DataType::kFloat16, "float16", 16},
    {DataType::kInt32, "int32", 32},     {DataType::kUInt8, "uint8", 8},
    {DataType::kInt64, "int64", 64},     {DataType::kString, "string", 0},
    {DataType::kBool, "bool", 8},        {DataType::kInt16, "int16", 16},
    {DataType::kInt8, "int8", 8},        {DataType::kFloat64, "float64", 64},
    {DataType::kUInt64, "uint64", 64},   {DataType::kUInt32, "uint32", 32},
    {DataType::kUInt16, "uint16", 16},   {DataType::kInt4, "int4", 4},
    {DataType::kOther, "other", 0},
};

const TypeRow& Row(DataType type) {
  const auto index = static_cast<size_t>(type);
  DLPU_CHECK(index < std::size(kTypes) && kTypes[index].type == type);
  return kTypes[index];
}

}  // namespace

std::string_view DataTypeName(DataType type) { return Row(type).name; }

std::optional<DataType> DataTypeFromName(std::string_view name) {
  for (const TypeRow& row : kTypes) {
    if (row.name == name) return row.type;
  }
  return std::nullopt;
}

int BitsOf(DataType type) { return Row(type).bits; }

bool IsFloat(DataType type) {
  return type == DataType::kFloat32 || type == DataType::kFloat16 || type == DataType::kFloat64;
}

bool IsInteger(DataType type) {
  return BitsOf(type) != 0 && !IsFloat(type) && type != DataType::kBool;
}

int32_t LowestCode(DataType type) {
  switch (type) {
    case DataType::kInt4:
      return -8;
    case DataType::kInt8:
      return -128;
    case DataType::kInt16:
      return -32768;
    case DataType::kInt32:
      return std::numeric_limits<int32_t>::min();
    default:
      return 0;
  }
}

int32_t HighestCode(DataType type) {
  switch (type) {
    case DataType::kInt4:
      return 7;
    case DataType::kInt8:
      return 127;
    case DataType::kUInt8:
      return 255;
    case DataType::kInt16:
      return 32767;
    case DataType::kUInt16:
      return 65535;
    default:
      return std::numeric_limits<int32_t>::max();
  }
}

int64_t ElementCount(const Shape& shape) {
  int64_t count = 1;
  bool saturated = false;
  for (const int32_t extent : shape) {
    if (extent <= 0) return 0;
    if (__builtin_mul_overflow(count, static_cast<int64_t>(extent), &count)) {
      saturated = true;
      count = 1;
    }
  }
  return saturated ? std::numeric_limits<int64_t>::max() : count;
}

int64_t ByteCount(DataType type, const Shape& shape) {
  int64_t bits = 0;
  if (__builtin_mul_overflow(ElementCount(shape), static_cast<int64_t>(BitsOf(type)), &bits)) {
    return std::numeric_limits<int64_t>::max();
  }
  return bits / 8 + (bits % 8 != 0 ? 1 : 0);
}

std::string ShapeText(const Shape& shape) {
  if (shape.empty()) return "scalar";
  std::string text;
  for (const int32_t extent : shape) {
    if (!text.empty()) text += 'x';
    text += extent < 0 ? "?" : std::to_string(extent);
  }
  return text;
}

}  // namespace dlpu
