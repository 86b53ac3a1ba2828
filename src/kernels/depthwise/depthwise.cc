// SPDX-License-Identifier: Apache-2.0
// The rows of the depthwise family and the choice between them.
#include "kernels/depthwise/depthwise.h"

#include <algorithm>

#include "kernels/conv/rows.h"
#include "kernels/depthwise/rows.h"

namespace dlpu {
namespace {

constexpr DepthwiseRow kRows[] = {
    {"depthwise_avx512vnni", kCpuAvx2 | kCpuAvx512 | kCpuAvx512Vnni, DepthwiseTilesAvx512Vnni},
    {"depthwise_avxvnni", kCpuAvx2 | kCpuAvxVnni, DepthwiseTilesAvxVnni},
    {"depthwise_avx2", kCpuAvx2, DepthwiseTilesAvx2},
    {"depthwise_neondot", kCpuNeon | kCpuNeonDot, DepthwiseTilesNeonDot},
    {"depthwise_neon", kCpuNeon, DepthwiseTilesNeon},
    {"depthwise_reference", kCpuNone, nullptr},
};

// The reference as a row: any layer, any CPU.
class ReferenceDepthwise : public PreparedDepthwise {
 public:
  ReferenceDepthwise(const DepthwiseSpec& spec, const uint8_t* weights, const int32_t* bias)
      : spec_(spec),
        weights_(weights, weights + static_cast<int64_t>(spec.kernel_h) * spec.kernel_w *
                                        spec.in_c * spec.multiplier) {
    if (bias != nullptr) bias_.assign(bias, bias + spec.in_c * spec.multiplier);
  }
  std::string_view row() const override { return "depthwise_reference"; }
  int64_t ScratchBytes(int) const override { return 0; }
  void Run(const uint8_t* input, uint8_t* output, uint8_t*, ThreadPool&) const override {
    DepthwiseReference(spec_, input, weights_.data(), bias_.empty() ? nullptr : bias_.data(),
                       output);
  }

 private:
  const DepthwiseSpec spec_;
  const std::vector<uint8_t> weights_;
  std::vector<int32_t> bias_;
};

// A layer with a channel multiplier, run as a convolution of one group per input channel.
class GroupedDepthwise : public PreparedDepthwise {
 public:
  GroupedDepthwise(const char* name, std::unique_ptr<PreparedConv> conv)
      : name_(name), conv_(std::move(conv)) {}
  std::string_view row() const override { return name_; }
  int64_t ScratchBytes(int threads) const override { return conv_->ScratchBytes(threads); }
  void Run(const uint8_t* input, uint8_t* output, uint8_t* scratch,
           ThreadPool& pool) const override {
    conv_->Run(input, output, scratch, pool);
  }

 private:
  const char* name_;
  const std::unique_ptr<PreparedConv> conv_;
};

std::unique_ptr<PreparedDepthwise> PrepareGrouped(const DepthwiseRow& row,
                                                  const DepthwiseSpec& spec, const uint8_t* weights,
                                                  const int32_t* bias) {
  const int32_t channels = spec.in_c * spec.multiplier;
  if (spec.rounding_split < channels && spec.tail_rounding != spec.rounding) return nullptr;
  ConvSpec conv;
  conv.batch = spec.batch;
  conv.in_h = spec.in_h;
  conv.in_w = spec.in_w;
  conv.in_c = conv.groups = spec.in_c;
  conv.out_h = spec.out_h;
  conv.out_w = spec.out_w;
  conv.out_c = channels;
  conv.kernel_h = spec.kernel_h;
  conv.kernel_w = spec.kernel_w;
  conv.stride_h = spec.stride_h;
  conv.stride_w = spec.stride_w;
  conv.dilation_h = spec.dilation_h;
  conv.dilation_w = spec.dilation_w;
  conv.pad_top = spec.pad_top;
  conv.pad_left = spec.pad_left;
  conv.input_signed = spec.input_signed;
  conv.weights_signed = spec.weights_signed;
  conv.output_signed = spec.output_signed;
  conv.input_zero = spec.input_zero;
  conv.weights_zero = spec.weights_zero;
  conv.output_zero = spec.output_zero;
  conv.low = spec.low;
  conv.high = spec.high;
  conv.rounding = spec.rounding;
  conv.requantization = spec.requantization;
  // Weights kernel_h,kernel_w,O become O,kernel_h,kernel_w.
  const int32_t taps = spec.kernel_h * spec.kernel_w;
  std::vector<uint8_t> turned(static_cast<size_t>(taps) * channels);
  for (int32_t t = 0; t < taps; ++t) {
    for (int32_t o = 0; o < channels; ++o) {
      turned[static_cast<size_t>(o) * taps + t] = weights[static_cast<size_t>(t) * channels + o];
    }
  }
  for (const ConvRow& conv_row : ConvRows()) {
    if (conv_row.needs != row.needs) continue;
    auto prepared = PrepareConvRow(conv_row, conv, turned.data(), bias);
    if (prepared == nullptr) return nullptr;
    return std::make_unique<GroupedDepthwise>(row.name, std::move(prepared));
  }
  return nullptr;
}

// Kernels address taps with 32-bit offsets and need multipliers that are not the one value whose
// square saturates.
bool TilesFit(const DepthwiseSpec& spec) {
  const int64_t rows = int64_t{spec.kernel_h} * spec.dilation_h + 1;
  const int64_t width =
      int64_t{spec.out_w} * spec.stride_w + int64_t{spec.kernel_w} * spec.dilation_w + spec.in_w;
  if (rows * width * spec.in_c > (int64_t{1} << 30)) return false;
  // A copy with padding holds at least the source rows of four output rows. Where strides leap over
  // the picture it would be far larger than the picture; the reference needs no copy.
  const int64_t copy = (3 * int64_t{spec.stride_h} + rows) * width * spec.in_c;
  const int64_t picture = int64_t{spec.in_h} * spec.in_w * spec.in_c;
  if (copy > 8 * picture + (int64_t{1} << 20)) return false;
  return std::all_of(spec.requantization.begin(), spec.requantization.end(),
                     [](const Requantization& r) { return r.multiplier.multiplier >= 0; });
}

}  // namespace

std::span<const DepthwiseRow> DepthwiseRows() { return kRows; }

std::unique_ptr<PreparedDepthwise> PrepareDepthwiseRow(const DepthwiseRow& row,
                                                       const DepthwiseSpec& spec,
                                                       const uint8_t* weights,
                                                       const int32_t* bias) {
  if (row.tiles == nullptr) return std::make_unique<ReferenceDepthwise>(spec, weights, bias);
  const DepthwiseTiles* tiles = row.tiles();
  if (tiles == nullptr || !TilesFit(spec)) return nullptr;
  if (spec.multiplier != 1) return PrepareGrouped(row, spec, weights, bias);
  return PrepareTiledDepthwise(row, *tiles, spec, weights, bias);
}

std::unique_ptr<PreparedDepthwise> PrepareDepthwise(const DepthwiseSpec& spec,
                                                    const uint8_t* weights, const int32_t* bias,
                                                    CpuFlags cpu) {
  for (const DepthwiseRow& row : kRows) {
    if ((row.needs & ~cpu) != 0) continue;
    if (auto prepared = PrepareDepthwiseRow(row, spec, weights, bias)) return prepared;
  }
  return nullptr;  // not reached: the reference takes every layer
}

}  // namespace dlpu
