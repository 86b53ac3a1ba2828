// SPDX-License-Identifier: Apache-2.0
// Float convolution, and with it fully connected layers (a 1x1 convolution over a 1 x batch
// picture). ConvF32Reference is the specification; every other row may fuse multiplications into
// additions and stays within ConvF32Bound of it, and no row's result depends on the number of
// threads. A PreparedConvF32 owns its packed weights, is read-only while it runs, and holds no
// reference to what it was made from: several threads may run one at once with scratch of their
// own.
#pragma once

#include <cfloat>
#include <cstdint>
#include <memory>
#include <string_view>

#include "base/cpu.h"
#include "base/threads.h"
#include "kernels/block_sink.h"

namespace dlpu {

// Shapes: input N,H,W,C; weights O,kernel_h,kernel_w,in_c/groups; output N,H,W,O. Padding
// stands for zeros. in_c and out_c are multiples of groups.
struct ConvF32Spec {
  int32_t batch = 1, in_h = 1, in_w = 1, in_c = 1;
  int32_t out_h = 1, out_w = 1, out_c = 1;
  int32_t kernel_h = 1, kernel_w = 1;
  int32_t stride_h = 1, stride_w = 1, dilation_h = 1, dilation_w = 1;
  int32_t pad_top = 0, pad_left = 0;
  int32_t groups = 1;
  // The output is N,H,row_split,W,O/row_split: each row of pixels becomes that many rows, which
  // have a part of the channels each. 1, or with one group and a divisor of out_c.
  int32_t row_split = 1;
  // Activation as a clamp: NONE -FLT_MAX..FLT_MAX (so an infinity becomes FLT_MAX, as in
  // LiteRT), RELU 0..FLT_MAX, RELU6 0..6, RELU_N1_TO_1 -1..1. NaN passes through.
  float low = -FLT_MAX, high = FLT_MAX;
};

// output[o] = min(max(sum + bias[o], low), high), where sum adds input * weight in binary32 in
// the order ky, kx, c and skips padding (LiteRT's reference kernels). bias may be null (zeros).
// Normative, naive, one thread.
void ConvF32Reference(const ConvF32Spec& spec, const float* input, const float* weights,
                      const float* bias, float* output);

// How far a row may be from the reference, for one output whose products and bias add up to
// `magnitude` in absolute value: both add `terms` products and a bias with one rounding of at
// most 2^-24 per operation. Rows multiply padding as zeros, so where a weight or an input is not
// finite the bound says nothing; an output that sees no such value is not affected.
double ConvF32Bound(int64_t terms, double magnitude);

class PreparedConvF32 {
 public:
  virtual ~PreparedConvF32() = default;
  // Name of the row, for example "conv_f32_avx512".
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
std::unique_ptr<PreparedConvF32> PrepareConvF32(const ConvF32Spec& spec, const float* weights,
                                                const float* bias, CpuFlags cpu);

}  // namespace dlpu
