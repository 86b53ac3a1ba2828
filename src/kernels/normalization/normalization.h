// SPDX-License-Identifier: Apache-2.0
// Normalization along the last axis: rows of `depth` elements. The functions are the
// specification (LiteRT's reference kernels), pure, and split rows over the pool's threads.
#pragma once

#include <cstdint>

#include "base/threads.h"

namespace dlpu {

struct NormalizationShape {
  int64_t rows = 1, depth = 1;
};

// x / max(sqrt(sum of squares), 1e-6), binary32 in index order.
void L2Normalize(NormalizationShape shape, const float* input, float* output, ThreadPool& pool);
// The same for codes; the output has scale 1/128 and zero point 0 (int8) or 128 (uint8).
void L2Normalize(NormalizationShape shape, int32_t input_zero, const int8_t* input, int8_t* output,
                 ThreadPool& pool);
void L2Normalize(NormalizationShape shape, int32_t input_zero, const uint8_t* input,
                 uint8_t* output, ThreadPool& pool);

// x * (bias + alpha * sum of squares over channels [c - radius, c + radius))^-beta.
struct LocalResponseSpec {
  int32_t radius = 0;
  float bias = 0, alpha = 0, beta = 0;
};
void LocalResponseNormalize(NormalizationShape shape, const LocalResponseSpec& spec,
                            const float* input, float* output, ThreadPool& pool);

}  // namespace dlpu
