// SPDX-License-Identifier: Apache-2.0
// The arithmetic of quantized elementwise ops, one code at a time: each struct holds what was
// computed once from scales and zero points, and its call operator is the specification that every
// faster form equals. Formulas: LiteRT's reference kernels (kernels/internal/reference). Plain
// values; any thread.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

#include "base/fixed_math.h"
#include "base/fixed_point.h"

namespace dlpu {

inline int32_t ClampCode(int32_t code, int32_t low, int32_t high) {
  return std::min(std::max(code, low), high);
}

// ADD and SUB of codes a, b: both are brought to twice the larger input scale with `left_shift`
// extra bits, added or subtracted, and rescaled to the output.
struct QuantizedSum {
  int32_t zero_a = 0, zero_b = 0, zero_out = 0;
  int left_shift = 20;  // 20 for 8-bit codes, 15 for 16-bit codes
  QuantizedMultiplier a, b, out;
  bool subtract = false;
  int32_t low = 0, high = 0;

  int32_t ScaleA(int32_t code) const {
    return MultiplyByQuantizedMultiplier(ShiftLeftWrap(code - zero_a, left_shift), a);
  }
  // Negated for SUB.
  int32_t ScaleB(int32_t code) const {
    const int32_t v = MultiplyByQuantizedMultiplier(ShiftLeftWrap(code - zero_b, left_shift), b);
    return subtract ? -v : v;
  }
  int32_t Finish(int32_t sum) const {
    return ClampCode(AddWrap(MultiplyByQuantizedMultiplier(sum, out), zero_out), low, high);
  }
  int32_t operator()(int32_t x, int32_t y) const { return Finish(AddWrap(ScaleA(x), ScaleB(y))); }
};

// ADD and SUB of 16-bit codes whose scales are powers of two. ADD: the input with the finer scale
// is rounded to the output's scale, then a saturating sum. SUB: a difference in 32 bits.
struct PowerOfTwoSum {
  int shift_a = 0, shift_b = 0;  // right shifts
  bool subtract = false;
  int32_t low = 0, high = 0;

  int32_t operator()(int32_t x, int32_t y) const {
    const int32_t a = RoundingDivideByPOT(x, shift_a), b = RoundingDivideByPOT(y, shift_b);
    return ClampCode(subtract ? a - b : SaturateToInt16(a + b), low, high);
  }
};

// MUL: the product of both differences to the zero points, rescaled.
struct QuantizedProduct {
  int32_t zero_a = 0, zero_b = 0, zero_out = 0;
  QuantizedMultiplier multiplier;
  int32_t low = 0, high = 0;

  int32_t Product(int32_t x, int32_t y) const { return MulWrap(x - zero_a, y - zero_b); }
  int32_t operator()(int32_t x, int32_t y) const {
    const int32_t product = Product(x, y);
    return ClampCode(AddWrap(MultiplyByQuantizedMultiplier(product, multiplier), zero_out), low,
                     high);
  }
};

// MUL of two 16-bit codes (Q0.15) to an 8-bit code (Q0.7).
struct QuantizedProduct16To8 {
  int32_t zero_out = 0, low = 0, high = 0;

  int32_t operator()(int16_t x, int16_t y) const {
    const int32_t v = RoundingDivideByPOT(SaturatingRoundingDoublingHighMul16(x, y), 8);
    return zero_out + ClampCode(v, low - zero_out, high - zero_out);
  }
};

// ADD and SUB as XNNPACK computes them: both factors to the output's scale with `shift` fraction
// bits (21 significant bits in the larger one), one rounding, ties up.
struct XnnpackSum {
  int32_t factor_a = 0, factor_b = 0;  // factor_b is negative for SUB
  int shift = 1;
  int32_t zero_a = 0, zero_b = 0, zero_out = 0, low = 0, high = 0;

  int32_t operator()(int32_t x, int32_t y) const {
    const int32_t bias = (1 << (shift - 1)) - factor_a * zero_a - factor_b * zero_b;
    return ClampCode(((bias + x * factor_a + y * factor_b) >> shift) + zero_out, low, high);
  }
};

// MUL as XNNPACK computes it: a binary32 factor, one rounding, ties to even.
struct XnnpackProduct {
  int32_t zero_a = 0, zero_b = 0, zero_out = 0;
  float scale = 0;
  int32_t low = 0, high = 0;

