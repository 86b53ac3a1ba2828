// SPDX-License-Identifier: Apache-2.0
// .npy: a magic number, a version, a header that is a Python dictionary, then the elements.
#include "formats/npy.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.h"

namespace dlpu {
namespace {

constexpr char kMagic[] = "\x93NUMPY";
constexpr size_t kMagicSize = 6;

constexpr std::pair<DataType, const char*> kTypes[] = {
    {DataType::kFloat32, "<f4"}, {DataType::kFloat16, "<f2"}, {DataType::kFloat64, "<f8"},
    {DataType::kInt8, "|i1"},    {DataType::kUInt8, "|u1"},   {DataType::kInt16, "<i2"},
    {DataType::kUInt16, "<u2"},  {DataType::kInt32, "<i4"},   {DataType::kUInt32, "<u4"},
    {DataType::kInt64, "<i8"},   {DataType::kUInt64, "<u8"},  {DataType::kBool, "|b1"},
};

// The text of `key`'s value up to (not including) one of `stops`.
std::string ValueOf(const std::string& header, const std::string& key, const char* stops) {
  const size_t at = header.find("'" + key + "'");
  if (at == std::string::npos) return "";
  const size_t colon = header.find(':', at);
  if (colon == std::string::npos) return "";
  const size_t begin = header.find_first_not_of(' ', colon + 1);
  if (begin == std::string::npos) return "";
  const size_t end = header.find_first_of(stops, begin + 1);
  return header.substr(begin, end == std::string::npos ? std::string::npos : end - begin);
}

bool ParseShape(const std::string& text, Shape& shape) {
  if (text.empty() || text[0] != '(') return false;
  int64_t value = -1;
  for (const char c : text.substr(1)) {
    if (c >= '0' && c <= '9') {
      value = std::max<int64_t>(value, 0) * 10 + (c - '0');
      if (value > INT32_MAX) return false;
    } else if (c == ',' || c == ' ') {
      if (c == ',' && value >= 0) shape.push_back(static_cast<int32_t>(value));
      if (c == ',') value = -1;
    } else {
      return false;
    }
  }
  if (value >= 0) shape.push_back(static_cast<int32_t>(value));
  return true;
}

}  // namespace

bool IsNpy(std::span<const uint8_t> bytes) {
  return bytes.size() >= kMagicSize && std::memcmp(bytes.data(), kMagic, kMagicSize) == 0;
}

Result<NpyArray> ReadNpy(std::span<const uint8_t> bytes, const std::string& name) {
  if (!IsNpy(bytes) || bytes.size() < 10) {
    return InvalidError(fmt::format("{}: not a .npy file", name));
  }
  const int version = bytes[6];
  const size_t prefix = version >= 2 ? 12 : 10;
  if (version < 1 || version > 3 || bytes.size() < prefix) {
    return UnsupportedError(fmt::format("{}: .npy version {} is not supported", name, version));
  }
  uint32_t length = bytes[8] | bytes[9] << 8;
  if (version >= 2) length |= static_cast<uint32_t>(bytes[10]) << 16 | bytes[11] << 24;
  if (bytes.size() - prefix < length) {
    return InvalidError(fmt::format("{}: the .npy header is cut off", name));
  }
  const std::string header(reinterpret_cast<const char*>(bytes.data()) + prefix, length);
  NpyArray array;
  const std::string descr = ValueOf(header, "descr", ",}");
  const auto type = std::find_if(std::begin(kTypes), std::end(kTypes), [&](const auto& row) {
    const std::string code(row.second);
    return descr == "'" + code + "'" || descr == "'<" + code.substr(1) + "'";
  });
  if (type == std::end(kTypes)) {
    return UnsupportedError(fmt::format("{}: element type {} is not supported", name, descr));
  }
  array.type = type->first;
  if (ValueOf(header, "fortran_order", ",}") != "False") {
    return UnsupportedError(
        fmt::format("{}: Fortran order; save it with numpy.ascontiguousarray", name));
  }
  if (!ParseShape(ValueOf(header, "shape", ")"), array.shape)) {
    return InvalidError(fmt::format("{}: its shape cannot be read", name));
  }
  const std::span<const uint8_t> data = bytes.subspan(prefix + length);
  const int64_t want = ByteCount(array.type, array.shape);
  if (want != static_cast<int64_t>(data.size())) {
    return InvalidError(fmt::format("{}: {} {} needs {} bytes, the file has {}", name,
                                    DataTypeName(array.type), ShapeText(array.shape), want,
                                    data.size()));
  }
  array.data.assign(data.begin(), data.end());
  return array;
}

std::vector<uint8_t> WriteNpy(DataType type, const Shape& shape, std::span<const uint8_t> data) {
  const auto row = std::find_if(std::begin(kTypes), std::end(kTypes),
                                [&](const auto& r) { return r.first == type; });
  DLPU_CHECK(row != std::end(kTypes));
  std::string extents;
  for (const int32_t extent : shape) extents += std::to_string(extent) + ", ";
  if (shape.size() > 1) extents.resize(extents.size() - 2);
  if (shape.size() == 1) extents.resize(extents.size() - 1);
  std::string header = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}",
                                   row->second, extents);
  const size_t unpadded = 10 + header.size() + 1;
  header.append((64 - unpadded % 64) % 64, ' ');
  header += '\n';
  std::vector<uint8_t> bytes(kMagic, kMagic + kMagicSize);
  bytes.push_back(1);
  bytes.push_back(0);
  bytes.push_back(static_cast<uint8_t>(header.size() & 255));
  bytes.push_back(static_cast<uint8_t>(header.size() >> 8));
  bytes.insert(bytes.end(), header.begin(), header.end());
  bytes.insert(bytes.end(), data.begin(), data.end());
  return bytes;
}

}  // namespace dlpu
