// SPDX-License-Identifier: Apache-2.0
// Float tiles in plain C++: 4 rows x 8 columns, for any CPU. Without fused operations, so on
// finite data it adds exactly as the reference does.
#include "kernels/gemm_f32/tile.h"

namespace dlpu {
namespace {

constexpr int kLanes = 8;

template <int kRows>
void Tile(const GemmF32Tile& t) {
  float acc[kRows][kLanes] = {};
  const float* w = t.weights;
  const float* const* inputs = t.inputs;
  for (int64_t s = t.segments; s != 0; --s, inputs += t.inputs_stride) {
    for (int64_t k = 0; k < t.segment; ++k, w += kLanes) {
      for (int r = 0; r < kRows; ++r) {
        const float a = inputs[r][k];
        for (int c = 0; c < kLanes; ++c) acc[r][c] += a * w[c];
      }
    }
  }
  for (int r = 0; r < kRows; ++r) {
    float* out = t.output + r * t.output_stride;
    for (int c = 0; c < t.columns; ++c) {
      float y = acc[r][c] + t.bias[c];
      y = y < t.low ? t.low : y;
      out[c] = y > t.high ? t.high : y;
    }
  }
}

const GemmF32Row kRows[] = {
    {"portable", 0, kLanes, {4, 0, 0, 0}, {{Tile<1>, Tile<2>, Tile<3>, Tile<4>}}, {}},
};

}  // namespace

GemmF32RowList GemmF32PortableRows() { return {kRows, 1}; }

}  // namespace dlpu
