// SPDX-License-Identifier: Apache-2.0
// IEEE 754 binary16 ("float16") numbers, kept as their 16 bits. Pure functions; any thread.
#pragma once

#include <cstdint>
#include <cstring>

namespace dlpu {

// The exact value. A NaN stays a NaN with its payload. Without branches, so that loops over many
// vectorise.
inline float FloatFromHalf(uint16_t half) {
  // As a binary32 number with an exponent that is 112 too small; subnormals too. The product is
  // exact.
  const uint32_t shifted = static_cast<uint32_t>(half & 0x7fffu) << 13;
  float value = 0;
  std::memcpy(&value, &shifted, sizeof(value));
  value *= 0x1p112f;
  uint32_t bits = 0;
  std::memcpy(&bits, &value, sizeof(bits));
  const uint32_t beyond = shifted >= 0x0f800000u ? 0x7f800000u : 0;  // infinity or NaN
  bits |= beyond | static_cast<uint32_t>(half & 0x8000u) << 16;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

// The nearest binary16, ties to even; beyond 65519.996 infinity; NaN stays NaN.
inline uint16_t HalfFromFloat(float value) {
  uint32_t bits = 0;
  std::memcpy(&bits, &value, sizeof(bits));
  const uint32_t sign = (bits >> 16) & 0x8000u;
  const uint32_t magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) {  // NaN: keep it quiet
    return static_cast<uint16_t>(sign | 0x7e00u | ((magnitude >> 13) & 0x3ffu));
  }
  if (magnitude >= 0x477ff000u) return static_cast<uint16_t>(sign | 0x7c00u);
  uint32_t kept = 0, rest = 0, half_way = 0;
  if (magnitude < 0x38800000u) {  // below 2^-14: subnormal, in units of 2^-24
    const uint32_t exponent = magnitude >> 23;
    if (exponent < 102) return static_cast<uint16_t>(sign);
    const uint32_t shift = 126 - exponent;
    const uint32_t mantissa = (magnitude & 0x7fffffu) | 0x800000u;
    kept = mantissa >> shift;
    rest = mantissa & ((1u << shift) - 1);
    half_way = 1u << (shift - 1);
  } else {
    kept = (magnitude - 0x38000000u) >> 13;
    rest = magnitude & 0x1fffu;
    half_way = 0x1000u;
  }
  if (rest > half_way || (rest == half_way && (kept & 1))) ++kept;
  return static_cast<uint16_t>(sign | kept);
}

}  // namespace dlpu