  int32_t operator()(int32_t x, int32_t y) const {
    return zero_out + ScaleFloat32Even((x - zero_a) * (y - zero_b), scale,
                                       static_cast<float>(low - zero_out),
                                       static_cast<float>(high - zero_out));
  }
};

// A change of scale and zero point: QUANTIZE of codes, RELU, RELU6, RELU_N1_TO_1.
struct Rescale {
  int32_t zero_in = 0, zero_out = 0;
  QuantizedMultiplier multiplier;
  int32_t low = 0, high = 0;

  int32_t operator()(int32_t code) const {
    const int32_t v = MultiplyByQuantizedMultiplier(SubWrap(code, zero_in), multiplier);
    return ClampCode(AddWrap(v, zero_out), low, high);
  }
};

// PRELU of input code x with slope code y.
struct QuantizedPrelu {
  int32_t zero_in = 0, zero_slope = 0, zero_out = 0;
  QuantizedMultiplier positive, negative;
  int32_t low = 0, high = 0;

  int32_t operator()(int32_t x, int32_t y) const {
    const int32_t v = x - zero_in;
    const int32_t scaled =
        v >= 0 ? MultiplyByQuantizedMultiplier(v, positive)
               : MultiplyByQuantizedMultiplier(MulWrap(v, y - zero_slope), negative);
    return ClampCode(AddWrap(scaled, zero_out), low, high);
  }
};

// LEAKY_RELU: one factor from the zero point up, another below it. `negative` may be negative.
struct RescaleBySign {
  int32_t zero_in = 0, zero_out = 0;
  QuantizedMultiplier positive, negative;
  int32_t low = 0, high = 0;

  int32_t operator()(int32_t code) const {
    const int32_t v = code - zero_in;
    int32_t scaled = 0;
    if (v >= 0) {
      scaled = MultiplyByQuantizedMultiplier(v, positive);
    } else if (negative.multiplier >= 0) {
      scaled = MultiplyByQuantizedMultiplier(v, negative);
    } else {
      scaled = -MultiplyByQuantizedMultiplier(v, {-negative.multiplier, negative.shift});
    }
    return ClampCode(AddWrap(scaled, zero_out), low, high);
  }
};

// DIV: the dividend, shifted left as far as it goes, times the divisor's reciprocal, rescaled.
// REQUIRES: y is not the divisor's zero point.
struct QuantizedQuotient {
  int32_t zero_a = 0, zero_b = 0, zero_out = 0;
  QuantizedMultiplier multiplier;
  int32_t low = 0, high = 0;

  int32_t operator()(int32_t x, int32_t y) const {
    int32_t a = x - zero_a, b = y - zero_b;
    if (b < 0) {  // the reciprocal is of a positive number
      a = -a;
      b = -b;
    }
    const FixedReciprocal inverse = GetReciprocal(b, 31);
    // Sign bits of a after the first, 31 for 0.
    const int headroom = std::countl_zero(static_cast<uint32_t>(a ^ (a >> 31))) - 1;
    const int32_t quotient =
        SaturatingRoundingDoublingHighMul(ShiftLeftWrap(a, headroom), inverse.reciprocal);
    const int shift = multiplier.shift - inverse.bits_over_unit - headroom;
    const int32_t scaled = SaturatingRoundingDoublingHighMul(quotient, multiplier.multiplier);
    return ClampCode(AddWrap(ShiftRight(scaled, -shift), zero_out), low, high);
  }

  // RoundingDivideByPOT for any exponent. LiteRT does not bound it, and a dividend of 0 is always
  // beyond 31 when the quotient is small; what x86-64 computes there is reproduced.
  static int32_t ShiftRight(int32_t x, int exponent) {
    const auto mask = static_cast<int32_t>((uint64_t{1} << (exponent & 63)) - 1);
    const int32_t threshold = (mask >> 1) + (x < 0 ? 1 : 0);
    return (x >> (exponent & 31)) + ((x & mask) > threshold ? 1 : 0);
  }
};

// SQUARED_DIFFERENCE of 8-bit codes: both brought to a common scale with 7 extra bits, as in
// QuantizedSum, then the square of the difference is rescaled.
struct QuantizedSquaredDifference {
  QuantizedSum difference;  // left_shift 7, subtract; its `out` rescales the square

