// SPDX-License-Identifier: Apache-2.0
// Portable float tiles on AVX2: 4 rows x 16 columns, 6 rows x 8.
#include "base/cpu_unfused.h"
#include "kernels/gemm_f32/tile.h"

#if defined(__AVX2__)
#include "kernels/gemm_f32/unfused/body.h"

namespace dlpu {
namespace {

typedef float Eight __attribute__((vector_size(32)));

const GemmF32Row kRows[] = {
    {"avx2_unfused",
     kCpuAvx2Unfused,
     8,
     {6, 4, 0, 0},
     {{Tile<Eight, 1, 1>, Tile<Eight, 2, 1>, Tile<Eight, 3, 1>, Tile<Eight, 4, 1>,
       Tile<Eight, 5, 1>, Tile<Eight, 6, 1>},
      {Tile<Eight, 1, 2>, Tile<Eight, 2, 2>, Tile<Eight, 3, 2>, Tile<Eight, 4, 2>}},
     {}},
};

}  // namespace

GemmF32RowList GemmF32Avx2UnfusedRows() { return {kRows, 1}; }

}  // namespace dlpu
#else
namespace dlpu {
GemmF32RowList GemmF32Avx2UnfusedRows() { return {nullptr, 0}; }
}  // namespace dlpu
#endif
