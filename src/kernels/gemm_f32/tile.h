// SPDX-License-Identifier: Apache-2.0
// The one inner loop of float convolution, fully connected layers and matrix products: a tile of
// rows x columns of output, computed from pointers to input rows and packed weights. Plain
// structs only, because files with their own compiler flags include this. Constant data; any
// thread may call a tile.
#pragma once

#include <cstdint>

namespace dlpu {

constexpr int kGemmF32MaxRows = 9;
constexpr int kGemmF32MaxVectors = 4;

// output[r][c] = min(max(sum + bias[c], low), high). The sum (which may start from the bias) runs
// over `segments` pieces of `segment` floats of input row r, in order, and is never split: a tile's
// result does not depend on which rows share it.
struct GemmF32Tile {
  const float* const* inputs;  // piece s of row r starts at inputs[s * inputs_stride + r]
  int64_t inputs_stride;
  int64_t segments, segment;
  const float* weights;  // for each k: the panel's columns, padded to vectors (or half of one)
  const float* bias;     // the panel's columns, padded likewise
  float low, high;       // NaN passes
  float* output;         // row r starts at output + r * output_stride
  int64_t output_stride;
  int32_t columns;  // columns to store
};

using GemmF32Function = void (*)(const GemmF32Tile& tile);

// A way to compute tiles. full[v - 1][r - 1] is the tile of r rows and v vectors of `lanes`
// columns; half is the same with a last vector of lanes / 2 columns, or null throughout. one[r - 1]
// computes r rows of a product with a single column, whose weights are not padded, by dot products;
// null throughout: there is none.
struct GemmF32Row {
  const char* name;  // "avx512"
  uint32_t cpu;      // CpuFlags it needs
  int32_t lanes;
  int32_t max_rows[kGemmF32MaxVectors];  // for each number of vectors; 0: no such tile
  GemmF32Function full[kGemmF32MaxVectors][kGemmF32MaxRows];
  GemmF32Function half[kGemmF32MaxVectors][kGemmF32MaxRows];
  int32_t max_half_rows[kGemmF32MaxVectors] = {};  // of `half`
  GemmF32Function one[kGemmF32MaxRows] = {};
  int32_t max_one_rows = 0;
};

struct GemmF32RowList {
  const GemmF32Row* rows;
  int32_t count;
};

// One list for each file; empty where the compiler does not have the instructions.
GemmF32RowList GemmF32Avx512Rows();
GemmF32RowList GemmF32Avx2Rows();
GemmF32RowList GemmF32NeonRows();
GemmF32RowList GemmF32Avx512UnfusedRows();
GemmF32RowList GemmF32Avx2UnfusedRows();
GemmF32RowList GemmF32PortableRows();

}  // namespace dlpu
