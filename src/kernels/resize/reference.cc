// SPDX-License-Identifier: Apache-2.0
// Scalar resizing. Channels are innermost, so that the compiler vectorises over them.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <type_traits>

#include "kernels/resize/resize.h"

namespace dlpu {
namespace {

float FloatScale(const ResizeAxis& axis) {
  if (axis.align_corners && axis.output > 1) {
    return static_cast<float>(axis.input - 1) / static_cast<float>(axis.output - 1);
  }
  return static_cast<float>(axis.input) / static_cast<float>(axis.output);
}

// Calls body(row of the output counted over the batch) for every row.
template <typename Body>
void ForEachRow(const ResizeShape& s, ThreadPool& pool, const Body& body) {
  const int64_t row_work = static_cast<int64_t>(s.out_w) * s.channels;
  const int64_t grain = std::max<int64_t>(1, 8192 / std::max<int64_t>(1, row_work));
  pool.ParallelFor(static_cast<int64_t>(s.batch) * s.out_h, grain,
                   [&](int64_t begin, int64_t end, int) {
                     for (int64_t row = begin; row < end; ++row) body(row);
                   });
}

// The four neighbours of an output pixel.
template <typename T>
struct Corners {
  const T *top_left, *bottom_left, *top_right, *bottom_right;
};

// Calls body(corners, y tap, x tap, output pixel).
template <typename T, typename Weight, typename Body>
void ForEachPixel(const ResizeShape& s, const std::vector<BilinearTap<Weight>>& ys,
                  const std::vector<BilinearTap<Weight>>& xs, const T* input, T* output,
                  ThreadPool& pool, const Body& body) {
  const int64_t c = s.channels;
  ForEachRow(s, pool, [&](int64_t row) {
    const T* image = input + row / s.out_h * s.in_h * s.in_w * c;
    const BilinearTap<Weight>& y = ys[row % s.out_h];
    const T* top = image + y.low * s.in_w * c;
    const T* bottom = image + y.high * s.in_w * c;
    for (int64_t ox = 0; ox < s.out_w; ++ox) {
      const BilinearTap<Weight>& x = xs[ox];
      body(Corners<T>{top + x.low * c, bottom + x.low * c, top + x.high * c, bottom + x.high * c},
           y.weight, x.weight, output + (row * s.out_w + ox) * c);
    }
  });
}

template <typename T>
void BilinearInteger(const ResizeShape& s, const std::vector<BilinearTap<int32_t>>& ys,
                     const std::vector<BilinearTap<int32_t>>& xs, const T* input, T* output,
                     ThreadPool& pool) {
  ForEachPixel(s, ys, xs, input, output, pool,
               [&](const Corners<T>& in, int64_t dy, int64_t dx, T* out) {
                 const int64_t a = (1024 - dy) * (1024 - dx), b = dy * (1024 - dx);
                 const int64_t c = (1024 - dy) * dx, d = dy * dx;
                 for (int64_t i = 0; i < s.channels; ++i) {
                   const int64_t sum = in.top_left[i] * a + in.bottom_left[i] * b +
                                       in.top_right[i] * c + in.bottom_right[i] * d;
                   out[i] = static_cast<T>((sum + (sum > 0 ? 1 << 19 : -(1 << 19))) / (1 << 20));
                 }
               });
}

// Both source rows times their vertical weight, which all pixels of an output row share. Every
// product and sum has the order of top_left * (1 - dy) * (1 - dx) + bottom_left * dy * (1 - dx) +
// top_right * (1 - dy) * dx + bottom_right * dy * dx, so sharing changes no bit.
template <typename T>
void BilinearFloat(const ResizeShape& s, const std::vector<BilinearTap<float>>& ys,
                   const std::vector<BilinearTap<float>>& xs, const BilinearRow& row,
                   const T* input, T* output, float* scratch, ThreadPool& pool) {
  const int64_t c = s.channels, row_size = s.in_w * c;
  const int64_t grain = std::max<int64_t>(1, 8192 / std::max<int64_t>(1, s.out_w * c));
  pool.ParallelFor(static_cast<int64_t>(s.batch) * s.out_h, grain,
                   [&](int64_t begin, int64_t end, int thread) {
                     float* __restrict upper = scratch + thread * 2 * row_size;
                     float* __restrict lower = upper + row_size;
                     for (int64_t line = begin; line < end; ++line) {
                       const T* image = input + line / s.out_h * s.in_h * row_size;
                       const BilinearTap<float>& y = ys[line % s.out_h];
                       const T* top = image + y.low * row_size;
                       const T* bottom = image + y.high * row_size;
                       const float dy = y.weight, rest_y = 1 - y.weight;
                       for (int64_t i = 0; i < row_size; ++i)
                         upper[i] = static_cast<float>(top[i]) * rest_y;
                       for (int64_t i = 0; i < row_size; ++i)
                         lower[i] = static_cast<float>(bottom[i]) * dy;
                       const BilinearRowArgs args{upper, lower, xs.data(), s.out_w, c};
                       if constexpr (std::is_floating_point_v<T>) {
                         row.floats(args, output + line * s.out_w * c);
                       } else {
                         row.codes(args, output + line * s.out_w * c);
                       }
                     }
                   });
}

}  // namespace

std::vector<int32_t> NearestPositions(const ResizeAxis& axis) {
  const float scale = FloatScale(axis);
  std::vector<int32_t> positions(static_cast<size_t>(axis.output));
  for (int32_t i = 0; i < axis.output; ++i) {
    const float center = (static_cast<float>(i) + (axis.half_pixel_centers ? 0.5f : 0.0f)) * scale;
    const float position = axis.align_corners ? std::round(center) : std::floor(center);
    positions[i] = std::max(0, std::min(static_cast<int32_t>(position), axis.input - 1));
  }
  return positions;
}

void ResizeNearest(const ResizeShape& s, int64_t pixel_bytes, const std::vector<int32_t>& ys,
                   const std::vector<int32_t>& xs, const uint8_t* input, uint8_t* output,
                   ThreadPool& pool) {
  ForEachRow(s, pool, [&](int64_t row) {
    const uint8_t* from =
        input + (row / s.out_h * s.in_h + ys[row % s.out_h]) * s.in_w * pixel_bytes;
    uint8_t* to = output + row * s.out_w * pixel_bytes;
    for (int64_t x = 0; x < s.out_w; ++x, to += pixel_bytes) {
      std::memcpy(to, from + xs[x] * pixel_bytes, static_cast<size_t>(pixel_bytes));
    }
  });
}

void ResizeNearestRange(const ResizeShape& s, const std::vector<int32_t>& ys,
                        const std::vector<int32_t>& xs, const float* input, float* output,
                        int64_t begin, int64_t count) {
  const int64_t c = s.channels;
  int64_t x = begin / c % s.out_w, row = begin / c / s.out_w, channel = begin % c;
  for (; count > 0; ++row, x = 0) {
    const float* from = input + (row / s.out_h * s.in_h + ys[row % s.out_h]) * s.in_w * c;
    for (; x < s.out_w && count > 0; ++x, channel = 0) {
      const int64_t n = std::min(c - channel, count);
      output = std::copy_n(from + xs[x] * c + channel, n, output);
      count -= n;
    }
  }
}

std::vector<BilinearTap<int32_t>> IntegerTaps(const ResizeAxis& axis) {
  const int64_t in = axis.input, out = axis.output;
  const int64_t scale = axis.align_corners && out > 1
                            ? (1024 * (in - 1) + (out - 1) / 2) / (out - 1)
                            : (1024 * in + out / 2) / out;
  std::vector<BilinearTap<int32_t>> taps(static_cast<size_t>(out));
  for (int64_t i = 0; i < out; ++i) {
    const int64_t position = i * scale + (axis.half_pixel_centers ? scale / 2 - 512 : 0);
    // The upper limit of `low` keeps enlargements of 2000 and more, whose scale rounds up, inside
    // the picture; LiteRT reads past its end there.
    const int64_t low = std::min(std::max<int64_t>(position / 1024, 0), in - 1);
    const int64_t high = std::min((position + 1023) / 1024, in - 1);
    taps[i] = {static_cast<int32_t>(low), static_cast<int32_t>(std::max<int64_t>(high, 0)),
               static_cast<int32_t>(position - 1024 * low)};
  }
  return taps;
}

std::vector<BilinearTap<float>> FloatTaps(const ResizeAxis& axis) {
  const float scale = FloatScale(axis);
  std::vector<BilinearTap<float>> taps(static_cast<size_t>(axis.output));
  for (int32_t i = 0; i < axis.output; ++i) {
    const float position = axis.half_pixel_centers ? (static_cast<float>(i) + 0.5f) * scale - 0.5f
                                                   : static_cast<float>(i) * scale;
    const int32_t low = std::max(static_cast<int32_t>(std::floor(position)), 0);
    const int32_t high = std::min(static_cast<int32_t>(std::ceil(position)), axis.input - 1);
    taps[i] = {std::min(low, axis.input - 1), std::max(high, 0),
               position - static_cast<float>(low)};
  }
  return taps;
}

void ResizeBilinear(const ResizeShape& shape, const std::vector<BilinearTap<int32_t>>& ys,
                    const std::vector<BilinearTap<int32_t>>& xs, const int8_t* input,
                    int8_t* output, ThreadPool& pool) {
  BilinearInteger(shape, ys, xs, input, output, pool);
}
void ResizeBilinear(const ResizeShape& shape, const std::vector<BilinearTap<int32_t>>& ys,
                    const std::vector<BilinearTap<int32_t>>& xs, const int16_t* input,
                    int16_t* output, ThreadPool& pool) {
  BilinearInteger(shape, ys, xs, input, output, pool);
}
void ResizeBilinear(const ResizeShape& shape, const std::vector<BilinearTap<float>>& ys,
                    const std::vector<BilinearTap<float>>& xs, const BilinearRow& row,
                    const uint8_t* input, uint8_t* output, float* scratch, ThreadPool& pool) {
  BilinearFloat(shape, ys, xs, row, input, output, scratch, pool);
}
void ResizeBilinear(const ResizeShape& shape, const std::vector<BilinearTap<float>>& ys,
                    const std::vector<BilinearTap<float>>& xs, const BilinearRow& row,
                    const float* input, float* output, float* scratch, ThreadPool& pool) {
  BilinearFloat(shape, ys, xs, row, input, output, scratch, pool);
}

}  // namespace dlpu
