// SPDX-License-Identifier: Apache-2.0
// What the convolution-like ops share: geometry, the effective scales of each output channel, the
// rounding that the arithmetic profile prescribes, weights and biases. Pure functions; any thread.
#pragma once

#include <memory>
#include <vector>

#include "base/fixed_point.h"
#include "base/result.h"
#include "ops/common.h"
#include "ops/op.h"

namespace dlpu {

// Windows of a 2-D convolution with ConvAttrs.
struct ConvWindows {
  WindowExtent y, x;
};
Result<ConvWindows> ComputeConvWindows(const OpContext& context, int32_t kernel_h,
                                       int32_t kernel_w);

// input scale * weight scale / output scale for each of `channels` output channels, with the
// operand widths of LiteRT: binary64 throughout for int8, a binary32 product for uint8, binary32
// throughout for XNNPACK. A single weight scale is repeated.
Result<std::vector<Requantization>> ConvRequantization(const OpContext& context, Profile profile,
                                                       const Tensor& input, const Tensor& weights,
                                                       const Tensor& output, int32_t channels);

// The widths of those products and quotients.
enum class ScaleWidth : uint8_t { kBinary64, kBinary32Product, kBinary32 };
Result<std::vector<Requantization>> EffectiveScales(const OpContext& context, ScaleWidth width,
                                                    const Tensor& input, const Tensor& weights,
                                                    const Tensor& output, int32_t channels);

// Rounding of int8 and uint8 CONV_2D in a profile.
Rounding ConvRounding(Profile profile);

// The kernels that run a layer with 8-bit activations: those of the profile asked for, except where
// XNNPACK refuses the layer and LiteRT's optimized kernels take it: signed weights with a zero
// point, convolutions without a bias or with int4 weights, and int4 weights of an odd depth.
enum class LayerKind : uint8_t { kConvolution, kFullyConnected };
Profile LayerProfile(const PrepareContext& context, LayerKind kind);

// Bounds of an output code after a fused activation: QuantizedActivationRange, or for XNNPACK
// round_half_to_even(clamp(v / scale + zero)) in binary32.
Result<CodeRange> LayerActivationRange(const OpContext& context, Profile profile,
                                       Activation activation, const Tensor& output);

// Bias checks shared by the quantized forms: of that type, a constant of `channels` elements.
Status ExpectBias(const OpContext& context, size_t index, DataType type, int32_t channels);
// The values of a bias that passed ExpectBias, or zeros when it is left out.
std::vector<int32_t> Int32Bias(const OpContext& context, size_t index, int32_t channels);

// Types and scales of a layer whose activations are all int8 or all uint8: constant weights of the
// same type (or int4 with int8), quantized input, weights and output.
Status ExpectQuantized8(const OpContext& context, int channel_axis);

// An error that asks for constant weights.
Status ExpectConstant(const OpContext& context, const Tensor& weights);
// The same for float32 input, constant weights and output.
Status ExpectFloat(const OpContext& context);
// The values of a float32 constant; of a bias, or nothing when it is left out.
std::vector<float> FloatsOf(const Tensor& constant);
std::vector<float> FloatBias(const OpContext& context, size_t index);

// Constant weights with one byte for each code: int4 unpacked to int8, others as they are.
std::vector<uint8_t> WeightBytes(const Tensor& weights);

// A step that runs a prepared kernel (kernels/conv and its kin) from input 0 to output 0.
template <typename Kernel>
PreparedOp RunByteKernel(std::shared_ptr<Kernel> kernel, int threads) {
  PreparedOp op;
  op.row = kernel->row();
  op.scratch_bytes = kernel->ScratchBytes(threads);
  op.run = [kernel](const RunArgs& args) {
    kernel->Run(args.in<uint8_t>(0), args.out<uint8_t>(0), args.scratch, args.pool);
    return OkStatus();
  };
  return op;
}
template <typename Kernel>
PreparedOp RunFloatKernel(std::shared_ptr<Kernel> kernel, int threads) {
  PreparedOp op;
  op.row = kernel->row();
  op.scratch_bytes = kernel->ScratchBytes(threads);
  op.run = [kernel](const RunArgs& args) {
    kernel->Run(args.in<float>(0), args.out<float>(0), args.scratch, args.pool);
    return OkStatus();
  };
  return op;
}

}  // namespace dlpu
