// SPDX-License-Identifier: Apache-2.0
// Float depthwise convolution. DepthwiseF32Reference is the specification; every other row may
// fuse multiplications into additions and stays within ConvF32Bound of it, and no row's result
// depends on the number of threads. A PreparedDepthwiseF32 owns its packed weights and is
// read-only while it runs: several threads may run one at once with scratch of their own.
#pragma once

#include <cfloat>
#include <cstdint>
#include <memory>
#include <string_view>

#include "base/cpu.h"
#include "base/threads.h"
#include "kernels/block_sink.h"

namespace dlpu {

// Shapes: input N,H,W,C; weights 1,kernel_h,kernel_w,C*multiplier; output N,H,W,C*multiplier.
// Output channel c*multiplier+m reads input channel c. Padding stands for zeros.
struct DepthwiseF32Spec {
  int32_t batch = 1, in_h = 1, in_w = 1, in_c = 1, multiplier = 1;
  int32_t out_h = 1, out_w = 1;
  int32_t kernel_h = 1, kernel_w = 1;
  int32_t stride_h = 1, stride_w = 1, dilation_h = 1, dilation_w = 1;
  int32_t pad_top = 0, pad_left = 0;
  float low = -FLT_MAX, high = FLT_MAX;  // activation, as in ConvF32Spec
};

// As ConvF32Reference, one input channel for each output channel, in the order ky, kx. bias may
// be null (zeros). Normative, naive, one thread.
void DepthwiseF32Reference(const DepthwiseF32Spec& spec, const float* input, const float* weights,
                           const float* bias, float* output);

class PreparedDepthwiseF32 {
 public:
  virtual ~PreparedDepthwiseF32() = default;
  // Name of the row, for example "depthwise_f32_avx512".
  virtual std::string_view row() const = 0;
  // Bytes of scratch that Run needs with a pool of `threads` threads.
  virtual int64_t ScratchBytes(int threads) const = 0;
  // scratch is 64-byte aligned. Reads and writes nothing beyond the tensors.
  virtual void Run(const float* input, float* output, uint8_t* scratch, ThreadPool& pool) const = 0;
  // The most elements of a block that RunBlocks gives to its sink; 0: with that number of threads
  // it must not be called. RunBlocks does as Run; output may be null if the sink has strips.
  virtual int64_t BlockElements(int /*threads*/) const { return 0; }
  virtual void RunBlocks(const float* /*input*/, float* /*output*/, uint8_t* /*scratch*/,
                         ThreadPool& /*pool*/, const BlockSink& /*sink*/) const {}
};

// The best row for this layer that `cpu` has; the reference row always fits.
std::unique_ptr<PreparedDepthwiseF32> PrepareDepthwiseF32(const DepthwiseF32Spec& spec,
                                                          const float* weights, const float* bias,
                                                          CpuFlags cpu);

}  // namespace dlpu
