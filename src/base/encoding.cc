// SPDX-License-Identifier: Apache-2.0
// Hexadecimal and base64.
#include "base/encoding.h"

#include <array>

namespace dlpu {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";
constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

// The value of each character in an alphabet; -1 for the others.
std::array<int8_t, 256> Values(std::string_view alphabet) {
  std::array<int8_t, 256> values;
  values.fill(-1);
  for (size_t i = 0; i < alphabet.size(); ++i) {
    values[static_cast<uint8_t>(alphabet[i])] = static_cast<int8_t>(i);
  }
  return values;
}

}  // namespace

std::string HexOf(std::span<const uint8_t> bytes) {
  std::string text;
  text.reserve(2 * bytes.size());
  for (const uint8_t byte : bytes) {
    text += kHex[byte >> 4];
    text += kHex[byte & 15];
  }
  return text;
}

std::string Base64Of(std::span<const uint8_t> bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const size_t have = bytes.size() - i < 3 ? bytes.size() - i : 3;
    uint32_t group = 0;
    for (size_t k = 0; k < 3; ++k) group = group << 8 | (k < have ? bytes[i + k] : 0);
    for (size_t k = 0; k < 4; ++k) {
      text += k <= have ? kBase64[group >> (18 - 6 * k) & 63] : '=';
    }
  }
  return text;
}

std::optional<std::vector<uint8_t>> BytesFromHex(std::string_view text) {
  static const std::array<int8_t, 256> values = [] {
    std::array<int8_t, 256> table = Values(kHex);
    for (int c = 'A'; c <= 'F'; ++c) table[c] = static_cast<int8_t>(c - 'A' + 10);
    return table;
  }();
  if (text.size() % 2 != 0) return std::nullopt;
  std::vector<uint8_t> bytes(text.size() / 2);
  for (size_t i = 0; i < bytes.size(); ++i) {
    const int high = values[static_cast<uint8_t>(text[2 * i])];
    const int low = values[static_cast<uint8_t>(text[2 * i + 1])];
    if (high < 0 || low < 0) return std::nullopt;
    bytes[i] = static_cast<uint8_t>(high << 4 | low);
  }
  return bytes;
}

std::optional<std::vector<uint8_t>> BytesFromBase64(std::string_view text) {
  static const std::array<int8_t, 256> values = Values(kBase64);
  if (text.size() % 4 != 0) return std::nullopt;
  std::vector<uint8_t> bytes;
  bytes.reserve(text.size() / 4 * 3);
  for (size_t i = 0; i < text.size(); i += 4) {
    size_t have = 4;
    if (i + 4 == text.size()) {
      while (have > 2 && text[i + have - 1] == '=') --have;
    }
    uint32_t group = 0;
    for (size_t k = 0; k < 4; ++k) {
      const int value = k < have ? values[static_cast<uint8_t>(text[i + k])] : 0;
      if (value < 0) return std::nullopt;
      group = group << 6 | static_cast<uint32_t>(value);
    }
    // The bits that padding cuts off must be zero, so that each value has one spelling.
    if ((group & ((uint32_t{1} << (8 * (4 - have))) - 1)) != 0) return std::nullopt;
    for (size_t k = 0; k + 1 < have; ++k) {
      bytes.push_back(static_cast<uint8_t>(group >> (16 - 8 * k)));
    }
  }
  return bytes;
}

}  // namespace dlpu
