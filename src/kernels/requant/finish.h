// SPDX-License-Identifier: Apache-2.0
// The end of every product kernel, written once over a vector type V (see
// kernels/requant/avx512.h): accumulators of a panel become codes. Included by files with
// instruction-set flags only, each with a copy of its own.
#pragma once

#include "kernels/requant/blocks.h"
#include "kernels/unroll.h"

namespace dlpu {
namespace {

// Turns accumulators into 32-bit codes in place, each vector by its own form. Not for kRaw.
template <class V, int kRows, int kVectors>
DLPU_INLINE void RequantizeTile(typename V::Int (&acc)[kRows][kVectors],
                                const RequantPanel& panel) {
  const auto* blocks = static_cast<const typename V::Block*>(panel.blocks);
  DLPU_UNROLL
  for (int j = 0; j < kVectors; ++j) {
    const typename V::Block& block = blocks[j];
    switch (panel.forms[j]) {
      case RequantForm::kFloat:
        DLPU_UNROLL
        for (int r = 0; r < kRows; ++r) acc[r][j] = V::Float(acc[r][j], block);
        break;
      case RequantForm::kFloatSigned:
        DLPU_UNROLL
        for (int r = 0; r < kRows; ++r) acc[r][j] = V::FloatSigned(acc[r][j], block);
        break;
      case RequantForm::kFixed:
        DLPU_UNROLL
        for (int r = 0; r < kRows; ++r) acc[r][j] = V::Fixed(acc[r][j], block);
        break;
      default:
        DLPU_UNROLL
        for (int r = 0; r < kRows; ++r) acc[r][j] = V::FixedSigned(acc[r][j], block);
        break;
    }
  }
}

// The slow exact path for kRaw: `rows` x `kVectors` vectors of accumulators from memory.
template <class V, int kVectors>
__attribute__((noinline)) void StoreRaw(const int32_t* acc, int rows, uint8_t* output,
                                        ptrdiff_t stride, const RequantPanel& panel) {
  const auto* blocks = static_cast<const typename V::Block*>(panel.blocks);
  for (int r = 0; r < rows; ++r, output += stride) {
    typename V::Int codes[kVectors];
    for (int j = 0; j < kVectors; ++j, acc += V::kLanes) {
      codes[j] = V::Raw(V::Load(acc), blocks[j], panel.store);
    }
    V::template StoreCodes<kVectors>(output, codes, panel.mask, panel.store);
  }
}

// Requantizes a tile and stores row r at output + r * stride.
template <class V, int kRows, int kVectors>
DLPU_INLINE void FinishTile(typename V::Int (&acc)[kRows][kVectors], uint8_t* output,
                            ptrdiff_t stride, const RequantPanel& panel) {
  if (panel.forms[0] == RequantForm::kRaw) {
    alignas(64) int32_t raw[kRows * kVectors * V::kLanes];
    DLPU_UNROLL
    for (int r = 0; r < kRows; ++r) {
      DLPU_UNROLL
      for (int j = 0; j < kVectors; ++j) V::Store(raw + (r * kVectors + j) * V::kLanes, acc[r][j]);
    }
    StoreRaw<V, kVectors>(raw, kRows, output, stride, panel);
    return;
  }
  RequantizeTile<V>(acc, panel);
  DLPU_UNROLL
  for (int r = 0; r < kRows; ++r) {
    V::template StoreCodes<kVectors>(output, acc[r], panel.mask, panel.store);
    output += stride;
  }
}

}  // namespace
}  // namespace dlpu
