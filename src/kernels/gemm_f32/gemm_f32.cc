// SPDX-License-Identifier: Apache-2.0
// Panels of packed weights, and the list of rows.
#include "kernels/gemm_f32/gemm_f32.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"

namespace dlpu {

namespace {

// to[k][c] = from[c][k] for four of each.
void Transpose4(const float* from, int64_t from_stride, float* to, int64_t to_stride) {
  typedef float Four __attribute__((vector_size(16)));
  Four r[4];
  for (int i = 0; i < 4; ++i) std::memcpy(&r[i], from + i * from_stride, sizeof(Four));
  const Four ab_low = __builtin_shufflevector(r[0], r[1], 0, 4, 1, 5);
  const Four ab_high = __builtin_shufflevector(r[0], r[1], 2, 6, 3, 7);
  const Four cd_low = __builtin_shufflevector(r[2], r[3], 0, 4, 1, 5);
  const Four cd_high = __builtin_shufflevector(r[2], r[3], 2, 6, 3, 7);
  const Four out[4] = {__builtin_shufflevector(ab_low, cd_low, 0, 1, 4, 5),
                       __builtin_shufflevector(ab_low, cd_low, 2, 3, 6, 7),
                       __builtin_shufflevector(ab_high, cd_high, 0, 1, 4, 5),
                       __builtin_shufflevector(ab_high, cd_high, 2, 3, 6, 7)};
  for (int i = 0; i < 4; ++i) std::memcpy(to + i * to_stride, &out[i], sizeof(Four));
}

}  // namespace

std::span<const GemmF32Row> GemmF32Rows() {
  static const std::vector<GemmF32Row> rows = [] {
    std::vector<GemmF32Row> all;
    for (const GemmF32RowList& list :
         {GemmF32Avx512Rows(), GemmF32Avx2Rows(), GemmF32NeonRows(), GemmF32Avx512UnfusedRows(),
          GemmF32Avx2UnfusedRows(), GemmF32PortableRows()}) {
      all.insert(all.end(), list.rows, list.rows + list.count);
    }
    return all;
  }();
  return rows;
}

const GemmF32Row& BestGemmF32Row(CpuFlags cpu) {
  const std::span<const GemmF32Row> rows = GemmF32Rows();
  const auto fits = [cpu](const GemmF32Row& row) { return (row.cpu & ~cpu) == 0; };
  const auto best = std::find_if(rows.begin(), rows.end(), fits);
  DLPU_CHECK(best != rows.end());
  return *best;
}

AlignedFloats MakeAlignedFloats(int64_t count) {
  return AlignedFloats(static_cast<float*>(::operator new[](
      static_cast<size_t>(std::max<int64_t>(count, 1)) * 4, std::align_val_t{64})));
}

GemmF32Layout MakeGemmF32Layout(const GemmF32Row& row, int64_t depth, int32_t columns) {
  GemmF32Layout layout;
  layout.depth = depth;
  if (columns == 1 && row.max_one_rows != 0) {
    layout.panels.push_back({.first_column = 0,
                             .columns = 1,
                             .width = 1,
                             .offset = 0,
                             .max_rows = row.max_one_rows,
                             .tiles = row.one});
    layout.padded_columns = 1;
    layout.packed_floats = depth;
    return layout;
  }
  int32_t most = kGemmF32MaxVectors;
  while (row.max_rows[most - 1] == 0) --most;
  // Panels of nearly equal width, so that none is narrow (narrow tiles load more than they add).
  const int32_t vectors = (columns + row.lanes - 1) / row.lanes;
  const int32_t count = (vectors + most - 1) / most;
  int32_t first_vector = 0;
  for (int32_t i = 0; i < count; ++i) {
    const int32_t v = vectors / count + (i < vectors % count ? 1 : 0);
    GemmF32Panel panel;
    panel.first_column = first_vector * row.lanes;
    panel.columns = std::min(columns - panel.first_column, v * row.lanes);
    panel.width = v * row.lanes;
    panel.tiles = row.full[v - 1];
    panel.max_rows = row.max_rows[v - 1];
    const int32_t with_half = panel.width - row.lanes / 2;
    if (row.half[v - 1][0] != nullptr && panel.columns <= with_half) {
      panel.width = with_half;
      panel.tiles = row.half[v - 1];
      panel.max_rows = row.max_half_rows[v - 1];
    }
    panel.offset = layout.packed_floats;
    layout.packed_floats += depth * panel.width;
    layout.padded_columns = panel.first_column + panel.width;
    layout.panels.push_back(panel);
    first_vector += v;
  }
  return layout;
}

void PackGemmF32Panel(const GemmF32Layout& layout, const GemmF32Panel& panel, const float* source,
                      int64_t k_stride, int64_t c_stride, float* packed) {
  float* to = packed + panel.offset;
  const float* from = source + panel.first_column * c_stride;
  const int64_t width = panel.width;
  if (panel.columns != panel.width) std::fill(to, to + layout.depth * width, 0.0f);
  if (c_stride == 1) {
    for (int64_t k = 0; k < layout.depth; ++k) {
      std::copy(from + k * k_stride, from + k * k_stride + panel.columns, to + k * width);
    }
    return;
  }
  // A transposition in blocks of one cache line of k and as many columns as lines of one cache set.
  constexpr int64_t kBlock = 16, kColumns = 8;
  for (int64_t c0 = 0; c0 < panel.columns; c0 += kColumns) {
    const int64_t c1 = std::min<int64_t>(c0 + kColumns, panel.columns);
    for (int64_t k0 = 0; k0 < layout.depth; k0 += kBlock) {
      const int64_t k1 = std::min(k0 + kBlock, layout.depth);
      if (k_stride == 1 && k1 - k0 == kBlock && c1 - c0 == kColumns) {
        for (int64_t k = k0; k < k1; k += 4) {
          Transpose4(from + c0 * c_stride + k, c_stride, to + k * width + c0, width);
          Transpose4(from + (c0 + 4) * c_stride + k, c_stride, to + k * width + c0 + 4, width);
        }
        continue;
      }
      for (int64_t c = c0; c < c1; ++c) {
        const float* x = from + c * c_stride;
        for (int64_t k = k0; k < k1; ++k) to[k * width + c] = x[k * k_stride];
      }
    }
  }
}

void RunGemmF32Panel(const GemmF32Panel& panel, const GemmF32Tile& tile, int64_t rows) {
  GemmF32Tile t = tile;
  t.weights += panel.offset;
  t.bias += panel.first_column;
  t.output += panel.first_column;
  t.columns = panel.columns;
  // Tiles of nearly equal height.
  const int64_t count = (rows + panel.max_rows - 1) / panel.max_rows;
  if (count == 0) return;
  const int64_t height = rows / count, taller = rows % count;
  for (int64_t i = 0; i < count; ++i) {
    const int64_t h = height + (i < taller ? 1 : 0);
    panel.tiles[h - 1](t);
    t.inputs += h;
    t.output += h * t.output_stride;
  }
}

}  // namespace dlpu
