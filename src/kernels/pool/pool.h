// SPDX-License-Identifier: Apache-2.0
// Average and maximum pooling over windows of a picture. The functions are the specification;
// they are pure and split their work over the pool's threads.
#pragma once

#include <cstdint>

#include "base/threads.h"

namespace dlpu {

// Input N,H,W,C; output N,out_h,out_w,C. A window covers filter_h x filter_w positions from
// (oy * stride_h - pad_top, ox * stride_w - pad_left); positions outside the picture do not count.
// Every window must hold at least one position of the picture.
template <typename Bound>
struct PoolSpec {
  int32_t batch = 1, in_h = 1, in_w = 1, channels = 1;
  int32_t out_h = 1, out_w = 1;
  int32_t filter_h = 1, filter_w = 1, stride_h = 1, stride_w = 1;
  int32_t pad_top = 0, pad_left = 0;
  Bound low{}, high{};  // bounds of the output, after activation
};
using PoolSpecInt = PoolSpec<int32_t>;  // bounds as codes
using PoolSpecFloat = PoolSpec<float>;

// Bytes of scratch that the average of integers needs with a pool of `threads` threads.
int64_t AveragePoolScratchBytes(int32_t channels, int threads);

// Integers: the sum divided by the count, to nearest, halves away from zero (LiteRT AveragePool).
void AveragePool(const PoolSpecInt& spec, const uint8_t* input, uint8_t* output, uint8_t* scratch,
                 ThreadPool& pool);
void AveragePool(const PoolSpecInt& spec, const int8_t* input, int8_t* output, uint8_t* scratch,
                 ThreadPool& pool);
void AveragePool(const PoolSpecInt& spec, const int16_t* input, int16_t* output, uint8_t* scratch,
                 ThreadPool& pool);
// float32: a binary32 sum, row by row, then one division.
void AveragePool(const PoolSpecFloat& spec, const float* input, float* output, uint8_t* scratch,
                 ThreadPool& pool);

void MaxPool(const PoolSpecInt& spec, const uint8_t* input, uint8_t* output, ThreadPool& pool);
void MaxPool(const PoolSpecInt& spec, const int8_t* input, int8_t* output, ThreadPool& pool);
void MaxPool(const PoolSpecInt& spec, const int16_t* input, int16_t* output, ThreadPool& pool);
void MaxPool(const PoolSpecFloat& spec, const float* input, float* output, ThreadPool& pool);

}  // namespace dlpu
