// SPDX-License-Identifier: Apache-2.0
// Running sums along one axis. Pure functions; any thread.
#pragma once

#include <cstdint>
#include <type_traits>

#include "base/threads.h"

namespace dlpu {

// in, out: outer x axis x inner. out[a] = the sum of in[0..a], or of in[0..a-1] when exclusive;
// with `reverse` the axis is walked from its end. Sums start from 0; integers wrap.
template <typename T>
void Cumsum(const T* in, int64_t outer, int64_t axis, int64_t inner, bool exclusive, bool reverse,
            T* out, ThreadPool& pool) {
  const auto add = [](T a, T b) {
    if constexpr (std::is_integral_v<T>) {
      return static_cast<T>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
    } else {
      return a + b;
    }
  };
  const int64_t grain = 1 + (1 << 14) / (axis * inner + 1);
  pool.ParallelFor(outer, grain, [&](int64_t begin, int64_t end, int) {
    for (int64_t o = begin; o < end; ++o) {
      for (int64_t step = 0; step < axis; ++step) {
        const int64_t a = reverse ? axis - 1 - step : step;
        const T* row = in + (o * axis + a) * inner;
        T* to = out + (o * axis + a) * inner;
        const int64_t back = reverse ? inner : -inner;  // to the row before, in walking order
        for (int64_t i = 0; i < inner; ++i) {
          const T before = step == 0 ? T{0} : to[i + back];
          if (!exclusive) {
            to[i] = add(before, row[i]);
          } else {
            to[i] = step == 0 ? T{0} : add(before, row[i + back]);
          }
        }
      }
    }
  });
}

}  // namespace dlpu
