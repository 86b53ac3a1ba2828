// SPDX-License-Identifier: Apache-2.0
// The scalar specification of float batch matrix multiplication.
#include "kernels/matmul/matmul.h"

namespace dlpu {

void MatMulReference(const MatMulSpec& s, const float* lhs, const float* rhs, float* output) {
  const int64_t rows = s.rows, depth = s.depth, cols = s.cols;
  for (size_t i = 0; i < s.lhs_index.size(); ++i) {
    const float* a = lhs + s.lhs_index[i] * rows * depth;
    const float* b = rhs + s.rhs_index[i] * depth * cols;
    float* out = output + static_cast<int64_t>(i) * rows * cols;
    for (int64_t row = 0; row < rows; ++row) {
      for (int64_t col = 0; col < cols; ++col) {
        float sum = 0.0f;
        for (int64_t k = 0; k < depth; ++k) {
          const float x = s.lhs_transposed ? a[k * rows + row] : a[row * depth + k];
          const float y = s.rhs_transposed ? b[col * depth + k] : b[k * cols + col];
          sum += x * y;
        }
        out[row * cols + col] = sum;
      }
    }
  }
}

}  // namespace dlpu
