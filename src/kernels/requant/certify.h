// SPDX-License-Identifier: Apache-2.0
// Proof that the float requantization equals the reference: evaluates it, with the instructions
// kernels use, on both sides of every step. Plain declarations: vector code implements them.
#pragma once

#include <cstdint>

#include "kernels/requant/blocks.h"

namespace dlpu {

// Steps of a monotone function: steps[i] is the smallest x with value >= first + i. The arrays are
// readable 8 entries past their end.
struct StepFunction {
  const int32_t* steps;
  int32_t count;
  int32_t first;
  bool with_sign;  // the offset takes the sign of x
};

// An arithmetic progression rounded up: the first element is x, with `remainder` of `multiplier`
// missing to the next; every step adds `step` and `step_remainder`.
// 0 <= remainder, step_remainder < multiplier < 2^31; all elements fit int32.
struct StepProgression {
  int64_t x = 0, remainder = 0, step = 0, step_remainder = 0, multiplier = 1;
};

struct RequantProof {
  // Writes `count` elements, none above `most`; up to 8 more entries of `out` are overwritten. May
  // be null.
  void (*walk)(const StepProgression& p, int32_t count, int32_t most, int32_t* out);
  // Offsets d that could work for `scale` lie in [low, high); empty if low >= high.
  void (*bounds)(const StepFunction& f, float scale, double* low, double* high);
  // Whether convert(fma(float(x), scale, +-offset)) equals the step function for every x.
  bool (*holds)(const StepFunction& f, float scale, float offset);
  // Codes of n sums, a multiple of 32, by the raw form of `block`, whose lanes are equal. May be
  // null.
  void (*codes)(const RequantBlock<8>& block, const RequantStore& store, const int32_t* sums,
                int32_t n, uint8_t* codes);
};

// nullptr when the library was built without AVX2 and FMA. Call only on a CPU with kCpuAvx2.
const RequantProof* RequantProofAvx2();
// nullptr when the library was built for another processor than AArch64.
const RequantProof* RequantProofNeon();

}  // namespace dlpu
