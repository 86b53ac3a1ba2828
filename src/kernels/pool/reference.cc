// SPDX-License-Identifier: Apache-2.0
// Scalar pooling. Channels are innermost, so that the compiler vectorises over them.
#include <algorithm>
#include <limits>
#include <type_traits>

#include "kernels/pool/pool.h"

namespace dlpu {
namespace {

// The part of a window that lies inside the picture.
struct Window {
  int32_t y0, y1, x0, x1;
  int32_t count() const { return (y1 - y0) * (x1 - x0); }
};

template <typename Bound>
Window ClampWindow(const PoolSpec<Bound>& s, int64_t oy, int64_t ox) {
  const int64_t y = oy * s.stride_h - s.pad_top, x = ox * s.stride_w - s.pad_left;
  const auto clamp = [](int64_t v, int32_t end) {
    return static_cast<int32_t>(std::min<int64_t>(std::max<int64_t>(v, 0), end));
  };
  return {clamp(y, s.in_h), clamp(y + s.filter_h, s.in_h), clamp(x, s.in_w),
          clamp(x + s.filter_w, s.in_w)};
}

// Calls body(pixels of the window's batch, window, output pixel, thread) for every output pixel.
template <typename Bound, typename T, typename Body>
void ForEachWindow(const PoolSpec<Bound>& s, const T* input, T* output, ThreadPool& pool,
                   const Body& body) {
  const int64_t rows = static_cast<int64_t>(s.batch) * s.out_h;
  const int64_t row_work = static_cast<int64_t>(s.out_w) * s.channels * s.filter_h * s.filter_w;
  const int64_t grain = std::max<int64_t>(1, 16384 / std::max<int64_t>(1, row_work));
  pool.ParallelFor(rows, grain, [&](int64_t begin, int64_t end, int thread) {
    for (int64_t row = begin; row < end; ++row) {
      const T* image = input + row / s.out_h * s.in_h * s.in_w * s.channels;
      for (int64_t ox = 0; ox < s.out_w; ++ox) {
        body(image, ClampWindow(s, row % s.out_h, ox), output + (row * s.out_w + ox) * s.channels,
             thread);
      }
    }
  });
}

template <typename T>
void Average(const PoolSpecInt& s, const T* input, T* output, uint8_t* scratch, ThreadPool& pool) {
  int32_t* sums = reinterpret_cast<int32_t*>(scratch);
  const int64_t c = s.channels;
  ForEachWindow(s, input, output, pool, [&](const T* image, Window w, T* out, int thread) {
    int32_t* sum = sums + thread * c;
    std::fill(sum, sum + c, 0);
    for (int64_t y = w.y0; y < w.y1; ++y) {
      for (int64_t x = w.x0; x < w.x1; ++x) {
        const T* in = image + (y * s.in_w + x) * c;
        for (int64_t i = 0; i < c; ++i) sum[i] += in[i];
      }
    }
    const int32_t n = w.count(), half = n / 2;
    for (int64_t i = 0; i < c; ++i) {
      const int32_t nudged = sum[i] > 0 || std::is_unsigned_v<T> ? sum[i] + half : sum[i] - half;
      out[i] = static_cast<T>(std::min(std::max(nudged / n, s.low), s.high));
    }
  });
}

template <typename Bound, typename T>
void MaxOfWindows(const PoolSpec<Bound>& s, const T* input, T* output, ThreadPool& pool) {
  const int64_t c = s.channels;
  const T low = static_cast<T>(s.low), high = static_cast<T>(s.high);
  ForEachWindow(s, input, output, pool, [&](const T* image, Window w, T* out, int) {
    std::fill(out, out + c, std::numeric_limits<T>::lowest());
    for (int64_t y = w.y0; y < w.y1; ++y) {
      for (int64_t x = w.x0; x < w.x1; ++x) {
        const T* in = image + (y * s.in_w + x) * c;
        for (int64_t i = 0; i < c; ++i) out[i] = std::max(out[i], in[i]);
      }
    }
    for (int64_t i = 0; i < c; ++i) out[i] = std::min(std::max(out[i], low), high);
  });
}

// int8 is compared as uint8 with the top bit inverted, for which every x86-64 has an instruction.
template <typename T>
using MaxCode = std::conditional_t<std::is_same_v<T, int8_t>, uint8_t, T>;
template <typename T>
constexpr MaxCode<T> kMaxFlip = std::is_same_v<T, int8_t> ? 0x80 : 0;

// best[i] = max(best[i], in[i] ^ flip)
template <typename Code, typename T>
void RaiseTo(Code* __restrict best, const T* __restrict in, Code flip, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    const Code code = static_cast<Code>(static_cast<Code>(in[i]) ^ flip);
    best[i] = best[i] > code ? best[i] : code;
  }
}

// Integers (their maximum does not depend on the order): the maximum of a window's rows first,
// which the windows of an output row share, then along them.
template <typename T>
void Max(const PoolSpecInt& s, const T* input, T* output, ThreadPool& pool) {
  using Code = MaxCode<T>;
  constexpr int64_t kColumns = 8192;  // codes of the maxima of one row, on the stack
  if (s.in_w > kColumns) return MaxOfWindows(s, input, output, pool);
  const auto bound = [](int32_t code) {
    return static_cast<Code>(static_cast<Code>(code) ^ kMaxFlip<T>);
  };
  const Code low = bound(s.low), high = bound(s.high);
  const int64_t c = s.channels, most = std::min(c, kColumns / s.in_w);
  const int64_t work = static_cast<int64_t>(s.out_w) * c * (s.filter_h + s.filter_w);
  const int64_t grain = std::max<int64_t>(1, 65536 / std::max<int64_t>(1, work));
  pool.ParallelFor(int64_t{s.batch} * s.out_h, grain, [&](int64_t begin, int64_t end, int) {
    Code columns[kColumns], best[kColumns];
    for (int64_t row = begin; row < end; ++row) {
      const T* image = input + row / s.out_h * s.in_h * s.in_w * c;
      const Window rows = ClampWindow(s, row % s.out_h, 0);
      for (int64_t from = 0; from < c; from += most) {
        const int64_t n = std::min(most, c - from);
        std::fill(columns, columns + s.in_w * n, std::numeric_limits<Code>::lowest());
        for (int64_t y = rows.y0; y < rows.y1; ++y) {
          const T* in = image + y * s.in_w * c + from;
          if (n == c) {
            RaiseTo(columns, in, kMaxFlip<T>, s.in_w * n);
          } else {
            for (int64_t x = 0; x < s.in_w; ++x) {
              RaiseTo(columns + x * n, in + x * c, kMaxFlip<T>, n);
            }
          }
        }
        T* out = output + row * s.out_w * c + from;
        for (int64_t ox = 0; ox < s.out_w; ++ox, out += c) {
          const Window w = ClampWindow(s, row % s.out_h, ox);
          std::fill(best, best + n, low);
          for (int64_t x = w.x0; x < w.x1; ++x) RaiseTo(best, columns + x * n, Code{0}, n);
          for (int64_t i = 0; i < n; ++i) {
            const Code code = best[i] < high ? best[i] : high;
            out[i] = static_cast<T>(code ^ kMaxFlip<T>);
          }
        }
      }
    }
  });
}

}  // namespace

