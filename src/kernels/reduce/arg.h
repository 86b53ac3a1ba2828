// SPDX-License-Identifier: Apache-2.0
// Index of the largest or smallest element along one axis. Pure functions; any thread.
#pragma once

#include <cstdint>
#include <type_traits>
#include <vector>

#include "base/threads.h"

namespace dlpu {

// Index of the first extreme of `count` integers: two loops that compilers vectorise.
template <typename T>
int64_t FirstExtreme(const T* row, int64_t count, bool maximum) {
  T best = row[0];
  if (maximum) {
    for (int64_t i = 1; i < count; ++i) best = row[i] > best ? row[i] : best;
  } else {
    for (int64_t i = 1; i < count; ++i) best = row[i] < best ? row[i] : best;
  }
  int64_t index = 0;
  while (row[index] != best) ++index;
  return index;
}

// in: outer x axis x inner; out: outer x inner. The first of equal elements wins. A NaN never wins
// over a number; where there are only NaNs the index is 0. REQUIRES: axis > 0.
template <typename T, typename Index>
void ArgExtreme(const T* in, int64_t outer, int64_t axis, int64_t inner, bool maximum, Index* out,
                ThreadPool& pool) {
  // b != b: only a NaN differs from itself.
  const auto better = [maximum](T a, T b) {
    return (maximum ? a > b : a < b) || (b != b && a == a);
  };
  const int64_t grain = 1 + (1 << 15) / (axis * inner + 1);
  pool.ParallelFor(outer, grain, [&](int64_t begin, int64_t end, int) {
    for (int64_t o = begin; o < end; ++o) {
      const T* first = in + o * axis * inner;
      if (std::is_integral_v<T> && inner == 1) {
        out[o] = static_cast<Index>(FirstExtreme(first, axis, maximum));
        continue;
      }
      Index* index = out + o * inner;
      for (int64_t i = 0; i < inner; ++i) index[i] = 0;
      for (int64_t a = 1; a < axis; ++a) {
        const T* row = first + a * inner;
        for (int64_t i = 0; i < inner; ++i) {
          if (better(row[i], first[static_cast<int64_t>(index[i]) * inner + i])) {
            index[i] = static_cast<Index>(a);
          }
        }
      }
    }
  });
}

}  // namespace dlpu
