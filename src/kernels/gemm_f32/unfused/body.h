// SPDX-License-Identifier: Apache-2.0
// Float tiles that multiply and add in two roundings, as the portable ones do and with their bits,
// on wider vectors. Included by files with instruction-set flags only, each with a copy of its own;
// the build forbids the compiler to fuse a * b + c.
#pragma once

#include "kernels/gemm_f32/tile.h"

namespace dlpu {
namespace {

// V: a vector type of floats (vector_size).
template <class V, int kRows, int kVectors>
void Tile(const GemmF32Tile& t) {
  constexpr int kLanes = sizeof(V) / sizeof(float);
  V acc[kRows][kVectors] = {};
  const float* w = t.weights;
  const float* const* inputs = t.inputs;
  for (int64_t s = t.segments; s != 0; --s, inputs += t.inputs_stride) {
    const float* x[kRows];
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) x[r] = inputs[r];
    for (int64_t k = 0; k < t.segment; ++k, w += kVectors * kLanes) {
      V b[kVectors];
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) __builtin_memcpy(&b[v], w + v * kLanes, sizeof(V));
#pragma GCC unroll 8
      for (int r = 0; r < kRows; ++r) {
        const float a = x[r][k];
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; ++v) acc[r][v] += a * b[v];
      }
    }
  }
  for (int r = 0; r < kRows; ++r) {
    float sums[kVectors * kLanes];
    __builtin_memcpy(sums, acc[r], sizeof(sums));
    float* out = t.output + r * t.output_stride;
    for (int c = 0; c < t.columns; ++c) {
      float y = sums[c] + t.bias[c];
      y = y < t.low ? t.low : y;
      out[c] = y > t.high ? t.high : y;
    }
  }
}

}  // namespace
}  // namespace dlpu
