// SPDX-License-Identifier: Apache-2.0
// Quantized 8-bit depthwise convolution. DepthwiseReference is the specification; every row
// equals it bit for bit. A PreparedDepthwise owns its packed weights and is read-only while it
// runs: several threads may run one at once with scratch of their own.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/cpu.h"
#include "base/fixed_point.h"
#include "base/threads.h"

namespace dlpu {

// Shapes: input N,H,W,C; weights 1,kernel_h,kernel_w,C*multiplier; output N,H,W,C*multiplier.
// Output channel c*multiplier+m reads input channel c. Padding stands for the input's zero point.
struct DepthwiseSpec {
  int32_t batch = 1, in_h = 1, in_w = 1, in_c = 1, multiplier = 1;
  int32_t out_h = 1, out_w = 1;
  int32_t kernel_h = 1, kernel_w = 1;
  int32_t stride_h = 1, stride_w = 1, dilation_h = 1, dilation_w = 1;
  int32_t pad_top = 0, pad_left = 0;
  bool input_signed = false, weights_signed = true, output_signed = false;
  int32_t input_zero = 0, weights_zero = 0, output_zero = 0;
  int32_t low = 0, high = 255;  // bounds of the output code, after activation
  // Rounding of channels below rounding_split, and of the rest (LiteRT's optimized kernel rounds
  // the last channels, which do not fill a vector, differently).
  Rounding rounding = Rounding::kDouble, tail_rounding = Rounding::kDouble;
  int32_t rounding_split = INT32_MAX;
  std::vector<Requantization> requantization;  // in_c * multiplier entries
};

// As ConvReference, one input channel for each output channel. bias may be null.
void DepthwiseReference(const DepthwiseSpec& spec, const uint8_t* input, const uint8_t* weights,
                        const int32_t* bias, uint8_t* output);

class PreparedDepthwise {
 public:
  virtual ~PreparedDepthwise() = default;
  virtual std::string_view row() const = 0;
  virtual int64_t ScratchBytes(int threads) const = 0;
  // input is readable 256 bytes past its end; scratch is 64-byte aligned.
  virtual void Run(const uint8_t* input, uint8_t* output, uint8_t* scratch,
                   ThreadPool& pool) const = 0;
};

// The best row for this layer that `cpu` has; the reference row always fits.
std::unique_ptr<PreparedDepthwise> PrepareDepthwise(const DepthwiseSpec& spec,
                                                    const uint8_t* weights, const int32_t* bias,
                                                    CpuFlags cpu);

}  // namespace dlpu
