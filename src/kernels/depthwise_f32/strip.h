// SPDX-License-Identifier: Apache-2.0
// The inner loop of float depthwise convolution: neighbouring output pixels of one row, all of
// whose taps lie inside the picture. Plain structs only, because files with their own compiler
// flags include this. Constant data; any thread may call a strip.
#pragma once

#include <cstdint>

namespace dlpu {

// output[p][c] = min(max(sum + bias[c], low), high), where the sum runs over kernel rows r and
// taps t, in order, of inputs[r][p * pixel_step + t * tap_step + c] * weights[r][t * tap + c].
struct DepthwiseF32Strip {
  const float* const* inputs;                 // `rows` of them: the first pixel's first tap
  const float* const* weights;                // `rows` of them: the first tap
  int64_t rows, taps;                         // kernel rows and taps inside the picture; may be 0
  int64_t pixel_step, tap_step, weight_step;  // floats
  int64_t pixels, channels;
  const float* bias;
  float low, high;  // NaN passes
  float* output;
  int64_t output_step;  // floats between pixels
};

using DepthwiseF32Function = void (*)(const DepthwiseF32Strip& strip);

// A strip that needs exactly `taps` taps, neighbours in the input, and a stride of `stride`.
struct DepthwiseF32Sliding {
  int32_t taps, stride;
  DepthwiseF32Function function;
};

constexpr int kDepthwiseF32Sliding = 4;

struct DepthwiseF32Kernel {
  const char* name;                                   // "avx512"
  uint32_t cpu;                                       // CpuFlags it needs
  int32_t lanes, pixels;                              // its largest tile
  DepthwiseF32Function any;                           // any strip
  DepthwiseF32Sliding sliding[kDepthwiseF32Sliding];  // function null: no more
};

struct DepthwiseF32KernelList {
  const DepthwiseF32Kernel* kernels;
  int32_t count;
};

// One list for each file; empty where the compiler does not have the instructions.
DepthwiseF32KernelList DepthwiseF32Avx512();
DepthwiseF32KernelList DepthwiseF32Avx2();
DepthwiseF32KernelList DepthwiseF32Neon();
DepthwiseF32KernelList DepthwiseF32Portable();

}  // namespace dlpu
