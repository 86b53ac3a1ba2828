// SPDX-License-Identifier: Apache-2.0
// Float convolution by tiles of a matrix product, without copying pictures: a tile reads each
// output pixel's inputs through pointers to pieces of input rows. Used by the rows of conv_f32
// only.
#pragma once

#include <memory>

#include "kernels/conv_f32/conv_f32.h"
#include "kernels/gemm_f32/gemm_f32.h"

namespace dlpu {

// `name` is what row() answers. `gemm` and `name` outlive the result.
std::unique_ptr<PreparedConvF32> PrepareGemmConvF32(const GemmF32Row& gemm, const char* name,
                                                    const ConvF32Spec& spec, const float* weights,
                                                    const float* bias);

}  // namespace dlpu
