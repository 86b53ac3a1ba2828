// SPDX-License-Identifier: Apache-2.0
// The k largest elements of each row with their positions. Pure functions; any thread.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/threads.h"

namespace dlpu {

// in: rows x width; values, positions: rows x k, largest first. Of equal elements the earlier one
// comes first; NaN is smaller than any number. scratch: threads x width positions.
// REQUIRES: 0 < k <= width.
template <typename T, typename Index>
void TopK(const T* in, int64_t rows, int64_t width, int64_t k, T* values, Index* positions,
          int32_t* scratch, ThreadPool& pool) {
  const int64_t grain = 1 + (1 << 13) / width;
  pool.ParallelFor(rows, grain, [&](int64_t begin, int64_t end, int thread) {
    int32_t* order = scratch + thread * width;
    for (int64_t r = begin; r < end; ++r) {
      const T* row = in + r * width;
      const auto before = [row](int32_t a, int32_t b) {
        const bool a_nan = row[a] != row[a], b_nan = row[b] != row[b];
        if (a_nan != b_nan) return b_nan;
        if (row[a] > row[b]) return true;
        if (row[a] < row[b]) return false;
        return a < b;
      };
      for (int64_t i = 0; i < width; ++i) order[i] = static_cast<int32_t>(i);
      std::partial_sort(order, order + k, order + width, before);
      for (int64_t i = 0; i < k; ++i) {
        values[r * k + i] = row[order[i]];
        positions[r * k + i] = static_cast<Index>(order[i]);
      }
    }
  });
}

}  // namespace dlpu
