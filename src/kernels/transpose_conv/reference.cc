// SPDX-License-Identifier: Apache-2.0
// Scalar transposed convolution. Output channels are innermost, so that the compiler vectorises
// over them.
#include <algorithm>

#include "kernels/transpose_conv/transpose_conv.h"

namespace dlpu {
namespace {

// Inputs that reach output position `out`: [first, last] along one axis.
struct Reach {
  int64_t first, last;
};
Reach ReachOf(int64_t out, int64_t pad, int64_t kernel, int64_t stride, int64_t inputs) {
  const int64_t low = out + pad - kernel + 1;
  return {low <= 0 ? 0 : (low + stride - 1) / stride, std::min((out + pad) / stride, inputs - 1)};
}

// For every output pixel: sums = start(sums), plus the products in order of input position and
// channel, then finish(sums, first output element). `value` turns an input code into a number.
template <typename Sum, typename In, typename Weight, typename Value, typename Start,
          typename Finish>
void Gather(const TransposeConvSpec& s, const In* input, const Weight* weights, uint8_t* scratch,
            ThreadPool& pool, const Value& value, const Start& start, const Finish& finish) {
  const int64_t out_c = s.out_c;
  const auto add = [&](Sum* sums, const In* pixel, const Weight* w) {
    for (int64_t c = 0; c < s.in_c; ++c, w += out_c) {
      const Sum x = value(pixel[c]);
      for (int64_t o = 0; o < out_c; ++o) sums[o] += x * static_cast<Sum>(w[o]);
    }
  };
  pool.ParallelFor(static_cast<int64_t>(s.batch) * s.out_h, 1,
                   [&](int64_t begin, int64_t end, int thread) {
                     Sum* sums = reinterpret_cast<Sum*>(scratch) + thread * out_c;
                     for (int64_t row = begin; row < end; ++row) {
                       const int64_t n = row / s.out_h, oy = row % s.out_h;
                       const Reach ys = ReachOf(oy, s.pad_top, s.kernel_h, s.stride_h, s.in_h);
                       for (int64_t ox = 0; ox < s.out_w; ++ox) {
                         const Reach xs = ReachOf(ox, s.pad_left, s.kernel_w, s.stride_w, s.in_w);
                         start(sums);
                         for (int64_t y = ys.first; y <= ys.last; ++y) {
                           const int64_t ky = oy + s.pad_top - y * s.stride_h;
                           for (int64_t x = xs.first; x <= xs.last; ++x) {
                             const int64_t kx = ox + s.pad_left - x * s.stride_w;
                             add(sums, input + ((n * s.in_h + y) * s.in_w + x) * s.in_c,
                                 weights + (ky * s.kernel_w + kx) * s.in_c * out_c);
                           }
                         }
                         finish(sums, (row * s.out_w + ox) * out_c);
                       }
                     }
                   });
}

// packed[k][c][o] = value(weights[o][k][c]) over the kernel positions k.
template <typename To, typename From, typename Value>
std::vector<To> Pack(const TransposeConvSpec& s, const From* weights, const Value& value) {
  const int64_t positions = static_cast<int64_t>(s.kernel_h) * s.kernel_w;
  std::vector<To> packed(static_cast<size_t>(positions * s.in_c * s.out_c));
  for (int64_t o = 0; o < s.out_c; ++o) {
    for (int64_t i = 0; i < positions * s.in_c; ++i) {
      packed[i * s.out_c + o] = value(weights[o * positions * s.in_c + i]);
    }
  }
  return packed;
}

int32_t CodeOf(uint8_t byte, bool is_signed) {
  return is_signed ? static_cast<int8_t>(byte) : static_cast<int32_t>(byte);
}

}  // namespace

std::vector<int16_t> PackTransposeConv(const TransposeConvSpec& spec, const uint8_t* weights,
                                       bool is_signed, int32_t zero) {
  return Pack<int16_t>(spec, weights, [=](uint8_t code) {
    return static_cast<int16_t>(CodeOf(code, is_signed) - zero);
  });
}

std::vector<float> PackTransposeConv(const TransposeConvSpec& spec, const float* weights) {
  return Pack<float>(spec, weights, [](float w) { return w; });
}

int64_t TransposeConvScratchBytes(const TransposeConvSpec& spec, int threads) {
  return static_cast<int64_t>(spec.out_c) * threads * static_cast<int64_t>(sizeof(int64_t));
}

void TransposeConv(const TransposeConvSpec& s, const TransposeConvOutput& out, const uint8_t* input,
                   const int16_t* weights, const int32_t* bias, uint8_t* output, uint8_t* scratch,
                   ThreadPool& pool) {
  Gather<uint32_t>(
      s, input, weights, scratch, pool,
      [&](uint8_t code) {
        return static_cast<uint32_t>(CodeOf(code, out.input_signed) - out.input_zero);
      },
      [&](uint32_t* sums) { std::copy(bias, bias + s.out_c, sums); },
      [&](const uint32_t* sums, int64_t at) {
        for (int64_t o = 0; o < s.out_c; ++o) {
          output[at + o] =
              static_cast<uint8_t>(Requantize(static_cast<int32_t>(sums[o]), out.requantization[o],
                                              out.rounding, out.output_zero, out.low, out.high));
        }
      });
}

void TransposeConv(const TransposeConvSpec& s, const TransposeConvOutput& out, const int16_t* input,
                   const int16_t* weights, const int64_t* bias, int16_t* output, uint8_t* scratch,
                   ThreadPool& pool) {
  Gather<int64_t>(
      s, input, weights, scratch, pool, [](int16_t code) { return static_cast<int64_t>(code); },
      [&](int64_t* sums) { std::copy(bias, bias + s.out_c, sums); },
      [&](const int64_t* sums, int64_t at) {
        for (int64_t o = 0; o < s.out_c; ++o) {
          const int32_t code = Scale16(sums[o], out.requantization[o], out.rounding16);
          output[at + o] = static_cast<int16_t>(std::min(std::max(code, out.low), out.high));
        }
      });
}

void TransposeConv(const TransposeConvSpec& s, const TransposeConvFloatOutput& out,
                   const float* input, const float* weights, const float* bias, float* output,
                   uint8_t* scratch, ThreadPool& pool) {
  const bool first = out.bias_first && bias != nullptr;
  const bool last = !out.bias_first && bias != nullptr;
  Gather<float>(
      s, input, weights, scratch, pool, [](float v) { return v; },
      [&](float* sums) {
        if (first) {
          std::copy(bias, bias + s.out_c, sums);
        } else {
          std::fill(sums, sums + s.out_c, 0.0f);
        }
      },
      [&](const float* sums, int64_t at) {
        for (int64_t o = 0; o < s.out_c; ++o) {
          const float sum = last ? sums[o] + bias[o] : sums[o];
          output[at + o] = std::min(std::max(sum, out.low), out.high);
        }
      });
}

}  // namespace dlpu
