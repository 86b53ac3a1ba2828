// SPDX-License-Identifier: Apache-2.0
// The scalar specification of float convolution.
#include <algorithm>

#include "kernels/conv_f32/conv_f32.h"

namespace dlpu {

void ConvF32Reference(const ConvF32Spec& s, const float* input, const float* weights,
                      const float* bias, float* output) {
  const int64_t group_in = s.in_c / s.groups;
  const int64_t group_out = s.out_c / s.groups;
  const int64_t split_out = s.out_c / s.row_split;
  for (int64_t n = 0; n < s.batch; ++n) {
    for (int64_t oy = 0; oy < s.out_h; ++oy) {
      for (int64_t ox = 0; ox < s.out_w; ++ox) {
        for (int64_t o = 0; o < s.out_c; ++o) {
          const int64_t first = o / group_out * group_in;
          float sum = 0.0f;
          for (int64_t ky = 0; ky < s.kernel_h; ++ky) {
            const int64_t iy = oy * s.stride_h - s.pad_top + ky * s.dilation_h;
            if (iy < 0 || iy >= s.in_h) continue;
            for (int64_t kx = 0; kx < s.kernel_w; ++kx) {
              const int64_t ix = ox * s.stride_w - s.pad_left + kx * s.dilation_w;
              if (ix < 0 || ix >= s.in_w) continue;
              const float* x = input + ((n * s.in_h + iy) * s.in_w + ix) * s.in_c + first;
              const float* w = weights + ((o * s.kernel_h + ky) * s.kernel_w + kx) * group_in;
              for (int64_t c = 0; c < group_in; ++c) sum += x[c] * w[c];
            }
          }
          if (bias != nullptr) sum += bias[o];
          const int64_t line = (n * s.out_h + oy) * s.row_split + o / split_out;
          output[(line * s.out_w + ox) * split_out + o % split_out] =
              std::min(std::max(sum, s.low), s.high);
        }
      }
    }
  }
}

double ConvF32Bound(int64_t terms, double magnitude) {
  // Twice gamma(terms + 1) of the standard analysis of recursive summation, one for each side,
  // with 1 for the division that gamma omits here; the constant lets subnormal products round.
  const double n = static_cast<double>(terms) + 2;
  return 2 * n * 0x1p-24 * magnitude + n * 0x1p-149;
}

}  // namespace dlpu
