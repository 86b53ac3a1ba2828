// SPDX-License-Identifier: Apache-2.0
// The end of every product kernel, written once over a vector type V (see
// kernels/requant/avx512.h): accumulators of a panel become codes. Included by files with
// instruction-set flags only, each with a copy of its own.
#pragma once

#include "kernels/requant/blocks.h"
#include "kernels/unroll.h"

namespace dlpu {
namespace {

// Turns n vectors of accumulators of the same channels into 32-bit codes in place. Not for kRaw.
template <class V, int n>
DLPU_INLINE void Requantize(typename V::Int (&x)[n], RequantForm form,
                            const typename V::Block& block) {
  switch (form) {
    case RequantForm::kFloat:
      DLPU_UNROLL
      for (int i = 0; i < n; ++i) x[i] = V::Float(x[i], block);
      break;
    case RequantForm::kFloatSigned:
      DLPU_UNROLL
      for (int i = 0; i < n; ++i) x[i] = V::FloatSigned(x[i], block);
      break;
    case RequantForm::kFixed:
      DLPU_UNROLL
      for (int i = 0; i < n; ++i) x[i] = V::Fixed(x[i], block);
      break;
    default:
      DLPU_UNROLL
      for (int i = 0; i < n; ++i) x[i] = V::FixedSigned(x[i], block);
      break;
  }
}

// Turns the accumulators of a tile into 32-bit codes in place, each vector by its own form.
template <class V, int kRows, int kVectors>
DLPU_INLINE void RequantizeTile(typename V::Int (&acc)[kRows][kVectors],
                                const RequantPanel& panel) {
  const auto* blocks = static_cast<const typename V::Block*>(panel.blocks);
  DLPU_UNROLL
  for (int j = 0; j < kVectors; ++j) {
    typename V::Int column[kRows];
    DLPU_UNROLL
    for (int r = 0; r < kRows; ++r) column[r] = acc[r][j];
    Requantize<V>(column, panel.forms[j], blocks[j]);
    DLPU_UNROLL
    for (int r = 0; r < kRows; ++r) acc[r][j] = column[r];
  }
}

// Stores a tile of codes; kHalf: only the lower half of the last vector holds channels.
template <class V, bool kHalf, int kRows, int kVectors>
DLPU_INLINE void StoreCodes(typename V::Int (&codes)[kRows][kVectors], uint8_t* output,
                            ptrdiff_t stride, const RequantPanel& panel) {
  if constexpr (kHalf) {
    V::template StoreTile<kRows, kVectors, true>(output, stride, codes, panel.mask, panel.store);
  } else {
    V::StoreTile(output, stride, codes, panel.mask, panel.store);
  }
}

// The slow exact path for kRaw: `rows` x `kVectors` vectors of accumulators from memory.
template <class V, int kVectors, bool kHalf>
__attribute__((noinline)) void StoreRaw(const int32_t* acc, int rows, uint8_t* output,
                                        ptrdiff_t stride, const RequantPanel& panel) {
  const auto* blocks = static_cast<const typename V::Block*>(panel.blocks);
  for (int r = 0; r < rows; ++r, output += stride) {
    typename V::Int codes[1][kVectors];
    for (int j = 0; j < kVectors; ++j, acc += V::kLanes) {
      codes[0][j] = V::Raw(V::Load(acc), blocks[j], panel.store);
    }
    StoreCodes<V, kHalf>(codes, output, 0, panel);
  }
}

// Requantizes a tile and stores row r at output + r * stride.
template <class V, bool kHalf = false, int kRows, int kVectors>
DLPU_INLINE void FinishTile(typename V::Int (&acc)[kRows][kVectors], uint8_t* output,
                            ptrdiff_t stride, const RequantPanel& panel) {
  if (panel.forms[0] == RequantForm::kRaw) {
    alignas(64) int32_t raw[kRows * kVectors * V::kLanes];
    DLPU_UNROLL
    for (int r = 0; r < kRows; ++r) {
      DLPU_UNROLL
      for (int j = 0; j < kVectors; ++j) V::Store(raw + (r * kVectors + j) * V::kLanes, acc[r][j]);
    }
    StoreRaw<V, kVectors, kHalf>(raw, kRows, output, stride, panel);
    return;
  }
  RequantizeTile<V>(acc, panel);
  StoreCodes<V, kHalf>(acc, output, stride, panel);
}

}  // namespace
}  // namespace dlpu
