// SPDX-License-Identifier: Apache-2.0
// Transposed convolution. The functions are the specification; they gather what LiteRT's reference
// kernels scatter, in the same order for each output, are pure, and split output rows over the
// pool's threads.
#pragma once

#include <cstdint>
#include <vector>

#include "base/fixed_point.h"
#include "base/threads.h"
#include "kernels/conv16/conv16.h"

namespace dlpu {

// Input N,H,W,C adds input * weight to output position
// (y * stride_h - pad_top + ky, x * stride_w - pad_left + kx).
struct TransposeConvSpec {
  int32_t batch = 1, in_h = 1, in_w = 1, in_c = 1;
  int32_t out_h = 1, out_w = 1, out_c = 1;
  int32_t kernel_h = 1, kernel_w = 1;
  int32_t stride_h = 1, stride_w = 1;
  int32_t pad_top = 0, pad_left = 0;
};

// Weights O,kernel_h,kernel_w,C in the order the kernels read: kernel_h,kernel_w,C,O. `zero` is
// taken off every weight.
std::vector<int16_t> PackTransposeConv(const TransposeConvSpec& spec, const uint8_t* weights,
                                       bool is_signed, int32_t zero);
std::vector<float> PackTransposeConv(const TransposeConvSpec& spec, const float* weights);

// Bytes of scratch with a pool of `threads` threads.
int64_t TransposeConvScratchBytes(const TransposeConvSpec& spec, int threads);

// How sums become output codes.
struct TransposeConvOutput {
  bool input_signed = false;  // 8-bit codes
  int32_t input_zero = 0, output_zero = 0;
  int32_t low = 0, high = 255;
  Rounding rounding = Rounding::kDouble;       // 8-bit
  Rounding16 rounding16 = Rounding16::kInt64;  // 16-bit
  std::vector<Requantization> requantization;  // out_c entries
};

// `weights` is packed; bias has out_c values.
void TransposeConv(const TransposeConvSpec& spec, const TransposeConvOutput& out,
                   const uint8_t* input, const int16_t* weights, const int32_t* bias,
                   uint8_t* output, uint8_t* scratch, ThreadPool& pool);
void TransposeConv(const TransposeConvSpec& spec, const TransposeConvOutput& out,
                   const int16_t* input, const int16_t* weights, const int64_t* bias,
                   int16_t* output, uint8_t* scratch, ThreadPool& pool);

// float32. bias may be null; it is the first term of each sum (bias_first) or the last.
struct TransposeConvFloatOutput {
  bool bias_first = false;
  float low, high;  // bounds after activation
};
void TransposeConv(const TransposeConvSpec& spec, const TransposeConvFloatOutput& out,
                   const float* input, const float* weights, const float* bias, float* output,
                   uint8_t* scratch, ThreadPool& pool);

}  // namespace dlpu
