// SPDX-License-Identifier: Apache-2.0
// Dynamic-range ("hybrid") convolution, fully connected layer and depthwise convolution: float
// activations and 8-bit weights. The input is quantized while the model runs, one scale for each
// batch item; products add up in integers; the sum is scaled back to float. The numbers are those
// of LiteRT's reference resolver as its x86-64 Linux packages compute them, bit for bit.
// The functions are pure; a PreparedHybrid is read-only while it runs: several threads may run one
// at once with scratch of their own.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/threads.h"
#include "kernels/conv_f32/conv_f32.h"
#include "kernels/depthwise_f32/depthwise_f32.h"

namespace dlpu {

// value = scale * (code - zero_point).
struct HybridScale {
  float scale = 1.0f;
  int32_t zero_point = 0;
};

// Quantizes to codes -127..127 with zero point 0: scale = max|v| / 127. Rounds half away from zero;
// all but the last size % 8 values by adding a half in binary32 and cutting off, as LiteRT's
// vector loop does (0.49999997 becomes 1). NaN is safe but its code is not specified.
HybridScale QuantizeHybridSymmetric(std::span<const float> values, int8_t* codes);
// Quantizes to codes -128..127 over the range of the values and zero; rounding as above, and then
// the zero point is added.
HybridScale QuantizeHybridAsymmetric(std::span<const float> values, int8_t* codes);

// A convolution, or with a 1x1 picture for each row a fully connected layer.
struct HybridConvSpec {
  ConvF32Spec shape;                 // weights O,kernel_h,kernel_w,in_c/groups as int8
  std::vector<float> weight_scales;  // one, or out_c of them
  bool asymmetric = false;           // how the input is quantized
  // Float result of a sum: (sum * weight_scale) * input_scale if true, otherwise
  // sum * (input_scale * weight_scale), each step rounded to binary32.
  bool scale_in_two_steps = false;
};

// What LiteRT chooses. CONV_2D with a scale for each channel: asymmetric, in two steps; with one
// scale: symmetric. FULLY_CONNECTED: asymmetric if the op says so.
HybridConvSpec HybridConv2d(const ConvF32Spec& shape, std::vector<float> weight_scales,
                            bool per_channel);
HybridConvSpec HybridFullyConnected(int32_t rows, int32_t depth, int32_t units,
                                    std::vector<float> weight_scales, bool asymmetric, float low,
                                    float high);

// DEPTHWISE_CONV_2D: asymmetric, sum * (weight_scale * input_scale).
struct HybridDepthwiseSpec {
  DepthwiseF32Spec shape;            // weights 1,kernel_h,kernel_w,C*multiplier as int8
  std::vector<float> weight_scales;  // one for each output channel
};

// output = clamp(scaled sum + bias). bias may be null (zeros); weights have zero point 0.
// Normative, naive, one thread.
void HybridConvReference(const HybridConvSpec& spec, const float* input, const int8_t* weights,
                         const float* bias, float* output);
void HybridDepthwiseReference(const HybridDepthwiseSpec& spec, const float* input,
                              const int8_t* weights, const float* bias, float* output);

class PreparedHybrid {
 public:
  virtual ~PreparedHybrid() = default;
  virtual std::string_view row() const = 0;  // "hybrid_conv", "hybrid_depthwise"
  // Bytes of scratch that Run needs with a pool of `threads` threads.
  virtual int64_t ScratchBytes(int threads) const = 0;
  // scratch is 64-byte aligned. Reads and writes nothing beyond the tensors.
  virtual void Run(const float* input, float* output, uint8_t* scratch, ThreadPool& pool) const = 0;
};

// The reference's results, with the output split over the pool's threads. Weights are copied.
std::unique_ptr<PreparedHybrid> PrepareHybridConv(const HybridConvSpec& spec, const int8_t* weights,
                                                  const float* bias);
std::unique_ptr<PreparedHybrid> PrepareHybridDepthwise(const HybridDepthwiseSpec& spec,
                                                       const int8_t* weights, const float* bias);

}  // namespace dlpu
