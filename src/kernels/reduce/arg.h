// SPDX-License-Identifier: Apache-2.0
// Index of the largest or smallest element along one axis. Pure functions; any thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <type_traits>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "base/threads.h"

namespace dlpu {

// Whether a takes the place of b. A NaN never does, and whatever else takes the place of a NaN.
// Without branches, for compilers to make vectors of.
template <bool kMaximum, typename T>
bool Beats(T a, T b) {
  // b != b: only a NaN differs from itself.
  return static_cast<bool>(static_cast<int>(kMaximum ? a > b : a < b) |
                           (static_cast<int>(b != b) & static_cast<int>(a == a)));
}

// Index of the first extreme of a contiguous row; 0 where there are only NaNs.
template <bool kMaximum, typename T>
int64_t ExtremeOfRow(const T* row, int64_t count) {
  using Limits = std::numeric_limits<T>;
  constexpr T kLeast = Limits::has_infinity ? -Limits::infinity() : Limits::lowest();
  constexpr T kMost = Limits::has_infinity ? Limits::infinity() : Limits::max();
  constexpr int64_t kLanes = 32 / sizeof(T);
  const auto better = [](T a, T b) { return (kMaximum ? a > b : a < b) ? a : b; };  // b for a NaN
  T best = kMaximum ? kLeast : kMost;
  int64_t i = 0;
  if (count >= 2 * kLanes) {
    T lanes[kLanes];
    std::fill(lanes, lanes + kLanes, best);
    for (; i + kLanes <= count; i += kLanes) {
      for (int64_t k = 0; k < kLanes; ++k) lanes[k] = better(row[i + k], lanes[k]);
    }
    for (const T lane : lanes) best = better(lane, best);
  }
  for (; i < count; ++i) best = better(row[i], best);
  int64_t at = 0;
  for (; at + kLanes <= count; at += kLanes) {
    int found = 0;
    for (int64_t k = 0; k < kLanes; ++k) found |= row[at + k] == best ? 1 : 0;
    if (found != 0) break;
  }
  while (at < count && row[at] != best) ++at;
  return at < count ? at : 0;
}

// Indices of the first extremes of `width` columns with `axis` rows that are `stride` apart.
template <bool kMaximum, typename T, typename Index>
void ExtremeOfColumns(const T* in, int64_t axis, int64_t stride, int64_t width, Index* out) {
  constexpr int64_t kColumns = 128;
  T best[kColumns];
  int32_t index[kColumns];
  for (int64_t c = 0; c < width; c += kColumns) {
    const int64_t columns = std::min(kColumns, width - c);
    std::copy(in + c, in + c + columns, best);
    std::fill(index, index + columns, 0);
    for (int64_t a = 1; a < axis; ++a) {
      const T* row = in + a * stride + c;
      const auto at = static_cast<int32_t>(a);
      for (int64_t i = 0; i < columns; ++i) {
        const bool beats = Beats<kMaximum>(row[i], best[i]);
        best[i] = beats ? row[i] : best[i];
        index[i] = beats ? at : index[i];
      }
    }
    for (int64_t i = 0; i < columns; ++i) out[c + i] = static_cast<Index>(index[i]);
  }
}

// Indices of the first extremes of `rows` contiguous rows of fewer than kShortRow elements: as many
// rows at a time as vectors hold.
inline constexpr int64_t kShortRow = 64;
template <bool kMaximum, typename T, typename Index>
void ExtremesOfShortRows(const T* in, int64_t axis, int64_t rows, Index* out) {
  using Small = std::conditional_t<sizeof(T) == 1, int8_t, int32_t>;
  constexpr int64_t kRows = 16;
  for (; rows >= kRows; rows -= kRows, in += kRows * axis, out += kRows) {
    T best[kRows];
    Small index[kRows] = {};
    int odd = 0;  // whether there is a NaN
    for (int64_t r = 0; r < kRows; ++r) {
      best[r] = in[r * axis];
      odd |= best[r] != best[r] ? 1 : 0;
    }
    for (int64_t a = 1; a < axis; ++a) {
      const auto at = static_cast<Small>(a);
      for (int64_t r = 0; r < kRows; ++r) {
        const T v = in[r * axis + a];
        const bool beats = kMaximum ? v > best[r] : v < best[r];
        best[r] = beats ? v : best[r];
        index[r] = beats ? at : index[r];
        odd |= v != v ? 1 : 0;
      }
    }
    for (int64_t r = 0; r < kRows; ++r) {
      out[r] =
          static_cast<Index>(odd != 0 ? ExtremeOfRow<kMaximum>(in + r * axis, axis) : index[r]);
    }
  }
  for (int64_t r = 0; r < rows; ++r) {
    out[r] = static_cast<Index>(ExtremeOfRow<kMaximum>(in + r * axis, axis));
  }
}

#if defined(__SSE2__)
// Index of the first extreme of one row of 16 to 63 codes: up to four vectors, the last of which
// ends where the row does.
template <bool kMaximum, typename T>
int64_t ExtremeOfCodes(const T* row, int64_t count) {
  // Flipped so that the extreme is the largest unsigned byte.
  const int flip = (std::is_signed_v<T> ? 0x80 : 0) ^ (kMaximum ? 0 : 0xff);
  const __m128i flips = _mm_set1_epi8(static_cast<char>(flip));
  __m128i codes[4], best = _mm_setzero_si128();
  const int64_t vectors = (count + 15) / 16;
  const auto start = [&](int64_t v) { return v + 1 < vectors ? 16 * v : count - 16; };
  for (int64_t v = 0; v < vectors; ++v) {
    codes[v] =
        _mm_xor_si128(_mm_loadu_si128(reinterpret_cast<const __m128i*>(row + start(v))), flips);
    best = _mm_max_epu8(best, codes[v]);
  }
  best = _mm_max_epu8(best, _mm_srli_si128(best, 8));
  best = _mm_max_epu8(best, _mm_srli_si128(best, 4));
  best = _mm_max_epu8(best, _mm_srli_si128(best, 2));
  best = _mm_max_epu8(best, _mm_srli_si128(best, 1));
  best = _mm_set1_epi8(static_cast<char>(_mm_cvtsi128_si32(best)));
  for (int64_t v = 0;; ++v) {
    const int found = _mm_movemask_epi8(_mm_cmpeq_epi8(codes[v], best));
    if (found != 0) return start(v) + __builtin_ctz(static_cast<unsigned>(found));
  }
}
#endif

// in: outer x axis x inner; out: outer x inner. The first of equal elements wins. A NaN never wins
// over a number; where there are only NaNs the index is 0. REQUIRES: axis > 0.
template <bool kMaximum, typename T, typename Index>
void ArgExtremeOf(const T* in, int64_t outer, int64_t axis, int64_t inner, Index* out,
                  ThreadPool& pool) {
  constexpr int64_t kGrain = 1 << 15;  // elements worth a second thread
  if (inner == 1) {
    pool.ParallelFor(outer, 1 + kGrain / axis, [&](int64_t begin, int64_t end, int) {
#if defined(__SSE2__)
      if constexpr (sizeof(T) == 1) {
        if (axis >= 16 && axis < kShortRow) {
          for (int64_t o = begin; o < end; ++o) {
            out[o] = static_cast<Index>(ExtremeOfCodes<kMaximum>(in + o * axis, axis));
          }
          return;
        }
      }
#endif
      if (axis < kShortRow) {
        ExtremesOfShortRows<kMaximum>(in + begin * axis, axis, end - begin, out + begin);
        return;
      }
      for (int64_t o = begin; o < end; ++o) {
        out[o] = static_cast<Index>(ExtremeOfRow<kMaximum>(in + o * axis, axis));
      }
    });
    return;
  }
  if (inner == 0) return;
  // A task is some of the columns of one outer index.
  const int64_t width = std::min(inner, std::max<int64_t>(128, kGrain / axis));
  const int64_t tasks = (inner + width - 1) / width;
  const int64_t grain = 1 + kGrain / (axis * width);
  pool.ParallelFor(outer * tasks, grain, [&](int64_t begin, int64_t end, int) {
    for (int64_t t = begin; t < end; ++t) {
      const int64_t o = t / tasks, first = t % tasks * width;
      ExtremeOfColumns<kMaximum>(in + o * axis * inner + first, axis, inner,
                                 std::min(width, inner - first), out + o * inner + first);
    }
  });
}

template <typename T, typename Index>
void ArgExtreme(const T* in, int64_t outer, int64_t axis, int64_t inner, bool maximum, Index* out,
                ThreadPool& pool) {
  maximum ? ArgExtremeOf<true>(in, outer, axis, inner, out, pool)
          : ArgExtremeOf<false>(in, outer, axis, inner, out, pool);
}

}  // namespace dlpu
