// SPDX-License-Identifier: Apache-2.0
// Float depthwise strips with AArch64 NEON: 8 pixels x 4 channels.
#include "kernels/depthwise_f32/strip.h"

#if defined(__aarch64__)
#include <arm_neon.h>

#include "kernels/depthwise_f32/strip_body.h"
#include "kernels/unroll.h"

namespace dlpu {
namespace {

struct FloatsNeon {
  using Real = float32x4_t;
  static constexpr int kLanes = 4;
  struct Lanes {
    int64_t c, count;
  };

  static DLPU_INLINE Lanes From(int64_t c, int64_t left) {
    return {c, left < kLanes ? left : kLanes};
  }
  static DLPU_INLINE Real Load(const Lanes& lanes, const float* p) {
    if (lanes.count == kLanes) return vld1q_f32(p);
    float padded[kLanes] = {0, 0, 0, 0};
    for (int64_t i = 0; i < lanes.count; ++i) padded[i] = p[i];
    return vld1q_f32(padded);
  }
  static DLPU_INLINE Real LoadIf(bool inside, const Lanes& lanes, const float* p) {
    return inside ? Load(lanes, p) : vdupq_n_f32(0.0f);
  }
  static DLPU_INLINE void Store(const Lanes& lanes, float* p, Real v) {
    if (lanes.count == kLanes) {
      vst1q_f32(p, v);
    } else {
      float rest[kLanes];
      vst1q_f32(rest, v);
      for (int64_t i = 0; i < lanes.count; ++i) p[i] = rest[i];
    }
  }
  static DLPU_INLINE Real Zero() { return vdupq_n_f32(0.0f); }
  static DLPU_INLINE Real Add(Real a, Real b) { return vaddq_f32(a, b); }
  static DLPU_INLINE Real Fma(Real v, Real w, Real acc) { return vfmaq_f32(acc, v, w); }
  // NaN passes through vmax and vmin.
  static DLPU_INLINE Real Clamp(Real v, float low, float high) {
    return vminq_f32(vmaxq_f32(v, vdupq_n_f32(low)), vdupq_n_f32(high));
  }
};

const DepthwiseF32Kernel kKernels[] = {StripKernel<FloatsNeon>("neon", kCpuNeon)};

}  // namespace

DepthwiseF32KernelList DepthwiseF32Neon() { return {kKernels, 1}; }

}  // namespace dlpu
#else
namespace dlpu {
DepthwiseF32KernelList DepthwiseF32Neon() { return {nullptr, 0}; }
}  // namespace dlpu
#endif