  int32_t operator()(int32_t x, int32_t y) const {
    const int32_t d = difference.ScaleA(x) + difference.ScaleB(y);
    return difference.Finish(MulWrap(d, d));
  }
};

// ABS: the distance to the zero point, rescaled unless both scales are equal.
struct QuantizedAbs {
  int32_t zero_in = 0, zero_out = 0;
  bool same_scale = true;
  QuantizedMultiplier multiplier;
  int32_t low = 0, high = 0;

  int32_t operator()(int32_t code) const {
    const int32_t v = code < zero_in ? zero_in - code : code - zero_in;
    const int32_t scaled = same_scale ? v : MultiplyByQuantizedMultiplier(v, multiplier);
    return ClampCode(AddWrap(scaled, zero_out), low, high);
  }
};

// SQRT: toward zero in binary32. REQUIRES: code >= zero_in.
struct QuantizedSqrt {
  float scale_in = 1, scale_out = 1;
  int32_t zero_in = 0, zero_out = 0, low = 0, high = 0;

  int32_t operator()(int32_t code) const {
    const float root = std::sqrt(scale_in * static_cast<float>(code - zero_in));
    return ClampCode(AddWrap(RoundToInt32(std::trunc(root / scale_out)), zero_out), low, high);
  }
};

// RSQRT of 8-bit codes: a fixed-point 1 / sqrt with 20 fraction bits, rescaled by `multiplier`
// (1 / (sqrt(scale_in) * scale_out)). Zero gives the largest code. REQUIRES: code >= zero_in.
struct QuantizedRsqrt {
  int32_t zero_in = 0, zero_out = 0;
  QuantizedMultiplier multiplier;
  int32_t low = 0, high = 0;

  int32_t operator()(int32_t code) const {
    constexpr int kFraction = 20;
    const int32_t v = code - zero_in;
    if (v == 0) return high;
    const QuantizedMultiplier root = InverseSqrt(v);
    const int32_t t = MultiplyByQuantizedMultiplier(1, {root.multiplier, root.shift + kFraction});
    const QuantizedMultiplier scale{multiplier.multiplier, multiplier.shift - kFraction};
    return ClampCode(AddWrap(MultiplyByQuantizedMultiplier(t, scale), zero_out), low, high);
  }
};

// HARD_SWISH, x * relu6(x + 3) / 6, in 16-bit fixed point. `output` and `reluish` are the upper 16
// bits of multipliers; their exponents are shifts. REQUIRES: output_exponent <= 0.
struct QuantizedHardSwish {
  int32_t zero_in = 0, zero_out = 0;
  int16_t output = 0, reluish = 0;
  int output_exponent = 0, reluish_exponent = 0;
  int32_t low = 0, high = 0;

  int32_t operator()(int32_t code) const {
    const auto x = static_cast<int16_t>((code - zero_in) * 128);
    const int16_t unshifted = SaturatingRoundingDoublingHighMul16(x, output);
    int16_t gate = x;  // becomes relu6(x + 3) / 6 with 15 fraction bits
    if (reluish_exponent > 0) gate = ShiftLeftSaturate16(gate, reluish_exponent - 1);
    gate = SaturatingRoundingDoublingHighMul16(gate, reluish);
    if (reluish_exponent > 0) gate = ShiftLeftSaturate16(gate, 1);
    if (reluish_exponent < 0) {
      gate = static_cast<int16_t>(RoundingDivideByPOT(gate, std::min(-reluish_exponent, 31)));
    }
    gate = static_cast<int16_t>((gate + 32768) >> 1);
    const auto product = static_cast<int16_t>(gate * unshifted / 32768);  // toward zero
    const int32_t y = RoundingDivideByPOT(product, std::min(-output_exponent, 31));
    return ClampCode(y + zero_out, low, high);
  }
};

}  // namespace dlpu
