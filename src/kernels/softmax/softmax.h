// SPDX-License-Identifier: Apache-2.0
// Softmax and its logarithm over the last axis: rows of `depth` elements. The functions are the
// specification (LiteRT's reference kernels); they are pure and split rows over the pool's
// threads. Constants are made once and read by any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/fixed_point.h"
#include "base/threads.h"

namespace dlpu {

struct SoftmaxShape {
  int64_t rows = 1, depth = 1;
};

// e^(-scale * d) for differences d of 8-bit codes, in Q0.31; zero where it counts for nothing.
struct SoftmaxTable {
  std::array<int32_t, 256> exp;
};
// `scale` is input scale * beta. Empty unless 2^-26 < scale (LiteRT aborts there).
std::optional<SoftmaxTable> MakeSoftmaxTable(double scale);

// Each row: output = exp(x - max) / sum of exp(x - max), in units of 2^-8 (8-bit outputs) or
// 2^-16 (int16 outputs, after whose type LiteRT scales) above the type's lowest code.
void Softmax(const SoftmaxTable& table, SoftmaxShape shape, const uint8_t* input, uint8_t* output,
             ThreadPool& pool);
void Softmax(const SoftmaxTable& table, SoftmaxShape shape, const int8_t* input, int8_t* output,
             ThreadPool& pool);
void Softmax(const SoftmaxTable& table, SoftmaxShape shape, const uint8_t* input, int16_t* output,
             ThreadPool& pool);
void Softmax(const SoftmaxTable& table, SoftmaxShape shape, const int8_t* input, int16_t* output,
             ThreadPool& pool);

// int16: tables of LiteRT's MakeTable16 form over exp on [-10, 0] and 1/(1+x) on [0, 1].
struct SoftmaxTables16 {
  std::vector<int16_t> exp, reciprocal;
  QuantizedMultiplier scale;  // of a difference of codes
};
// `scale` is input scale * beta in binary32.
SoftmaxTables16 MakeSoftmaxTables16(float scale);
// In units of 2^-15.
void Softmax(const SoftmaxTables16& tables, SoftmaxShape shape, const int16_t* input,
             int16_t* output, ThreadPool& pool);

// x - max - log(sum of exp(x - max)): 8-bit codes of scale 1/16 below the type's highest code.
struct LogSoftmaxTable {
  SoftmaxTable softmax;
  std::array<int32_t, 256> difference;  // -scale * d in Q5.26
  int32_t largest = 0;                  // d up to which an exponential counts
  QuantizedMultiplier reverse;          // from Q5.26 to a difference of codes
};
// Empty where MakeSoftmaxTable is, and at exactly 2^-26 more.
std::optional<LogSoftmaxTable> MakeLogSoftmaxTable(double scale);
void LogSoftmax(const LogSoftmaxTable& table, SoftmaxShape shape, const uint8_t* input,
                uint8_t* output, ThreadPool& pool);
void LogSoftmax(const LogSoftmaxTable& table, SoftmaxShape shape, const int8_t* input,
                int8_t* output, ThreadPool& pool);
void LogSoftmax(SoftmaxShape shape, const float* input, float* output, ThreadPool& pool);

// float32: exp((x - max) * beta) / sum, binary32 throughout, in index order.
void Softmax(float beta, SoftmaxShape shape, const float* input, float* output, ThreadPool& pool);

}  // namespace dlpu
