// SPDX-License-Identifier: Apache-2.0
// Scalar normalization.
#include <algorithm>
#include <cmath>

#include "base/fixed_math.h"
#include "kernels/normalization/normalization.h"

namespace dlpu {
namespace {

template <typename Body>
void ForEachRow(NormalizationShape shape, ThreadPool& pool, const Body& body) {
  const int64_t grain = std::max<int64_t>(1, 4096 / std::max<int64_t>(1, shape.depth));
  pool.ParallelFor(shape.rows, grain, [&](int64_t begin, int64_t end, int) {
    for (int64_t row = begin; row < end; ++row) body(row * shape.depth);
  });
}

// 1 / sqrt(sum of (x - zero)^2) of a row; the sum wraps in 32 bits as LiteRT's does.
template <typename T>
QuantizedMultiplier InverseNorm(const T* row, int64_t depth, int32_t zero) {
  uint32_t sum = 0;
  for (int64_t i = 0; i < depth; ++i) {
    const int32_t x = row[i] - zero;
    sum += static_cast<uint32_t>(x * x);
  }
  return InverseSqrt(static_cast<int32_t>(sum));
}

}  // namespace

void L2Normalize(NormalizationShape shape, const float* input, float* output, ThreadPool& pool) {
  ForEachRow(shape, pool, [&](int64_t at) {
    float sum = 0;
    for (int64_t i = 0; i < shape.depth; ++i) sum += input[at + i] * input[at + i];
    const float norm = std::max(std::sqrt(sum), 1e-6f);
    for (int64_t i = 0; i < shape.depth; ++i) output[at + i] = input[at + i] / norm;
  });
}

void L2Normalize(NormalizationShape shape, int32_t input_zero, const int8_t* input, int8_t* output,
                 ThreadPool& pool) {
  ForEachRow(shape, pool, [&](int64_t at) {
    QuantizedMultiplier scale = InverseNorm(input + at, shape.depth, input_zero);
    scale.shift += 7;
    for (int64_t i = 0; i < shape.depth; ++i) {
      const int32_t code = MultiplyByQuantizedMultiplier(input[at + i] - input_zero, scale);
      output[at + i] = static_cast<int8_t>(std::min(std::max(code, -128), 127));
    }
  });
}

void L2Normalize(NormalizationShape shape, int32_t input_zero, const uint8_t* input,
                 uint8_t* output, ThreadPool& pool) {
  ForEachRow(shape, pool, [&](int64_t at) {
    const QuantizedMultiplier scale = InverseNorm(input + at, shape.depth, input_zero);
    for (int64_t i = 0; i < shape.depth; ++i) {
      const int32_t code =
          128 + MultiplyByQuantizedMultiplier(128 * (input[at + i] - input_zero), scale);
      output[at + i] = static_cast<uint8_t>(std::min(std::max(code, 0), 255));
    }
  });
}

void LocalResponseNormalize(NormalizationShape shape, const LocalResponseSpec& spec,
                            const float* input, float* output, ThreadPool& pool) {
  const int64_t depth = shape.depth, radius = spec.radius;
  ForEachRow(shape, pool, [&](int64_t at) {
    for (int64_t c = 0; c < depth; ++c) {
      float sum = 0;
      for (int64_t i = std::max<int64_t>(0, c - radius); i < std::min(depth, c + radius); ++i) {
        sum += input[at + i] * input[at + i];
      }
      output[at + c] = input[at + c] * std::pow(spec.bias + spec.alpha * sum, -spec.beta);
    }
  });
}

}  // namespace dlpu
