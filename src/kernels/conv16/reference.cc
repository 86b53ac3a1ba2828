// SPDX-License-Identifier: Apache-2.0
// Scalar convolution of int16 activations.
#include <algorithm>
#include <limits>

#include "kernels/conv16/conv16.h"

namespace dlpu {
namespace {

int64_t Dot(const int16_t* x, const int16_t* w, int64_t count) {
  int64_t sum = 0;
  for (int64_t i = 0; i < count; ++i) sum += static_cast<int32_t>(x[i]) * w[i];
  return sum;
}

int32_t ScaleFloat(int64_t sum, double scale) {
  return RoundToInt32(static_cast<double>(sum) * scale);
}

}  // namespace

int32_t Scale16(int64_t sum, const Requantization& r, Rounding16 rounding) {
  const int32_t wrapped = static_cast<int32_t>(static_cast<uint64_t>(sum));
  switch (rounding) {
    case Rounding16::kInt32:
      return MultiplyByQuantizedMultiplier(wrapped, r.multiplier);
    case Rounding16::kInt32Up:
      return MultiplyByQuantizedMultiplierUp(wrapped, r.multiplier);
    case Rounding16::kInt64:
      return MultiplyByQuantizedMultiplier64(sum, r.multiplier);
    case Rounding16::kFloat32:
      return ScaleFloat(wrapped, r.scale);
    case Rounding16::kFloat64:
      return ScaleFloat(sum, r.scale);
  }
  return 0;
}

void Conv16(const Conv16Spec& s, const int16_t* input, const int16_t* weights, const int64_t* bias,
            int16_t* output, ThreadPool& pool) {
  const int64_t group_in = s.in_c / s.groups, group_out = s.out_c / s.groups;
  const auto pixel = [&](int64_t n, int64_t oy, int64_t ox, int16_t* out) {
    for (int64_t o = 0; o < s.out_c; ++o) {
      const int64_t first = o / group_out * group_in;
      int64_t sum = bias[o];
      for (int64_t ky = 0; ky < s.kernel_h; ++ky) {
        const int64_t iy = oy * s.stride_h - s.pad_top + ky * s.dilation_h;
        if (iy < 0 || iy >= s.in_h) continue;
        for (int64_t kx = 0; kx < s.kernel_w; ++kx) {
          const int64_t ix = ox * s.stride_w - s.pad_left + kx * s.dilation_w;
          if (ix < 0 || ix >= s.in_w) continue;
          sum += Dot(input + ((n * s.in_h + iy) * s.in_w + ix) * s.in_c + first,
                     weights + ((o * s.kernel_h + ky) * s.kernel_w + kx) * group_in, group_in);
        }
      }
      const int32_t code = Scale16(sum, s.requantization[o], s.rounding);
      out[o] = static_cast<int16_t>(std::min(std::max(code, s.low), s.high));
    }
  };
  const int64_t work = static_cast<int64_t>(s.out_c) * s.kernel_h * s.kernel_w * group_in;
  const int64_t grain = std::max<int64_t>(1, 16384 / std::max<int64_t>(1, work));
  pool.ParallelFor(static_cast<int64_t>(s.batch) * s.out_h * s.out_w, grain,
                   [&](int64_t begin, int64_t end, int) {
                     for (int64_t i = begin; i < end; ++i) {
                       const int64_t row = i / s.out_w;
                       pixel(row / s.out_h, row % s.out_h, i % s.out_w, output + i * s.out_c);
                     }
                   });
}

}  // namespace dlpu
