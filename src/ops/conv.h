// SPDX-License-Identifier: Apache-2.0
// What the convolution-like ops share: geometry, the effective scales of each output channel, the
// rounding that the arithmetic profile prescribes, weights and biases. Pure functions; any thread.
#pragma once

#include <memory>
#include <span>
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
// The values of a float32 constant; of a bias, or nothing (null) when it is left out. The tensor's
// own bytes: valid while its data is.
std::span<const float> FloatsOf(const Tensor& constant);
std::span<const float> FloatBias(const OpContext& context, size_t index);

// Constant weights with one byte for each code: the tensor's own bytes, or int4 unpacked to int8.
class WeightBytes {
 public:
  explicit WeightBytes(const Tensor& weights);
  const uint8_t* data() const { return bytes_.data(); }
  std::span<const uint8_t> bytes() const { return bytes_; }

 private:
  std::vector<uint8_t> unpacked_;
  std::span<const uint8_t> bytes_;
};

// A specification (ConvSpec and its kin) with what input 0 NHWC, a filter ?HW? and the attributes
// say; the rest is as it is by default.
template <typename Spec>
Spec SpatialSpec(const OpContext& context, const ConvWindows& windows) {
  const Shape &input = context.input(0).shape, &filter = context.input(1).shape;
  const auto& attrs = context.attrs<ConvAttrs>();
  Spec spec;
  spec.batch = input[0];
  spec.in_h = input[1];
  spec.in_w = input[2];
  spec.in_c = input[3];
  spec.out_h = windows.y.output;
  spec.out_w = windows.x.output;
  spec.kernel_h = filter[1];
  spec.kernel_w = filter[2];
  spec.stride_h = attrs.stride_h;
  spec.stride_w = attrs.stride_w;
  spec.dilation_h = attrs.dilation_h;
  spec.dilation_w = attrs.dilation_w;
  spec.pad_top = windows.y.pad_before;
  spec.pad_left = windows.x.pad_before;
  return spec;
}

// The same layer for pictures without a border of zeros, which becomes padding.
template <typename Spec>
void LeaveOutBorder(const PictureBorder& border, Spec& spec) {
  spec.in_h -= border.top + border.bottom;
  spec.in_w -= border.left + border.right;
  spec.pad_top += border.top;
  spec.pad_left += border.left;
}

// A step that runs a prepared kernel (kernels/conv and its kin) from input 0 to output 0. The
// kernel has packed the other inputs, so constants are kept for the run only where input 0 is one.
template <typename Kernel>
PreparedOp RunByteKernel(const PrepareContext& context, std::shared_ptr<Kernel> kernel) {
  PreparedOp op;
  op.row = kernel->row();
  op.scratch_bytes = kernel->ScratchBytes(context.threads);
  op.reads_constants = context.input(0).is_constant;
  op.run = [kernel](const RunArgs& args) {
    kernel->Run(args.in<uint8_t>(0), args.out<uint8_t>(0), args.scratch, args.pool);
    return OkStatus();
  };
  return op;
}
template <typename Kernel>
PreparedOp RunFloatKernel(const PrepareContext& context, std::shared_ptr<Kernel> kernel) {
  PreparedOp op;
  op.row = kernel->row();
  op.scratch_bytes = kernel->ScratchBytes(context.threads);
  op.reads_constants = context.input(0).is_constant;
  op.run = [kernel](const RunArgs& args) {
    kernel->Run(args.in<float>(0), args.out<float>(0), args.scratch, args.pool);
    return OkStatus();
  };
  if constexpr (requires { kernel->BlockElements(1); }) {
    op.block_elements = kernel->BlockElements(context.threads);
    op.run_blocks = [kernel](const RunArgs& args, const BlockSink& sink) {
      kernel->RunBlocks(args.in<float>(0), args.out<float>(0), args.scratch, args.pool, sink);
    };
  }
  return op;
}

}  // namespace dlpu
