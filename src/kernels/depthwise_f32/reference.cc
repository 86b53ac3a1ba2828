// SPDX-License-Identifier: Apache-2.0
// The scalar specification of float depthwise convolution.
#include <algorithm>

#include "kernels/depthwise_f32/depthwise_f32.h"

namespace dlpu {

void DepthwiseF32Reference(const DepthwiseF32Spec& s, const float* input, const float* weights,
                           const float* bias, float* output) {
  const int64_t out_c = static_cast<int64_t>(s.in_c) * s.multiplier;
  for (int64_t n = 0; n < s.batch; ++n) {
    for (int64_t oy = 0; oy < s.out_h; ++oy) {
      for (int64_t ox = 0; ox < s.out_w; ++ox) {
        for (int64_t o = 0; o < out_c; ++o) {
          float sum = 0.0f;
          for (int64_t ky = 0; ky < s.kernel_h; ++ky) {
            const int64_t iy = oy * s.stride_h - s.pad_top + ky * s.dilation_h;
            if (iy < 0 || iy >= s.in_h) continue;
            for (int64_t kx = 0; kx < s.kernel_w; ++kx) {
              const int64_t ix = ox * s.stride_w - s.pad_left + kx * s.dilation_w;
              if (ix < 0 || ix >= s.in_w) continue;
              sum += input[((n * s.in_h + iy) * s.in_w + ix) * s.in_c + o / s.multiplier] *
                     weights[(ky * s.kernel_w + kx) * out_c + o];
            }
          }
          if (bias != nullptr) sum += bias[o];
          output[((n * s.out_h + oy) * s.out_w + ox) * out_c + o] =
              std::min(std::max(sum, s.low), s.high);
        }
      }
    }
  }
}

}  // namespace dlpu
