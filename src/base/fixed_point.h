// SPDX-License-Identifier: Apache-2.0
// The only place where integers are rounded and saturated. Everything here is scalar, exact and
// independent of the host; SIMD rows are tested to be equal to it. docs/arithmetic.md states each
// function with worked examples. Pure functions: any thread may call them.
//
// Names follow the kernels they reproduce (LiteRT, gemmlowp, ruy, XNNPACK).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

namespace dlpu {

// A real factor d as d = multiplier * 2^(shift - 31); multiplier is 0 or in [2^30, 2^31).
// A negative d (only LEAKY_RELU has one) gives a negative multiplier.
struct QuantizedMultiplier {
  int32_t multiplier = 0;
  int shift = 0;
  bool operator==(const QuantizedMultiplier&) const = default;
};

// LiteRT QuantizeMultiplier: |d| < 2^-32 becomes zero. d must be finite.
inline QuantizedMultiplier QuantizeMultiplier(double d) {
  if (d == 0.0) return {0, 0};
  int shift = 0;
  const double m = std::frexp(d, &shift);
  int64_t q = std::llround(m * static_cast<double>(int64_t{1} << 31));
  if (q == int64_t{1} << 31) {
    q /= 2;
    ++shift;
  }
  if (shift < -31) return {0, 0};
  return {static_cast<int32_t>(q), shift};
}

// x * 2^n in 32 bits, wrapping as every shipping compiler does.
inline int32_t ShiftLeftWrap(int32_t x, int n) {
  return n > 31 ? 0 : static_cast<int32_t>(static_cast<uint32_t>(x) << n);
}
inline int32_t AddWrap(int32_t a, int32_t b) {
  return static_cast<int32_t>(static_cast<uint32_t>(a) + static_cast<uint32_t>(b));
}
inline int32_t SubWrap(int32_t a, int32_t b) {
  return static_cast<int32_t>(static_cast<uint32_t>(a) - static_cast<uint32_t>(b));
}
inline int32_t MulWrap(int32_t a, int32_t b) {
  return static_cast<int32_t>(static_cast<uint32_t>(a) * static_cast<uint32_t>(b));
}

// gemmlowp SaturatingRoundingDoublingHighMul: floor(a*b / 2^31 + 1/2), ties up;
// (INT32_MIN, INT32_MIN) gives INT32_MAX.
inline int32_t SaturatingRoundingDoublingHighMul(int32_t a, int32_t b) {
  if (a == b && a == std::numeric_limits<int32_t>::min())
    return std::numeric_limits<int32_t>::max();
  const int64_t ab = static_cast<int64_t>(a) * b;
  return static_cast<int32_t>((ab + (int64_t{1} << 30)) >> 31);
}

// The same for 16 bits: floor(a*b / 2^15 + 1/2).
inline int16_t SaturatingRoundingDoublingHighMul16(int16_t a, int16_t b) {
  if (a == b && a == std::numeric_limits<int16_t>::min())
    return std::numeric_limits<int16_t>::max();
  const int32_t ab = static_cast<int32_t>(a) * b;
  return static_cast<int16_t>((ab + (1 << 14)) >> 15);
}

// gemmlowp RoundingDivideByPOT: x / 2^exponent to nearest, ties away from zero. 0 <= exponent
// <= 31.
inline int32_t RoundingDivideByPOT(int32_t x, int exponent) {
  const int32_t mask = static_cast<int32_t>((int64_t{1} << exponent) - 1);
  const int32_t remainder = x & mask;
  const int32_t threshold = (mask >> 1) + (x < 0 ? 1 : 0);
  return (x >> exponent) + (remainder > threshold ? 1 : 0);
}

// x / 2^exponent to nearest, ties up (the rounding of ruy's x86 kernels' second step).
inline int32_t RoundingShiftRightUp(int32_t x, int exponent) {
  if (exponent == 0) return x;
  return static_cast<int32_t>((static_cast<int64_t>(x) + (int64_t{1} << (exponent - 1))) >>
                              exponent);
}

// Rule R2, the reference kernels': two roundings, the second half away from zero.
inline int32_t MultiplyByQuantizedMultiplier(int32_t x, QuantizedMultiplier m) {
  const int left = m.shift > 0 ? m.shift : 0;
  const int right = m.shift > 0 ? 0 : -m.shift;
  return RoundingDivideByPOT(
      SaturatingRoundingDoublingHighMul(ShiftLeftWrap(x, left), m.multiplier), right);
}

// Rule R2up: two roundings, the second half up (ruy on x86 with AVX; SIMD bodies).
inline int32_t MultiplyByQuantizedMultiplierUp(int32_t x, QuantizedMultiplier m) {
  const int left = m.shift > 0 ? m.shift : 0;
  const int right = m.shift > 0 ? 0 : -m.shift;
  return RoundingShiftRightUp(
      SaturatingRoundingDoublingHighMul(ShiftLeftWrap(x, left), m.multiplier), right);
}

// Rule R64: an int64 accumulator with a 16-bit multiplier, one rounding, ties up.
// REQUIRES: -31 <= shift < 8 and |x| < 2^47.
inline int32_t MultiplyByQuantizedMultiplier64(int64_t x, QuantizedMultiplier m) {
  const int32_t reduced = m.multiplier < 0x7FFF0000 ? (m.multiplier + (1 << 15)) >> 16 : 0x7FFF;
  const int total_shift = 15 - m.shift;
  // Wraps outside the stated ranges, which damaged models reach.
  const uint64_t product = static_cast<uint64_t>(x) * static_cast<uint64_t>(int64_t{reduced});
  if (total_shift < 1) return static_cast<int32_t>(product << std::min(-total_shift, 63));
  if (total_shift > 63) return 0;
  return static_cast<int32_t>(static_cast<int64_t>(product + (uint64_t{1} << (total_shift - 1))) >>
                              total_shift);
}

// How a product accumulator becomes an output code. Which rule an op uses is decided by the
// arithmetic profile in ops/, never inside a kernel.
enum class Rounding : uint8_t {
  kDouble,       // R2: reference kernels
  kDoubleUp,     // R2up: LiteRT's optimized kernels on x86 with AVX
  kFloat64,      // RF: round half away of double(x) * scale (reference FULLY_CONNECTED)
  kFloat32Even,  // XF: round half to even of float(x) * float scale (XNNPACK)
};

// Rule RF. An out-of-range product saturates (the original conversion is undefined there).
inline int32_t ScaleFloat64(int32_t x, double scale) {
  const double v = std::round(static_cast<double>(x) * scale);
  if (v >= 2147483647.0) return std::numeric_limits<int32_t>::max();
  if (v <= -2147483648.0) return std::numeric_limits<int32_t>::min();
  return static_cast<int32_t>(v);
}

// Rule XF without the zero point: float product clamped to [low, high], then half to even.
inline int32_t ScaleFloat32Even(int32_t x, float scale, float low, float high) {
  float v = static_cast<float>(x) * scale;
  v = std::min(std::max(v, low), high);
  return static_cast<int32_t>(std::nearbyint(v));
}

// One output channel's requantization: code = clamp(scaled(x) + zero_point, min, max).
struct Requantization {
  QuantizedMultiplier multiplier;  // kDouble, kDoubleUp
  double scale = 0.0;              // kFloat64; as float: kFloat32Even
};

inline int32_t Requantize(int32_t x, const Requantization& r, Rounding rounding, int32_t zero_point,
                          int32_t low, int32_t high) {
  switch (rounding) {
    case Rounding::kDouble:
      x = MultiplyByQuantizedMultiplier(x, r.multiplier);
      break;
    case Rounding::kDoubleUp:
      x = MultiplyByQuantizedMultiplierUp(x, r.multiplier);
      break;
    case Rounding::kFloat64:
      x = ScaleFloat64(x, r.scale);
      break;
    case Rounding::kFloat32Even:
      return ScaleFloat32Even(x, static_cast<float>(r.scale), static_cast<float>(low - zero_point),
                              static_cast<float>(high - zero_point)) +
             zero_point;
  }
  return std::min(std::max(AddWrap(x, zero_point), low), high);
}

// Round half away from zero, as C's round, to int32 with saturation; NaN gives 0.
inline int32_t RoundToInt32(double v) {
  const double r = std::round(v);
  if (!(r == r)) return 0;
  if (r >= 2147483647.0) return std::numeric_limits<int32_t>::max();
  if (r <= -2147483648.0) return std::numeric_limits<int32_t>::min();
  return static_cast<int32_t>(r);
}

// Round half away from zero. REQUIRES: |x| < 2^31 and x is not NaN. Compilers vectorise it, unlike
// the C library's round; x minus its whole part is exact.
inline int32_t RoundHalfAway(float x) {
  const int32_t whole = static_cast<int32_t>(x);
  const float fraction = x - static_cast<float>(whole);
  return whole + (fraction >= 0.5f ? 1 : 0) - (fraction <= -0.5f ? 1 : 0);
}

inline int16_t SaturateToInt16(int32_t x) {
  return static_cast<int16_t>(std::min<int32_t>(std::max<int32_t>(x, -32768), 32767));
}

// x * 2^n saturated to 16 bits. 0 <= n <= 31.
inline int16_t ShiftLeftSaturate16(int16_t x, int n) {
  const int64_t v = static_cast<int64_t>(x) * (int64_t{1} << n);
  return static_cast<int16_t>(std::min<int64_t>(std::max<int64_t>(v, -32768), 32767));
}

// The 16-bit multiplier nearest to a 32-bit one (LiteRT DownScaleInt32ToInt16Multiplier).
inline int16_t ReduceMultiplierTo16(int32_t multiplier) {
  if (multiplier >= std::numeric_limits<int32_t>::max() - (1 << 15)) return 32767;
  return static_cast<int16_t>((multiplier + (1 << 15)) >> 16);
}

}  // namespace dlpu
