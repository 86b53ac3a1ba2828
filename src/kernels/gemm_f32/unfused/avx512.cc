// SPDX-License-Identifier: Apache-2.0
// Portable float tiles on AVX-512: 6 rows x 48 columns, 8 rows x 32 and x 16.
#include "base/cpu_unfused.h"
#include "kernels/gemm_f32/tile.h"

#if defined(__AVX512F__)
#include "kernels/gemm_f32/unfused/body.h"

namespace dlpu {
namespace {

typedef float Sixteen __attribute__((vector_size(64)));

#define DLPU_TILES_6(n)                                                               \
  Tile<Sixteen, 1, n>, Tile<Sixteen, 2, n>, Tile<Sixteen, 3, n>, Tile<Sixteen, 4, n>, \
      Tile<Sixteen, 5, n>, Tile<Sixteen, 6, n>

const GemmF32Row kRows[] = {
    {"avx512_unfused",
     kCpuAvx512Unfused,
     16,
     {8, 8, 6, 0},
     {{DLPU_TILES_6(1), Tile<Sixteen, 7, 1>, Tile<Sixteen, 8, 1>},
      {DLPU_TILES_6(2), Tile<Sixteen, 7, 2>, Tile<Sixteen, 8, 2>},
      {DLPU_TILES_6(3)}},
     {}},
};

#undef DLPU_TILES_6

}  // namespace

GemmF32RowList GemmF32Avx512UnfusedRows() { return {kRows, 1}; }

}  // namespace dlpu
#else
namespace dlpu {
GemmF32RowList GemmF32Avx512UnfusedRows() { return {nullptr, 0}; }
}  // namespace dlpu
#endif
