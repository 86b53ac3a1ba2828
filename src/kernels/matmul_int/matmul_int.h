// SPDX-License-Identifier: Apache-2.0
// Integer batch matrix multiplication of two tensors that are both known only at run time. The
// functions are the specification; they are pure and split rows over the pool's threads.
#pragma once

#include <cstdint>

#include "base/fixed_point.h"
#include "base/threads.h"
#include "kernels/matmul/matmul.h"

namespace dlpu {

// output = clamp(scaled(sum (lhs - lhs_zero) * (rhs - rhs_zero)) + output_zero): int32 sums and
// rule R2 for int8, int64 sums and rule R64 for int16.
struct MatMulIntSpec {
  MatMulSpec product;
  int32_t lhs_zero = 0, rhs_zero = 0, output_zero = 0;
  QuantizedMultiplier scale;
};

// Bytes of scratch with a pool of `threads` threads.
int64_t MatMulIntScratchBytes(const MatMulIntSpec& spec, int threads);

void MatMulInt(const MatMulIntSpec& spec, const int8_t* lhs, const int8_t* rhs, int8_t* output,
               uint8_t* scratch, ThreadPool& pool);
void MatMulInt(const MatMulIntSpec& spec, const int16_t* lhs, const int16_t* rhs, int16_t* output,
               uint8_t* scratch, ThreadPool& pool);
void MatMulInt(const MatMulIntSpec& spec, const int16_t* lhs, const int8_t* rhs, int16_t* output,
               uint8_t* scratch, ThreadPool& pool);
// The sums of the codes themselves, without zero points or scale.
void MatMulInt(const MatMulIntSpec& spec, const int8_t* lhs, const int8_t* rhs, int32_t* output,
               uint8_t* scratch, ThreadPool& pool);

}  // namespace dlpu