int64_t AveragePoolScratchBytes(int32_t channels, int threads) {
  return static_cast<int64_t>(channels) * threads * static_cast<int64_t>(sizeof(int32_t));
}

void AveragePool(const PoolSpecInt& spec, const uint8_t* input, uint8_t* output, uint8_t* scratch,
                 ThreadPool& pool) {
  Average(spec, input, output, scratch, pool);
}
void AveragePool(const PoolSpecInt& spec, const int8_t* input, int8_t* output, uint8_t* scratch,
                 ThreadPool& pool) {
  Average(spec, input, output, scratch, pool);
}
void AveragePool(const PoolSpecInt& spec, const int16_t* input, int16_t* output, uint8_t* scratch,
                 ThreadPool& pool) {
  Average(spec, input, output, scratch, pool);
}
void AveragePool(const PoolSpecFloat& s, const float* input, float* output, uint8_t*,
                 ThreadPool& pool) {
  const int64_t c = s.channels;
  ForEachWindow(s, input, output, pool, [&](const float* image, Window w, float* out, int) {
    std::fill(out, out + c, 0.0f);
    for (int64_t y = w.y0; y < w.y1; ++y) {
      for (int64_t x = w.x0; x < w.x1; ++x) {
        const float* in = image + (y * s.in_w + x) * c;
        for (int64_t i = 0; i < c; ++i) out[i] += in[i];
      }
    }
    const float n = static_cast<float>(w.count());
    for (int64_t i = 0; i < c; ++i) out[i] = std::min(std::max(out[i] / n, s.low), s.high);
  });
}

void MaxPool(const PoolSpecInt& spec, const uint8_t* input, uint8_t* output, ThreadPool& pool) {
  Max(spec, input, output, pool);
}
void MaxPool(const PoolSpecInt& spec, const int8_t* input, int8_t* output, ThreadPool& pool) {
  Max(spec, input, output, pool);
}
void MaxPool(const PoolSpecInt& spec, const int16_t* input, int16_t* output, ThreadPool& pool) {
  Max(spec, input, output, pool);
}
void MaxPool(const PoolSpecFloat& spec, const float* input, float* output, ThreadPool& pool) {
  MaxOfWindows(spec, input, output, pool);
}

}  // namespace dlpu
