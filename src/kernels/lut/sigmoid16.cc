// SPDX-License-Identifier: Apache-2.0
// The sigmoid table and its interpolation.
#include "kernels/lut/sigmoid16.h"

#include <array>
#include <cmath>
#include <cstdlib>

#include "kernels/lut/portable_math.h"

namespace dlpu {
namespace {

// Entries that are one more than the rounded sigmoid in LiteRT's table.
constexpr uint8_t kRaised[] = {4,  8,  12, 14, 15, 16, 17, 19, 20,  21,  22,  25,  27,  28, 29,
                               30, 31, 33, 34, 35, 37, 39, 40, 41,  43,  44,  45,  46,  49, 50,
                               54, 62, 63, 64, 66, 82, 86, 93, 100, 103, 112, 116, 135, 255};

// 65536 / (1 + exp(-i / 24)), rounded half up.
std::array<uint32_t, 256> MakeTable() {
  std::array<uint32_t, 256> table{};
  for (int i = 0; i < 256; ++i) {
    table[i] = static_cast<uint32_t>(std::floor(65536 / (1 + PortableExp(-i / 24.0)) + 0.5));
  }
  for (const uint8_t i : kRaised) ++table[i];
  return table;
}

const std::array<uint32_t, 256>& Table() {
  static const std::array<uint32_t, 256> table = MakeTable();
  return table;
}

int32_t ToTableScale(Sigmoid16Input input, int16_t code) {
  const int32_t half = input.shift > 0 ? 1 << (input.shift - 1) : 0;
  return (code * input.multiplier + half) >> input.shift;
}

}  // namespace

Sigmoid16Input MakeSigmoid16Input(float scale, bool tanh) {
  const float log2 = std::log(scale) * (1.0f / std::log(2.0f));
  const float nearest = std::round(log2);
  const int exponent = static_cast<int>(nearest) + 12;
  if (std::abs(log2 - nearest) < 1e-3f && (exponent == 0 || (tanh && exponent == 1))) {
    return {3 << exponent, 0};
  }
  double multiplier = static_cast<double>(scale) * 4096.0 * 3.0;
  int shift = 0;
  while (multiplier <= 32767.0 / 2.0 && shift <= 30) {
    ++shift;
    multiplier *= 2;
  }
  return {static_cast<int32_t>(multiplier), shift};
}

int16_t Logistic16(Sigmoid16Input input, int16_t code) {
  const int32_t v = ToTableScale(input, code);
  const auto magnitude = static_cast<uint32_t>(std::abs(v));
  const uint32_t i = magnitude >> 9;
  uint32_t r = 0x7fff << 10;
  if (i < 255) {
    r = (Table()[i] << 9) + (magnitude & 511) * (Table()[i + 1] - Table()[i]);
  }
  r = v >= 0 ? r + 512 : (1u << 25) - r + 511;
  return static_cast<int16_t>(r >> 10);
}

int16_t Tanh16(Sigmoid16Input input, int16_t code) {
  const int32_t v = ToTableScale(input, code);
  const auto magnitude = static_cast<uint32_t>(std::abs(v));
  const uint32_t i = magnitude >> 8;
  int32_t r = 0xffff << 8;
  if (i < 255) {
    r = static_cast<int32_t>((Table()[i] << 8) + (magnitude & 255) * (Table()[i + 1] - Table()[i]));
  }
  r = v >= 0 ? r - (1 << 23) + 128 : -r + (1 << 23) + 127;
  return static_cast<int16_t>(r >> 8);
}

}  // namespace dlpu
