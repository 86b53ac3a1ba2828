// SPDX-License-Identifier: Apache-2.0
// Scalar integer matrix products. Columns are innermost unless the right side is transposed.
#include <algorithm>
#include <limits>

#include "kernels/matmul_int/matmul_int.h"

namespace dlpu {
namespace {

// Sums of one output row. Sum is unsigned for int32 accumulators, which wrap.
template <typename Sum, typename Lhs, typename Rhs>
void SumRow(const MatMulIntSpec& s, const Lhs* lhs, const Rhs* rhs, int64_t row, Sum* sums) {
  const MatMulSpec& p = s.product;
  const int64_t step = p.lhs_transposed ? p.rows : 1;
  const Lhs* left = lhs + (p.lhs_transposed ? row : row * p.depth);
  const auto at = [&](int64_t k) { return static_cast<Sum>(left[k * step] - s.lhs_zero); };
  std::fill(sums, sums + p.cols, Sum{0});
  if (p.rhs_transposed) {
    for (int64_t j = 0; j < p.cols; ++j, rhs += p.depth) {
      Sum sum = 0;
      for (int64_t k = 0; k < p.depth; ++k) sum += at(k) * static_cast<Sum>(rhs[k] - s.rhs_zero);
      sums[j] = sum;
    }
    return;
  }
  for (int64_t k = 0; k < p.depth; ++k, rhs += p.cols) {
    const Sum x = at(k);
    for (int64_t j = 0; j < p.cols; ++j) sums[j] += x * static_cast<Sum>(rhs[j] - s.rhs_zero);
  }
}

template <typename Sum, typename Lhs, typename Rhs, typename Out, typename Finish>
void Multiply(const MatMulIntSpec& s, const Lhs* lhs, const Rhs* rhs, Out* output, uint8_t* scratch,
              ThreadPool& pool, const Finish& finish) {
  const MatMulSpec& p = s.product;
  const int64_t rows = p.rows, cols = p.cols;
  const int64_t lhs_size = rows * p.depth, rhs_size = cols * p.depth;
  const int64_t grain = std::max<int64_t>(1, 16384 / std::max<int64_t>(1, rhs_size));
  pool.ParallelFor(static_cast<int64_t>(p.lhs_index.size()) * rows, grain,
                   [&](int64_t begin, int64_t end, int thread) {
                     Sum* sums = reinterpret_cast<Sum*>(scratch) + thread * cols;
                     for (int64_t i = begin; i < end; ++i) {
                       const int64_t matrix = i / rows;
                       SumRow(s, lhs + p.lhs_index[matrix] * lhs_size,
                              rhs + p.rhs_index[matrix] * rhs_size, i % rows, sums);
                       Out* out = output + i * cols;
                       for (int64_t j = 0; j < cols; ++j) out[j] = finish(sums[j]);
                     }
                   });
}

template <typename Out>
Out Clamp(int32_t code) {
  return static_cast<Out>(std::min<int32_t>(
      std::max<int32_t>(code, std::numeric_limits<Out>::min()), std::numeric_limits<Out>::max()));
}

}  // namespace

int64_t MatMulIntScratchBytes(const MatMulIntSpec& spec, int threads) {
  return static_cast<int64_t>(spec.product.cols) * threads * static_cast<int64_t>(sizeof(int64_t));
}

void MatMulInt(const MatMulIntSpec& s, const int8_t* lhs, const int8_t* rhs, int8_t* output,
               uint8_t* scratch, ThreadPool& pool) {
  Multiply<uint32_t>(s, lhs, rhs, output, scratch, pool, [&](uint32_t sum) {
    return Clamp<int8_t>(
        AddWrap(MultiplyByQuantizedMultiplier(static_cast<int32_t>(sum), s.scale), s.output_zero));
  });
}
void MatMulInt(const MatMulIntSpec& s, const int16_t* lhs, const int16_t* rhs, int16_t* output,
               uint8_t* scratch, ThreadPool& pool) {
  Multiply<int64_t>(s, lhs, rhs, output, scratch, pool, [&](int64_t sum) {
    return Clamp<int16_t>(AddWrap(MultiplyByQuantizedMultiplier64(sum, s.scale), s.output_zero));
  });
}
void MatMulInt(const MatMulIntSpec& s, const int16_t* lhs, const int8_t* rhs, int16_t* output,
               uint8_t* scratch, ThreadPool& pool) {
  Multiply<int64_t>(s, lhs, rhs, output, scratch, pool, [&](int64_t sum) {
    return Clamp<int16_t>(AddWrap(MultiplyByQuantizedMultiplier64(sum, s.scale), s.output_zero));
  });
}
void MatMulInt(const MatMulIntSpec& spec, const int8_t* lhs, const int8_t* rhs, int32_t* output,
               uint8_t* scratch, ThreadPool& pool) {
  MatMulIntSpec raw = spec;
  raw.lhs_zero = raw.rhs_zero = 0;
  Multiply<uint32_t>(raw, lhs, rhs, output, scratch, pool,
                     [](uint32_t sum) { return static_cast<int32_t>(sum); });
}

}  // namespace dlpu
