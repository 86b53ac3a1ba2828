// SPDX-License-Identifier: Apache-2.0
// Float batch matrix multiplication of two tensors that are both known only at run time (a
// constant right side is better run as a fully connected layer, see conv_f32). MatMulReference
// is the specification; every other row may fuse multiplications into additions and stays within
// ConvF32Bound of it, and no row's result depends on the number of threads. A PreparedMatMul is
// read-only while it runs: several threads may run one at once with scratch of their own.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/cpu.h"
#include "base/threads.h"

namespace dlpu {

// output[i] (rows x cols) = lhs[lhs_index[i]] (rows x depth) * rhs[rhs_index[i]] (depth x cols).
// Matrices are row-major and follow each other; broadcasting is expressed by the indices.
struct MatMulSpec {
  int32_t rows = 1, depth = 1, cols = 1;
  bool lhs_transposed = false;  // adj_x: a stored lhs matrix is depth x rows
  bool rhs_transposed = false;  // adj_y: a stored rhs matrix is cols x depth
  std::vector<int32_t> lhs_index = {0}, rhs_index = {0};  // one entry for each output matrix
};

// Each output is a sum in binary32 in the order of depth; no clamp. Normative, one thread.
void MatMulReference(const MatMulSpec& spec, const float* lhs, const float* rhs, float* output);

class PreparedMatMul {
 public:
  virtual ~PreparedMatMul() = default;
  // Name of the row, for example "matmul_avx512".
  virtual std::string_view row() const = 0;
  // Bytes of scratch that Run needs with a pool of `threads` threads.
  virtual int64_t ScratchBytes(int threads) const = 0;
  // scratch is 64-byte aligned. Reads and writes nothing beyond the tensors.
  virtual void Run(const float* lhs, const float* rhs, float* output, uint8_t* scratch,
                   ThreadPool& pool) const = 0;
};

// The best row for this product that `cpu` has; the reference row always fits.
std::unique_ptr<PreparedMatMul> PrepareMatMul(const MatMulSpec& spec, CpuFlags cpu);

}  // namespace dlpu
