// SPDX-License-Identifier: Apache-2.0
// Transcendental functions on fixed-point numbers, as gemmlowp's fixedpoint.h and LiteRT's kernels
// compute them, bit for bit. docs/arithmetic.md states them with worked examples. Pure functions:
// any thread may call them.
//
// "Qm" is a raw integer of type T (int16_t or int32_t) with m integer bits: value = raw / 2^n,
// n = bits of T - 1 - m. Sums wrap in T unless stated otherwise.
#pragma once

#include <bit>
#include <cstdint>
#include <limits>

#include "base/fixed_point.h"

namespace dlpu {

// Product of a Qa and a Qb number: a Q(a+b) number.
inline int32_t FixedMul(int32_t a, int32_t b) { return SaturatingRoundingDoublingHighMul(a, b); }
inline int16_t FixedMul(int16_t a, int16_t b) { return SaturatingRoundingDoublingHighMul16(a, b); }

// x * 2^exponent: saturating to the left, half away from zero to the right.
template <typename T>
T FixedScale(T x, int exponent) {
  if (exponent <= 0) return static_cast<T>(RoundingDivideByPOT(x, -exponent));
  constexpr int kBits = static_cast<int>(8 * sizeof(T));
  const int32_t limit = static_cast<int32_t>((int64_t{1} << (kBits - 1 - exponent)) - 1);
  if (x > limit) return std::numeric_limits<T>::max();
  if (x < -limit) return std::numeric_limits<T>::min();
  return static_cast<T>(ShiftLeftWrap(x, exponent));
}

// A constant given by its nearest 32-bit raw value.
template <typename T>
T FixedConstant(int32_t raw) {
  return static_cast<T>(sizeof(T) == 2 ? RoundingDivideByPOT(raw, 16) : raw);
}

template <typename T>
T FixedAdd(T a, T b) {
  return static_cast<T>(AddWrap(a, b));
}
template <typename T>
T FixedSub(T a, T b) {
  return static_cast<T>(SubWrap(a, b));
}

// exp(a) for a in [-1/4, 0): Q0 to Q0.
template <typename T>
T FixedExpOnInterval(T a) {
  const T c = FixedConstant<T>(1895147668);  // exp(-1/8)
  const T third = FixedConstant<T>(715827883);
  const T x = FixedAdd<T>(a, static_cast<T>(T{1} << (8 * sizeof(T) - 4)));
  const T x2 = FixedMul(x, x), x3 = FixedMul(x2, x), x4 = FixedMul(x2, x2);
  const T tail =
      FixedScale<T>(FixedAdd(FixedMul(FixedAdd(FixedScale<T>(x4, -2), x3), third), x2), -1);
  const T product = FixedMul(c, FixedAdd(x, tail));
  if constexpr (sizeof(T) == 2) return SaturateToInt16(c + product);
  return FixedAdd(c, product);
}

// exp(a) for a <= 0: Qm to Q0.
template <typename T>
T FixedExpOfNegative(T a, int m) {
  if (a == 0) return std::numeric_limits<T>::max();
  const int n = static_cast<int>(8 * sizeof(T)) - 1 - m;
  const T quarter = static_cast<T>(T{1} << (n - 2));
  const T rest = static_cast<T>((a & (quarter - 1)) - quarter);
  T result = FixedExpOnInterval<T>(FixedScale<T>(rest, m));
  const int32_t remainder = SubWrap(rest, a);
  // exp(-2^e) for e = -2 .. 4.
  constexpr int32_t kExp[] = {1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242};
  for (int e = -2; e <= 4; ++e) {
    if (m > e && (remainder & (int32_t{1} << (n + e))) != 0) {
      result = FixedMul(result, FixedConstant<T>(kExp[e + 2]));
    }
  }
  if (m > 5 && a < -(int32_t{32} << n)) return 0;
  return result;
}

// (a + b) / 2, halves away from zero.
template <typename T>
T FixedHalfSum(T a, T b) {
  const int64_t sum = static_cast<int64_t>(a) + b;
  return static_cast<T>((sum + (sum >= 0 ? 1 : -1)) / 2);
}

// 2 / (1 + a) for a in [0, 1): Q0 to Q2, by three Newton-Raphson steps.
template <typename T>
T FixedTwiceReciprocal(T a) {
  const T half = FixedHalfSum<T>(a, std::numeric_limits<T>::max());
  const T one = static_cast<T>(T{1} << (8 * sizeof(T) - 3));
  T x = FixedAdd(FixedConstant<T>(1515870810),                    // 48/17
                 FixedMul(half, FixedConstant<T>(-1010580540)));  // -32/17
  for (int i = 0; i < 3; ++i) {
    const T error = FixedSub(one, FixedMul(half, x));
    x = FixedAdd(x, FixedScale<T>(FixedMul(x, error), 2));
  }
  return x;
}

// 1 / (1 + a) and (1 - a) / (1 + a) for a in [0, 1): Q0 to Q0.
template <typename T>
T FixedReciprocalOfOnePlus(T a) {
  return FixedScale<T>(FixedTwiceReciprocal(a), 1);
}
template <typename T>
T FixedOneMinusOverOnePlus(T a) {
  const T one = static_cast<T>(T{1} << (8 * sizeof(T) - 3));
  return FixedScale<T>(FixedSub(FixedTwiceReciprocal(a), one), 2);
}

// 1 / (1 + exp(-a)): Qm to Q0.
template <typename T>
T FixedLogistic(T a, int m) {
  if (a == 0) return static_cast<T>(T{1} << (8 * sizeof(T) - 2));
  const T negative = a < 0 ? a : static_cast<T>(-a);
  const T p = FixedReciprocalOfOnePlus(FixedExpOfNegative<T>(negative, m));
  return a > 0 ? p : FixedSub(std::numeric_limits<T>::max(), p);
}

// tanh(a): Qm to Q0.
template <typename T>
T FixedTanh(T a, int m) {
  if (a == 0) return 0;
  const T negative = a < 0 ? a : static_cast<T>(-a);
  // Twice the value is the same raw number with one more integer bit.
  const T t = FixedOneMinusOverOnePlus(FixedExpOfNegative<T>(negative, m + 1));
  return a > 0 ? t : static_cast<T>(-t);
}

// LiteRT log_x_for_x_greater_than_or_equal_to_1: natural logarithm of a Qm number that is at least
// 1, as a Q5 number. A rational series around the nearest of two powers of two.
inline int32_t FixedLogOfAtLeastOne(int32_t x, int m) {
  constexpr int kOutputBits = 5, kAccumulatorBits = kOutputBits + 1;
  constexpr int32_t kLog2 = 1488522236, kFourthRootHalf = 1805811301, kSqrtHalf = 1518500250;
  constexpr int32_t kAlphaN = 117049297, kAlphaD = 127690142, kAlphaI = 1057819769,
                    kAlphaF = 638450708;
  const int32_t quarter = FixedScale<int32_t>(1 << 29, -kAccumulatorBits);
  const auto saturate = [](int64_t v) {
    return static_cast<int32_t>(std::clamp<int64_t>(v, std::numeric_limits<int32_t>::min(),
                                                    std::numeric_limits<int32_t>::max()));
  };
  const auto whole = [](int bits) { return FixedScale<int32_t>(bits, 31 - kAccumulatorBits); };
  const int zeros_a = std::countl_zero(static_cast<uint32_t>(x));
  const int32_t r_a =
      FixedScale<int32_t>(FixedMul(FixedScale<int32_t>(x, zeros_a - 1), kSqrtHalf), 1);
  const int32_t power_a = saturate(static_cast<int64_t>(whole(m - zeros_a)) + quarter);
  const int zeros_b = std::countl_zero(static_cast<uint32_t>(FixedMul(x, kSqrtHalf))) - 1;
  const int32_t r_b = FixedScale<int32_t>(x, zeros_b);
  const int32_t power_b = saturate(static_cast<int64_t>(whole(m - zeros_b)) - quarter);
  const int32_t r = std::min(r_a, r_b), power = std::max(power_a, power_b);

  const int32_t p = FixedHalfSum<int32_t>(r, kFourthRootHalf);
  const int32_t half_q = SubWrap(r, kFourthRootHalf);
  const int32_t q = AddWrap(half_q, half_q);
  const int32_t square = FixedMul(q, q);
  const int32_t numerator = AddWrap(FixedMul(q, r), FixedMul(FixedMul(q, square), kAlphaN));
  const int32_t denominator = AddWrap(
      FixedMul(p, AddWrap(AddWrap(kAlphaI, q), FixedMul(kAlphaD, square))), FixedMul(kAlphaF, q));
  const int32_t fraction = FixedMul(FixedScale<int32_t>(numerator, -kAccumulatorBits),
                                    FixedReciprocalOfOnePlus(denominator));
  return FixedScale<int32_t>(AddWrap(FixedMul(power, kLog2), fraction), 1);
}

// LiteRT GetReciprocal: 1 / x for a positive Qm x as reciprocal (Q0) * 2^-bits_over_unit.
struct FixedReciprocal {
  int32_t reciprocal;
  int bits_over_unit;
};
inline FixedReciprocal GetReciprocal(int32_t x, int m) {
  const int headroom = std::countl_zero(static_cast<uint32_t>(x));
  const uint32_t shifted = (static_cast<uint32_t>(x) << headroom) - (uint32_t{1} << 31);
  return {FixedReciprocalOfOnePlus(static_cast<int32_t>(shifted)), m - headroom};
}

// LiteRT GetInvSqrtQuantizedMultiplierExp: 1 / sqrt(x) for an int32 x >= 0; x <= 1 gives the
// largest multiplier.
inline QuantizedMultiplier InverseSqrt(int32_t x) {
  if (x <= 1) return {std::numeric_limits<int32_t>::max(), 0};
  int right = 11;
  while (x >= (1 << 29)) {
    x /= 4;
    ++right;
  }
  const int pairs = (std::countl_zero(static_cast<uint32_t>(x)) - 1) / 2 - 1;
  right -= pairs;
  x = ShiftLeftWrap(x, 2 * pairs);
  const int32_t half = RoundingDivideByPOT(x >> 1, 1);  // Q3
  int32_t root = 1 << 28;                               // Q3: 1
  constexpr int32_t kOneAndHalf = (1 << 28) + (1 << 27);
  for (int i = 0; i < 5; ++i) {
    const int32_t cube = FixedScale<int32_t>(FixedMul(FixedMul(root, root), root), 6);
    root = FixedScale<int32_t>(SubWrap(FixedMul(kOneAndHalf, root), FixedMul(half, cube)), 3);
  }
  constexpr int32_t kSqrtHalf = 1518500250;
  int32_t multiplier = FixedMul(root, kSqrtHalf);
  if (right < 0) {
    multiplier = ShiftLeftWrap(multiplier, -right);
    right = 0;
  }
  return {multiplier, -right};
}

}  // namespace dlpu
