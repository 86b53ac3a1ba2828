// SPDX-License-Identifier: Apache-2.0
// Float depthwise strips with AVX2 and FMA: 8 pixels x 8 channels.
#include "kernels/depthwise_f32/strip.h"

#if defined(__AVX2__) && defined(__FMA__)
#include <immintrin.h>

#include "kernels/depthwise_f32/strip_body.h"
#include "kernels/unroll.h"

namespace dlpu {
namespace {

// Eight ones, then eight zeros: loaded at 8 - n they mask n channels.
alignas(64) const int32_t kMask[16] = {-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0};

struct Floats256 {
  using Real = __m256;
  static constexpr int kLanes = 8;
  struct Lanes {
    int64_t c;
    bool all;
    __m256i mask;
  };

  static DLPU_INLINE Lanes From(int64_t c, int64_t left) {
    const int64_t n = left < kLanes ? left : kLanes;
    return {c, n == kLanes, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(kMask + 8 - n))};
  }
  static DLPU_INLINE Real Load(const Lanes& lanes, const float* p) {
    return lanes.all ? _mm256_loadu_ps(p) : _mm256_maskload_ps(p, lanes.mask);
  }
  static DLPU_INLINE Real LoadIf(bool inside, const Lanes& lanes, const float* p) {
    return inside ? Load(lanes, p) : _mm256_setzero_ps();
  }
  static DLPU_INLINE void Store(const Lanes& lanes, float* p, Real v) {
    if (lanes.all) {
      _mm256_storeu_ps(p, v);
    } else {
      _mm256_maskstore_ps(p, lanes.mask, v);
    }
  }
  static DLPU_INLINE Real Zero() { return _mm256_setzero_ps(); }
  static DLPU_INLINE Real Add(Real a, Real b) { return _mm256_add_ps(a, b); }
  static DLPU_INLINE Real Fma(Real v, Real w, Real acc) { return _mm256_fmadd_ps(v, w, acc); }
  // max and min return their second operand if one is NaN.
  static DLPU_INLINE Real Clamp(Real v, float low, float high) {
    return _mm256_min_ps(_mm256_set1_ps(high), _mm256_max_ps(_mm256_set1_ps(low), v));
  }
};

const DepthwiseF32Kernel kKernels[] = {StripKernel<Floats256>("avx2", kCpuAvx2)};

}  // namespace

DepthwiseF32KernelList DepthwiseF32Avx2() { return {kKernels, 1}; }

}  // namespace dlpu
#else
namespace dlpu {
DepthwiseF32KernelList DepthwiseF32Avx2() { return {nullptr, 0}; }
}  // namespace dlpu
#endif
