// SPDX-License-Identifier: Apache-2.0
// Constants of e^x in binary32 by binary64 arithmetic, the method of expf in Arm's Optimized
// Routines (github.com/ARM-software/optimized-routines, MIT), which the GNU C library uses too:
// with 32 x / ln 2 = k + r, k whole and |r| <= 1/2, e^x = 2^(k/32) (1 + linear r + square r^2 +
// cubic r^3). Errors are below 0.502 units in the last place. Plain data, because files with their
// own compiler flags include this.
#pragma once

namespace dlpu {

struct ExpF32 {
  static constexpr int kBits = 5;  // of k that choose one of the powers
  // Adding it leaves k, rounded half to even, in the low bits.
  static constexpr double kShift = 0x1.8p+52;
  static constexpr double kScale = 0x1.71547652b82fep+0 * 32;
  static constexpr double kCubic = 0x1.c6af84b912394p-5 / 32 / 32 / 32;
  static constexpr double kSquare = 0x1.ebfce50fac4f3p-3 / 32 / 32;
  static constexpr double kLinear = 0x1.62e42ff0c52d6p-1 / 32;
  alignas(64) double powers[32];  // 2^(i / 32)
};

extern const ExpF32 kExpF32;

}  // namespace dlpu
