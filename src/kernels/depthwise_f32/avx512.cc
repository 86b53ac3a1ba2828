// SPDX-License-Identifier: Apache-2.0
// Float depthwise strips with AVX-512: 8 pixels x 16 channels.
#include "kernels/depthwise_f32/strip.h"

#if defined(__AVX512F__)
#include <immintrin.h>

#include "kernels/depthwise_f32/strip_body.h"
#include "kernels/unroll.h"

namespace dlpu {
namespace {

struct Floats512 {
  using Real = __m512;
  static constexpr int kLanes = 16;
  struct Lanes {
    int64_t c;
    __mmask16 mask;
  };

  static DLPU_INLINE Lanes From(int64_t c, int64_t left) {
    return {c, static_cast<__mmask16>(left >= kLanes ? 0xFFFFu : (1u << left) - 1)};
  }
  static DLPU_INLINE Real Load(Lanes lanes, const float* p) {
    return _mm512_maskz_loadu_ps(lanes.mask, p);
  }
  // A masked load touches nothing, so it is safe outside the picture.
  static DLPU_INLINE Real LoadIf(bool inside, Lanes lanes, const float* p) {
    return _mm512_maskz_loadu_ps(static_cast<__mmask16>(inside ? lanes.mask : 0), p);
  }
  static DLPU_INLINE void Store(Lanes lanes, float* p, Real v) {
    if (lanes.mask == 0xFFFF) {
      _mm512_storeu_ps(p, v);
    } else {
      _mm512_mask_storeu_ps(p, lanes.mask, v);
    }
  }
  static DLPU_INLINE Real Zero() { return _mm512_setzero_ps(); }
  static DLPU_INLINE Real Add(Real a, Real b) { return _mm512_add_ps(a, b); }
  static DLPU_INLINE Real Fma(Real v, Real w, Real acc) { return _mm512_fmadd_ps(v, w, acc); }
  // max and min return their second operand if one is NaN.
  static DLPU_INLINE Real Clamp(Real v, float low, float high) {
    return _mm512_min_ps(_mm512_set1_ps(high), _mm512_max_ps(_mm512_set1_ps(low), v));
  }
};

const DepthwiseF32Kernel kKernels[] = {StripKernel<Floats512>("avx512", kCpuAvx512)};

}  // namespace

DepthwiseF32KernelList DepthwiseF32Avx512() { return {kKernels, 1}; }

}  // namespace dlpu
#else
namespace dlpu {
DepthwiseF32KernelList DepthwiseF32Avx512() { return {nullptr, 0}; }
}  // namespace dlpu
#endif
