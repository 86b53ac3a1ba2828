// SPDX-License-Identifier: Apache-2.0
// The inner loop of float depthwise convolution: one output row, or some channels of it. Plain
// structs only, because files with their own compiler flags include this. Constant data; any
// thread may call a strip.
#pragma once

#include <cstdint>

namespace dlpu {

// output[p][c] = min(max(sum + bias[c], low), high), where the sum runs over kernel rows r and
// taps t, in order, of inputs[r][x][c] * weights[r][t][c] with x = p * stride + t * dilation - pad;
// an x outside 0 .. width contributes zero or nothing. Neighbouring x, t and p are `step` floats
// apart in inputs, weights and output.
struct DepthwiseF32Strip {
  const float* const* inputs;   // `rows` of them
  const float* const* weights;  // `rows` of them
  int64_t rows;                 // kernel rows inside the picture; may be 0
  int64_t taps, stride, dilation, pad, width;
  int64_t step;
  int64_t pixels, channels;
  // Two hints about inputs beyond the level-2 cache, without effect on results: the last `fetch`
  // rows are new, ask for them ahead of use; `stream` reads few streams of memory at once.
  int64_t fetch;
  bool stream;
  const float* bias;
  float low, high;  // NaN passes
  float* output;
};

using DepthwiseF32Function = void (*)(const DepthwiseF32Strip& strip);

// A function for exactly `taps` taps, neighbours in the input, and a stride of `stride`.
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
