// SPDX-License-Identifier: Apache-2.0
// Resizing of pictures as LiteRT's reference kernels do it. Coordinates of each axis are computed
// once, when a layer is prepared, and read by any thread; the functions are the specification and
// split rows over the pool's threads.
#pragma once

#include <cstdint>
#include <vector>

#include "base/threads.h"
#include "kernels/resize/row.h"

namespace dlpu {

struct ResizeAxis {
  int32_t input = 1, output = 1;
  bool align_corners = false, half_pixel_centers = false;
};

// Input N,in_h,in_w,C; output N,out_h,out_w,C.
struct ResizeShape {
  int32_t batch = 1, in_h = 1, in_w = 1, out_h = 1, out_w = 1, channels = 1;
};

// The input position that each output position copies.
std::vector<int32_t> NearestPositions(const ResizeAxis& axis);
// Copies pixels of `pixel_bytes` (all channels).
void ResizeNearest(const ResizeShape& shape, int64_t pixel_bytes, const std::vector<int32_t>& ys,
                   const std::vector<int32_t>& xs, const uint8_t* input, uint8_t* output,
                   ThreadPool& pool);

// Elements [begin, begin + count) of the same output, counted over the batch, of float32.
void ResizeNearestRange(const ResizeShape& shape, const std::vector<int32_t>& ys,
                        const std::vector<int32_t>& xs, const float* input, float* output,
                        int64_t begin, int64_t count);

// Ten fraction bits (int8 and int16).
std::vector<BilinearTap<int32_t>> IntegerTaps(const ResizeAxis& axis);
void ResizeBilinear(const ResizeShape& shape, const std::vector<BilinearTap<int32_t>>& ys,
                    const std::vector<BilinearTap<int32_t>>& xs, const int8_t* input,
                    int8_t* output, ThreadPool& pool);
void ResizeBilinear(const ResizeShape& shape, const std::vector<BilinearTap<int32_t>>& ys,
                    const std::vector<BilinearTap<int32_t>>& xs, const int16_t* input,
                    int16_t* output, ThreadPool& pool);

// binary32 (float32 and uint8; uint8 adds a half and truncates). scratch: 2 * in_w * channels
// floats for each thread of the pool. Every row gives the same bits.
std::vector<BilinearTap<float>> FloatTaps(const ResizeAxis& axis);
void ResizeBilinear(const ResizeShape& shape, const std::vector<BilinearTap<float>>& ys,
                    const std::vector<BilinearTap<float>>& xs, const BilinearRow& row,
                    const uint8_t* input, uint8_t* output, float* scratch, ThreadPool& pool);
void ResizeBilinear(const ResizeShape& shape, const std::vector<BilinearTap<float>>& ys,
                    const std::vector<BilinearTap<float>>& xs, const BilinearRow& row,
                    const float* input, float* output, float* scratch, ThreadPool& pool);

}  // namespace dlpu
