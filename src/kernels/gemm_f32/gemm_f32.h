// SPDX-License-Identifier: Apache-2.0
// The right side of a float product, packed into panels that tiles read front to back, and the
// loop that multiplies rows by panels. The float convolution and the matrix product own such
// panels; everything here is read-only while it runs, so several threads may use one at once.
#pragma once

#include <cstdint>
#include <memory>
#include <new>
#include <span>
#include <vector>

#include "base/cpu.h"
#include "kernels/gemm_f32/tile.h"

namespace dlpu {

// All rows of this build, best first. The last needs no CPU flag.
std::span<const GemmF32Row> GemmF32Rows();

// The best row that `cpu` has.
const GemmF32Row& BestGemmF32Row(CpuFlags cpu);

// Uninitialised floats at a 64-byte boundary.
struct AlignedFloatsDelete {
  void operator()(float* p) const { ::operator delete[](p, std::align_val_t{64}); }
};
using AlignedFloats = std::unique_ptr<float[], AlignedFloatsDelete>;
AlignedFloats MakeAlignedFloats(int64_t count);

// Columns that one kind of tile computes together.
struct GemmF32Panel {
  int32_t first_column = 0, columns = 0;
  int32_t width = 0;                       // columns with padding
  int64_t offset = 0;                      // floats from the start of the packed weights
  int32_t max_rows = 0;                    // tiles[r - 1] computes r rows
  const GemmF32Function* tiles = nullptr;  // belongs to the row
};

// Where a product of `depth` x `columns` weights puts them.
struct GemmF32Layout {
  int64_t depth = 0;
  int32_t padded_columns = 0;
  int64_t packed_floats = 0;
  std::vector<GemmF32Panel> panels;
};
GemmF32Layout MakeGemmF32Layout(const GemmF32Row& row, int64_t depth, int32_t columns);

// Packs one panel: weight (k, c) of the whole matrix is at source[k * k_stride + c * c_stride].
// packed is where the layout's packed_floats begin; padding columns become zero.
void PackGemmF32Panel(const GemmF32Layout& layout, const GemmF32Panel& panel, const float* source,
                      int64_t k_stride, int64_t c_stride, float* packed);

// Computes `rows` rows of one panel. `tile` gives inputs, inputs_stride, segments, segment, low,
// high, output_stride, and weights, bias and output of the first row and of column 0 of all.
void RunGemmF32Panel(const GemmF32Panel& panel, const GemmF32Tile& tile, int64_t rows);

}  // namespace dlpu
