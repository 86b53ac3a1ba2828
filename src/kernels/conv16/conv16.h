// SPDX-License-Identifier: Apache-2.0
// Convolution of int16 activations (16x8): grouped, and with it depthwise (as many groups as input
// channels) and fully connected (a 1x1 convolution over a 1 x rows picture). Scalar; the function
// is the specification, pure, and splits output rows over the pool's threads.
#pragma once

#include <cstdint>
#include <vector>

#include "base/fixed_point.h"
#include "base/threads.h"

namespace dlpu {

// How a sum of products becomes an int16 code.
enum class Rounding16 : uint8_t {
  kInt32,    // int32 sum that wraps, rule R2
  kInt32Up,  // the same, rule R2up (LiteRT's optimized kernels)
  kInt64,    // int64 sum, rule R64
  kFloat32,  // int32 sum, rule RF (reference FULLY_CONNECTED)
  kFloat64,  // int64 sum, rule RF
};

// Code of a sum under a rule, before the bounds. `requantization` as in ConvSpec.
int32_t Scale16(int64_t sum, const Requantization& requantization, Rounding16 rounding);

// Shapes: input N,H,W,C; weights O,kernel_h,kernel_w,in_c/groups; output N,H,W,O. Zero points of
// activations are 0; padding stands for 0.
struct Conv16Spec {
  int32_t batch = 1, in_h = 1, in_w = 1, in_c = 1;
  int32_t out_h = 1, out_w = 1, out_c = 1;
  int32_t kernel_h = 1, kernel_w = 1;
  int32_t stride_h = 1, stride_w = 1, dilation_h = 1, dilation_w = 1;
  int32_t pad_top = 0, pad_left = 0;
  int32_t groups = 1;
  int32_t low = -32768, high = 32767;  // bounds of the output code, after activation
  Rounding16 rounding = Rounding16::kInt64;
  std::vector<Requantization> requantization;  // out_c entries
};

// weights: codes minus their zero point. bias: out_c values.
void Conv16(const Conv16Spec& spec, const int16_t* input, const int16_t* weights,
            const int64_t* bias, int16_t* output, ThreadPool& pool);

}  // namespace dlpu
