// SPDX-License-Identifier: Apache-2.0
// Quantized 8-bit convolution, and with it fully connected layers (a 1x1 convolution over a
// 1 x batch picture). ConvReference is the specification; every row equals it bit for bit.
// A PreparedConv owns its packed weights, is read-only while it runs, and holds no reference to
// what it was made from: several threads may run one at once with scratch of their own.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/cpu.h"
#include "base/fixed_point.h"
#include "base/threads.h"

namespace dlpu {

// Shapes: input N,H,W,C; weights O,kernel_h,kernel_w,in_c/groups; output N,H,W,O. Activations are
// uint8 or int8 codes; padding stands for the input's zero point.
struct ConvSpec {
  int32_t batch = 1, in_h = 1, in_w = 1, in_c = 1;
  int32_t out_h = 1, out_w = 1, out_c = 1;
  int32_t kernel_h = 1, kernel_w = 1;
  int32_t stride_h = 1, stride_w = 1, dilation_h = 1, dilation_w = 1;
  int32_t pad_top = 0, pad_left = 0;
  int32_t groups = 1;
  bool input_signed = false, weights_signed = true, output_signed = false;
  int32_t input_zero = 0, weights_zero = 0, output_zero = 0;
  int32_t low = 0, high = 255;  // bounds of the output code, after activation
  Rounding rounding = Rounding::kDouble;
  std::vector<Requantization> requantization;  // out_c entries
};

// acc[o] = bias[o] + sum (input - input_zero) * (weight - weights_zero), wrapping in int32;
// output = Requantize(acc). bias may be null (zeros). Normative, naive, one thread.
void ConvReference(const ConvSpec& spec, const uint8_t* input, const uint8_t* weights,
                   const int32_t* bias, uint8_t* output);

class PreparedConv {
 public:
  virtual ~PreparedConv() = default;
  // Name of the row, for example "conv_avx512vnni".
  virtual std::string_view row() const = 0;
  // Bytes of scratch that Run needs with a pool of `threads` threads.
  virtual int64_t ScratchBytes(int threads) const = 0;
  // input is readable 256 bytes past its end; scratch is 64-byte aligned.
  virtual void Run(const uint8_t* input, uint8_t* output, uint8_t* scratch,
                   ThreadPool& pool) const = 0;
};

// The best row for this layer that `cpu` has; the reference row always fits.
std::unique_ptr<PreparedConv> PrepareConv(const ConvSpec& spec, const uint8_t* weights,
                                          const int32_t* bias, CpuFlags cpu);

}  // namespace dlpu
