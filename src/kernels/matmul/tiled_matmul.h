// SPDX-License-Identifier: Apache-2.0
// Batch matrix multiplication by the tiles of gemm_f32. Used by the rows of matmul only.
#pragma once

#include <memory>

#include "kernels/gemm_f32/gemm_f32.h"
#include "kernels/matmul/matmul.h"

namespace dlpu {

// `name` is what row() answers. `gemm` and `name` outlive the result.
std::unique_ptr<PreparedMatMul> PrepareTiledMatMul(const GemmF32Row& gemm, const char* name,
                                                   const MatMulSpec& spec);

}  // namespace dlpu
