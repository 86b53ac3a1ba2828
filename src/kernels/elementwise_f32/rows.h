// SPDX-License-Identifier: Apache-2.0
// Vector rows of elementwise ops on float32, and of QUANTIZE and DEQUANTIZE, as plain data: what a
// CPU family offers, for selection, tests and benchmarks. Kernel files with CPU flags include this
// header, so it holds plain structs only. Functions touch exactly the n elements they are given.
// Constant; any thread.
#pragma once

#include <cstdint>

#include "base/cpu.h"

namespace dlpu {

// clamp(a op b, low, high) for n elements; an operand that does not move stands for one value; a
// NaN stays.
struct FloatOperands {
  const float* a;
  const float* b;
  bool a_moves, b_moves;
  float low, high;
};

struct ElementwiseF32Row {
  const char* name;
  CpuFlags cpu;  // flags it needs
  void (*float_sum)(const FloatOperands& in, float* out, int64_t n);
  void (*float_difference)(const FloatOperands& in, float* out, int64_t n);
  void (*float_product)(const FloatOperands& in, float* out, int64_t n);
  void (*float_quotient)(const FloatOperands& in, float* out, int64_t n);
  // a op b = a where a >= 0, else a * b.
  void (*float_prelu)(const FloatOperands& in, float* out, int64_t n);
  // 1 / (1 + exp(-x)) as LiteRT's reference kernel has it: exp(x) below -9, 1 above 16.619047. The
  // exponentials are within 0.502 units in the last place, as those of the C library.
  void (*float_logistic)(const float* in, float* out, int64_t n);
  // AffineQuantize and AffineDequantize of elementwise/affine.h for 8-bit codes.
  void (*quantize)(float scale, int32_t zero, bool is_signed, const float* in, uint8_t* out,
                   int64_t n);
  void (*dequantize)(float scale, int32_t zero, bool is_signed, const uint8_t* in, float* out,
                     int64_t n);
};

// The rows of one kernel file; none when the compiler does not target its CPU.
struct ElementwiseF32RowList {
  const ElementwiseF32Row* rows;
  int32_t count;
};
ElementwiseF32RowList ElementwiseF32Avx512();
ElementwiseF32RowList ElementwiseF32Avx2();

// The best row that `cpu` has; null when there is none (the scalar reference then).
const ElementwiseF32Row* ChooseElementwiseF32(CpuFlags cpu);
// All rows that were compiled in, best first.
ElementwiseF32RowList ElementwiseF32Rows();

}  // namespace dlpu
