// SPDX-License-Identifier: Apache-2.0
// The rows of the convolution family and the choice between them.
#include "kernels/conv/conv.h"

#include <algorithm>

#include "kernels/conv/rows.h"

namespace dlpu {
namespace {

constexpr ConvRow kRows[] = {
    {"conv_avx512vnni", kCpuAvx2 | kCpuAvx512 | kCpuAvx512Vnni, ConvTilesAvx512Vnni},
    {"conv_avxvnni", kCpuAvx2 | kCpuAvxVnni, ConvTilesAvxVnni},
    {"conv_avx2", kCpuAvx2, ConvTilesAvx2},
    {"conv_neoni8mm", kCpuNeon | kCpuNeonDot | kCpuNeonI8mm, ConvTilesNeonI8mm},
    {"conv_neondot", kCpuNeon | kCpuNeonDot, ConvTilesNeonDot},
    {"conv_neon", kCpuNeon, ConvTilesNeon},
    {"conv_reference", kCpuNone, nullptr},
};

// The reference as a row: any layer, any CPU.
class ReferenceConv : public PreparedConv {
 public:
  ReferenceConv(const ConvSpec& spec, const uint8_t* weights, const int32_t* bias)
      : spec_(spec),
        weights_(weights, weights + static_cast<int64_t>(spec.out_c) * spec.kernel_h *
                                        spec.kernel_w * (spec.in_c / spec.groups)) {
    if (bias != nullptr) bias_.assign(bias, bias + spec.out_c);
  }
  std::string_view row() const override { return "conv_reference"; }
  int64_t ScratchBytes(int) const override { return 0; }
  void Run(const uint8_t* input, uint8_t* output, uint8_t*, ThreadPool&) const override {
    ConvReference(spec_, input, weights_.data(), bias_.empty() ? nullptr : bias_.data(), output);
  }

 private:
  const ConvSpec spec_;
  const std::vector<uint8_t> weights_;
  std::vector<int32_t> bias_;
};

// Tiles address a group's reduction with 32-bit offsets and need multipliers that are not the one
// value whose square saturates.
bool TilesFit(const ConvSpec& spec) {
  const int64_t rows = int64_t{spec.kernel_h} * spec.dilation_h + 1;
  const int64_t width =
      int64_t{spec.out_w} * spec.stride_w + int64_t{spec.kernel_w} * spec.dilation_w + spec.in_w;
  if (rows * width * spec.in_c > (int64_t{1} << 29)) return false;
  // A copy with padding holds at least the source rows of four output rows. Where strides leap over
  // the picture it would be far larger than the picture; the reference needs no copy.
  const int64_t copy = (3 * int64_t{spec.stride_h} + rows) * width * spec.in_c;
  const int64_t picture = int64_t{spec.in_h} * spec.in_w * spec.in_c;
  if (copy > 8 * picture + (int64_t{1} << 20)) return false;
  if (int64_t{spec.kernel_w} * spec.in_c > (int64_t{1} << 22)) return false;
  return std::all_of(spec.requantization.begin(), spec.requantization.end(),
                     [](const Requantization& r) { return r.multiplier.multiplier >= 0; });
}

}  // namespace

std::span<const ConvRow> ConvRows() { return kRows; }

std::unique_ptr<PreparedConv> PrepareConvRow(const ConvRow& row, const ConvSpec& spec,
                                             const uint8_t* weights, const int32_t* bias) {
  if (row.tiles == nullptr) return std::make_unique<ReferenceConv>(spec, weights, bias);
  const ConvTiles* tiles = row.tiles();
  if (tiles == nullptr || !TilesFit(spec)) return nullptr;
  return PrepareTiledConv(row, *tiles, spec, weights, bias);
}

std::unique_ptr<PreparedConv> PrepareConv(const ConvSpec& spec, const uint8_t* weights,
                                          const int32_t* bias, CpuFlags cpu) {
  for (const ConvRow& row : kRows) {
    if ((row.needs & ~cpu) != 0) continue;
    if (auto prepared = PrepareConvRow(row, spec, weights, bias)) return prepared;
  }
  return nullptr;  // not reached: the reference takes every layer
}

}  // namespace dlpu
