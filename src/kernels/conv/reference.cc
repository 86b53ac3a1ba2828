// SPDX-License-Identifier: Apache-2.0
// The scalar specification of quantized convolution.
#include "kernels/conv/conv.h"

namespace dlpu {

void ConvReference(const ConvSpec& s, const uint8_t* input, const uint8_t* weights,
                   const int32_t* bias, uint8_t* output) {
  const int32_t group_in = s.in_c / s.groups;
  const int32_t group_out = s.out_c / s.groups;
  const auto code = [](uint8_t byte, bool is_signed) {
    return is_signed ? static_cast<int32_t>(static_cast<int8_t>(byte)) : static_cast<int32_t>(byte);
  };
  for (int64_t n = 0; n < s.batch; ++n) {
    for (int64_t oy = 0; oy < s.out_h; ++oy) {
      for (int64_t ox = 0; ox < s.out_w; ++ox) {
        for (int64_t o = 0; o < s.out_c; ++o) {
          const int64_t first = o / group_out * group_in;
          uint32_t acc = bias != nullptr ? static_cast<uint32_t>(bias[o]) : 0;
          for (int64_t ky = 0; ky < s.kernel_h; ++ky) {
            const int64_t iy = oy * s.stride_h - s.pad_top + ky * s.dilation_h;
            if (iy < 0 || iy >= s.in_h) continue;
            for (int64_t kx = 0; kx < s.kernel_w; ++kx) {
              const int64_t ix = ox * s.stride_w - s.pad_left + kx * s.dilation_w;
              if (ix < 0 || ix >= s.in_w) continue;
              const uint8_t* x = input + ((n * s.in_h + iy) * s.in_w + ix) * s.in_c + first;
              const uint8_t* w = weights + ((o * s.kernel_h + ky) * s.kernel_w + kx) * group_in;
              for (int64_t c = 0; c < group_in; ++c) {
                acc += static_cast<uint32_t>((code(x[c], s.input_signed) - s.input_zero) *
                                             (code(w[c], s.weights_signed) - s.weights_zero));
              }
            }
          }
          output[((n * s.out_h + oy) * s.out_w + ox) * s.out_c + o] =
              static_cast<uint8_t>(Requantize(static_cast<int32_t>(acc), s.requantization[o],
                                              s.rounding, s.output_zero, s.low, s.high));
        }
      }
    }
  }
}

}  // namespace dlpu
