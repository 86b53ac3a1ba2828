// SPDX-License-Identifier: Apache-2.0
// Plan-time proof of the float requantization with NEON, four steps at a time.
#include "kernels/requant/certify.h"

#if defined(__aarch64__)

#include <arm_neon.h>

namespace dlpu {
namespace {

// Offset d must satisfy sign(x) * d >= value - 1/2 - scale * x at a step's first x, and stay below
// it at the x before.
void Bounds(const StepFunction& f, float scale, double* low, double* high) {
  *low = -1e300;
  *high = 1e300;
  for (int32_t i = 0; i < f.count; ++i) {
    const double target = f.first + i - 0.5;
    for (int before = 0; before < 2; ++before) {
      const double at = static_cast<double>(f.steps[i]) - before;
      const double need = target - static_cast<double>(scale) * at;
      // A negative x turns "d at least" into "-d at most".
      const bool negative = f.with_sign && at < 0;
      const double value = negative ? -need : need;
      if (negative == (before == 0)) {
        if (value < *high) *high = value;
      } else if (value > *low) {
        *low = value;
      }
    }
  }
}

inline int32x4_t Value(int32x4_t x, float32x4_t scale, float32x4_t offset, uint32x4_t sign) {
  const float32x4_t at = vcvtq_f32_s32(x);
  return vcvtnq_s32_f32(vfmaq_f32(vbslq_f32(sign, at, offset), at, scale));
}

bool Holds(const StepFunction& f, float scale, float offset) {
  const float32x4_t s = vdupq_n_f32(scale), d = vdupq_n_f32(offset);
  const uint32x4_t sign = vdupq_n_u32(f.with_sign ? 0x80000000u : 0);
  const int32_t count_up[4] = {0, 1, 2, 3};
  const int32x4_t lanes = vld1q_s32(count_up);
  uint32x4_t bad = vdupq_n_u32(0);
  for (int32_t i = 0; i < f.count; i += 4) {
    const uint32x4_t live = vcgtq_s32(vdupq_n_s32(f.count - i), lanes);
    const int32x4_t value = vaddq_s32(vdupq_n_s32(f.first + i), lanes);
    const int32x4_t x = vld1q_s32(f.steps + i);
    const int32x4_t now = Value(x, s, d, sign);
    const int32x4_t then = Value(vsubq_s32(x, vdupq_n_s32(1)), s, d, sign);
    const uint32x4_t wrong = vorrq_u32(vcgtq_s32(value, now), vcleq_s32(value, then));
    bad = vorrq_u32(bad, vandq_u32(live, wrong));
  }
  return vmaxvq_u32(bad) == 0;
}

constexpr RequantProof kProof{nullptr, Bounds, Holds, nullptr};

}  // namespace

const RequantProof* RequantProofNeon() { return &kProof; }

}  // namespace dlpu

#else

namespace dlpu {
const RequantProof* RequantProofNeon() { return nullptr; }
}  // namespace dlpu

#endif
