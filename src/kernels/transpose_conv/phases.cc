// SPDX-License-Identifier: Apache-2.0
// How a transposed convolution becomes blocks. With u = output + pad along one axis, u = stride * q
// + phase: output u sees inputs q - j through the weights phase + stride * j. A convolution over q
// whose taps run backwards in j computes all phases; taps beyond the kernel are zeros.
#include "kernels/transpose_conv/phases.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace dlpu {
namespace {

int64_t RoundUp64(int64_t bytes) { return (bytes + 63) / 64 * 64; }

// One axis.
struct AxisPhases {
  int32_t kernel = 1, pad = 0, blocks = 1;
};
AxisPhases PhasesOf(int64_t out, int64_t pad, int64_t kernel, int64_t stride) {
  const int64_t taps = (kernel + stride - 1) / stride;
  const int64_t first = pad / stride, last = (pad + out - 1) / stride;
  return {static_cast<int32_t>(taps), static_cast<int32_t>(taps - 1 - first),
          static_cast<int32_t>(last - first + 1)};
}

std::optional<TransposePhases> PhasesOf(const TransposeConvSpec& s) {
  if (s.batch < 1 || s.in_h < 1 || s.in_w < 1 || s.in_c < 1 || s.out_h < 1 || s.out_w < 1) {
    return std::nullopt;
  }
  const AxisPhases y = PhasesOf(s.out_h, s.pad_top, s.kernel_h, s.stride_h);
  const AxisPhases x = PhasesOf(s.out_w, s.pad_left, s.kernel_w, s.stride_w);
  if (y.pad < 0 || x.pad < 0) return std::nullopt;  // outputs before the first tap
  // Multiplications of the blocks, and those of the reference without borders.
  const double channels = static_cast<double>(s.stride_h) * s.stride_w * s.out_c;
  const double blocks = channels * y.blocks * x.blocks * y.kernel * x.kernel;
  const double products = static_cast<double>(s.out_h) * s.out_w * s.out_c * s.kernel_h *
                          s.kernel_w / s.stride_h / s.stride_w;
  if (blocks > 4 * products || channels > 65536) return std::nullopt;
  return TransposePhases{.kernel_h = y.kernel,
                         .kernel_w = x.kernel,
                         .pad_top = y.pad,
                         .pad_left = x.pad,
                         .blocks_h = y.blocks,
                         .blocks_w = x.blocks,
                         .channels = static_cast<int32_t>(channels)};
}

// Weights of the convolution: channels,kernel_h,kernel_w,C, `none` where a phase has no weight.
template <typename T>
std::vector<T> PhaseWeights(const TransposeConvSpec& s, const TransposePhases& p, const T* weights,
                            T none) {
  const int64_t taps = int64_t{p.kernel_h} * p.kernel_w;
  std::vector<T> result(static_cast<size_t>(p.channels * taps * s.in_c), none);
  for (int64_t channel = 0; channel < p.channels; ++channel) {
    const int64_t o = channel % s.out_c, phase = channel / s.out_c;
    const int64_t phase_y = phase / s.stride_w, phase_x = phase % s.stride_w;
    for (int64_t tap = 0; tap < taps; ++tap) {
      const int64_t ky = phase_y + (p.kernel_h - 1 - tap / p.kernel_w) * s.stride_h;
      const int64_t kx = phase_x + (p.kernel_w - 1 - tap % p.kernel_w) * s.stride_w;
      if (ky >= s.kernel_h || kx >= s.kernel_w) continue;
      const T* from = weights + ((o * s.kernel_h + ky) * s.kernel_w + kx) * s.in_c;
      std::copy(from, from + s.in_c, result.data() + (channel * taps + tap) * s.in_c);
    }
  }
  return result;
}

template <typename T>
std::vector<T> Repeat(const T* values, const TransposeConvSpec& s, const TransposePhases& p) {
  std::vector<T> result;
  for (int64_t i = 0; i < p.channels; ++i) result.push_back(values[i % s.out_c]);
  return result;
}

// The convolution's shapes.
template <typename Spec>
Spec BlockSpec(const TransposeConvSpec& s, const TransposePhases& p) {
  Spec conv;
  conv.batch = s.batch;
  conv.in_h = s.in_h;
  conv.in_w = s.in_w;
  conv.in_c = s.in_c;
  conv.out_h = p.blocks_h;
  conv.out_w = p.blocks_w;
  conv.out_c = p.channels;
  conv.kernel_h = p.kernel_h;
  conv.kernel_w = p.kernel_w;
  conv.pad_top = p.pad_top;
  conv.pad_left = p.pad_left;
  return conv;
}

// A piece of one axis that is cut by the same phases in every block: `blocks` blocks from `block`,
// phases [phase, phase + phases) of each, the first at output `out`.
struct Stretch {
  int64_t block, blocks, phase, phases, out;
};
// At most three: a first and a last block that the picture cuts, and those between.
std::vector<Stretch> Stretches(int64_t out, int64_t pad, int64_t stride) {
  std::vector<Stretch> result;
  const int64_t skip = pad % stride;
  int64_t done = 0;
  while (done < out) {
    const int64_t phase = (skip + done) % stride, left = out - done;
    const bool whole = phase == 0 && left >= stride;
    const int64_t blocks = whole ? left / stride : 1;
    const int64_t phases = whole ? stride : std::min(stride - phase, left);
    result.push_back({(skip + done) / stride, blocks, phase, phases, done});
    done += blocks * phases;
  }
  return result;
}

}  // namespace

