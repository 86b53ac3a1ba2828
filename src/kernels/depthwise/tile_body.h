// SPDX-License-Identifier: Apache-2.0
// The general depthwise kernel, written once over a vector type V: as kernels/requant/finish.h
// needs it, and
//   V::kTaps                         taps of one lane
//   V::Interleave(p, flip, v[4])     lanes of a block's four vectors from kTaps pointers
//   V::DotTaps(acc, v, weights)      acc + lane by lane dot product, weights in memory
// or, where V::kByTap exists and weights lie tap by tap,
//   V::AddTaps(acc[4], p, flip, weights)
// Included by files with instruction-set flags only, each with a copy of its own.
#pragma once

#include "kernels/depthwise/tile.h"
#include "kernels/requant/finish.h"

namespace dlpu {
namespace {

template <class V>
void TapRow(const uint8_t* input, ptrdiff_t input_step, int32_t count, uint8_t* output,
            ptrdiff_t output_step, const DepthwiseTapArgs& args) {
  using Int = typename V::Int;
  const auto* blocks = static_cast<const typename V::Block*>(args.requant.blocks);
  const Int flip = V::Set(static_cast<int32_t>(args.input_flip));
  for (int32_t x = 0; x < count; ++x, input += input_step, output += output_step) {
    Int acc[1][kDepthwiseVectors];
    DLPU_UNROLL
    for (int j = 0; j < kDepthwiseVectors; ++j) acc[0][j] = V::Load(blocks[j].init);
    const int32_t* offsets = args.offsets;
    const int8_t* weights = args.weights;
    for (int32_t g = 0; g < args.groups; ++g, offsets += V::kTaps) {
      const uint8_t* taps[V::kTaps];
      DLPU_UNROLL
      for (int t = 0; t < V::kTaps; ++t) taps[t] = input + offsets[t];
      if constexpr (requires { V::kByTap; }) {
        V::AddTaps(acc[0], taps, flip, weights);
        weights += V::kTaps * kDepthwiseVectors * V::kLanes;
      } else {
        Int v[kDepthwiseVectors];
        V::Interleave(taps, flip, v);
        DLPU_UNROLL
        for (int j = 0; j < kDepthwiseVectors; ++j, weights += 4 * V::kLanes) {
          V::DotTaps(acc[0][j], v[j], weights);
        }
      }
    }
    FinishTile<V>(acc, output, 0, args.requant);
  }
}

}  // namespace
}  // namespace dlpu