PhasedTransposeConv::PhasedTransposeConv(const TransposeConvSpec& s, const TransposePhases& p,
                                         int64_t element_bytes) {
  const int64_t out_c = s.out_c, row = s.stride_w * out_c;  // of one block
  block_bytes_ = int64_t{s.batch} * p.blocks_h * p.blocks_w * p.channels * element_bytes;
  in_place_ = s.stride_h == 1 && s.stride_w == 1;
  if (in_place_) return;
  // Whole blocks whose rows the float convolution can write where they belong; narrow rows would
  // waste its vectors.
  const bool whole = s.pad_top % s.stride_h == 0 && s.pad_left % s.stride_w == 0 &&
                     s.out_h == p.blocks_h * s.stride_h && s.out_w == p.blocks_w * s.stride_w;
  constexpr int64_t kLeastRow = 16;
  if (element_bytes == sizeof(float) && whole && row >= kLeastRow) {
    in_place_ = true;
    row_split_ = s.stride_h;
    return;
  }
  for (const Stretch& y : Stretches(s.out_h, s.pad_top, s.stride_h)) {
    for (const Stretch& x : Stretches(s.out_w, s.pad_left, s.stride_w)) {
      CopySpec copy;
      copy.element_bytes = element_bytes;
      copy.extents = {s.batch, y.blocks, y.phases, x.blocks, x.phases * out_c};
      copy.in_strides = {int64_t{p.blocks_h} * p.blocks_w * p.channels,
                         int64_t{p.blocks_w} * p.channels, row, p.channels, 1};
      copy.out_strides = {int64_t{s.out_h} * s.out_w * out_c, s.stride_h * s.out_w * out_c,
                          s.out_w * out_c, row, 1};
      copy.in_offset =
          (y.block * p.blocks_w + x.block) * p.channels + y.phase * row + x.phase * out_c;
      copy.out_offset = (y.out * s.out_w + x.out) * out_c;
      copies_.emplace_back(copy);
    }
  }
}

std::unique_ptr<PhasedTransposeConv> PhasedTransposeConv::Make(const TransposeConvSpec& s,
                                                               const TransposeConvFloatOutput& out,
                                                               const float* weights,
                                                               const float* bias, CpuFlags cpu) {
  const std::optional<TransposePhases> p = PhasesOf(s);
  if (!p) return nullptr;
  std::unique_ptr<PhasedTransposeConv> made(new PhasedTransposeConv(s, *p, sizeof(float)));
  auto conv = BlockSpec<ConvF32Spec>(s, *p);
  conv.low = out.low;
  conv.high = out.high;
  conv.row_split = made->row_split_;
  std::vector<float> repeated;
  if (bias != nullptr) repeated = Repeat(bias, s, *p);
  made->float_conv_ = PrepareConvF32(conv, PhaseWeights(s, *p, weights, 0.0f).data(),
                                     bias != nullptr ? repeated.data() : nullptr, cpu);
  return made;
}

std::unique_ptr<PhasedTransposeConv> PhasedTransposeConv::Make(const TransposeConvSpec& s,
                                                               const TransposeConvOutput& out,
                                                               const uint8_t* weights,
                                                               int32_t weights_zero,
                                                               const int32_t* bias, CpuFlags cpu) {
  const std::optional<TransposePhases> p = PhasesOf(s);
  if (!p) return nullptr;
  std::unique_ptr<PhasedTransposeConv> made(new PhasedTransposeConv(s, *p, 1));
  auto conv = BlockSpec<ConvSpec>(s, *p);
  conv.input_signed = conv.weights_signed = conv.output_signed = out.input_signed;
  conv.input_zero = out.input_zero;
  conv.weights_zero = weights_zero;
  conv.output_zero = out.output_zero;
  conv.low = out.low;
  conv.high = out.high;
  conv.rounding = out.rounding;
  conv.requantization = Repeat(out.requantization.data(), s, *p);
  const auto none = static_cast<uint8_t>(weights_zero);
  made->byte_conv_ =
      PrepareConv(conv, PhaseWeights(s, *p, weights, none).data(), Repeat(bias, s, *p).data(), cpu);
  return made;
}

int64_t PhasedTransposeConv::BlockElements(int threads) const {
  return in_place_ && float_conv_ != nullptr ? float_conv_->BlockElements(threads) : 0;
}

void PhasedTransposeConv::RunBlocks(const float* input, float* output, uint8_t* scratch,
                                    ThreadPool& pool, const BlockSink& sink) const {
  float_conv_->RunBlocks(input, output, scratch, pool, sink);
}

std::string_view PhasedTransposeConv::row() const {
  return float_conv_ != nullptr ? float_conv_->row() : byte_conv_->row();
}

int64_t PhasedTransposeConv::ScratchBytes(int threads) const {
  const int64_t conv = float_conv_ != nullptr ? float_conv_->ScratchBytes(threads)
                                              : byte_conv_->ScratchBytes(threads);
  return (in_place_ ? 0 : RoundUp64(block_bytes_)) + conv;
}

void PhasedTransposeConv::Run(const uint8_t* input, uint8_t* output, uint8_t* scratch,
                              ThreadPool& pool) const {
  uint8_t* blocks = in_place_ ? output : scratch;
  uint8_t* rest = in_place_ ? scratch : scratch + RoundUp64(block_bytes_);
  if (float_conv_ != nullptr) {
    float_conv_->Run(reinterpret_cast<const float*>(input), reinterpret_cast<float*>(blocks), rest,
                     pool);
  } else {
    byte_conv_->Run(input, blocks, rest, pool);
  }
  for (const StridedCopy& copy : copies_) copy.Run(blocks, output, pool);
}

}  // namespace dlpu
