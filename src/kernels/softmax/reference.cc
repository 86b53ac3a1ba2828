// SPDX-License-Identifier: Apache-2.0
// Scalar softmax.
#include <algorithm>
#include <cmath>
#include <limits>

#include "base/fixed_math.h"
#include "kernels/softmax/softmax.h"

namespace dlpu {
namespace {

constexpr int kDifferenceBits = 5;     // differences are Q5.26
constexpr int kAccumulationBits = 12;  // sums of exponentials are Q12.19

template <typename Body>
void ForEachRow(SoftmaxShape shape, ThreadPool& pool, const Body& body) {
  const int64_t grain = std::max<int64_t>(1, 4096 / std::max<int64_t>(1, shape.depth));
  pool.ParallelFor(shape.rows, grain, [&](int64_t begin, int64_t end, int) {
    for (int64_t row = begin; row < end; ++row) body(row * shape.depth);
  });
}

template <typename In, typename Out>
void SoftmaxRow(const SoftmaxTable& table, int64_t depth, const In* in, Out* out) {
  const In max = *std::max_element(in, in + depth);
  int64_t sum = 0;
  for (int64_t i = 0; i < depth; ++i) {
    sum += RoundingDivideByPOT(table.exp[max - in[i]], kAccumulationBits);
  }
  sum = std::min<int64_t>(sum, std::numeric_limits<int32_t>::max());
  const FixedReciprocal scale = GetReciprocal(static_cast<int32_t>(sum), kAccumulationBits);
  const int exponent = scale.bits_over_unit + 31 - static_cast<int>(8 * sizeof(Out));
  constexpr int32_t kLow = std::numeric_limits<Out>::min(), kHigh = std::numeric_limits<Out>::max();
  if (exponent > 31) {  // the sum is so large that every share rounds to nothing
    std::fill(out, out + depth, static_cast<Out>(kLow));
    return;
  }
  for (int64_t i = 0; i < depth; ++i) {
    const int32_t share = RoundingDivideByPOT(
        SaturatingRoundingDoublingHighMul(scale.reciprocal, table.exp[max - in[i]]), exponent);
    out[i] = static_cast<Out>(std::max(std::min(share + kLow, kHigh), kLow));
  }
}

template <typename In, typename Out>
void SoftmaxRows(const SoftmaxTable& table, SoftmaxShape shape, const In* input, Out* output,
                 ThreadPool& pool) {
  if (shape.depth == 0) return;
  ForEachRow(shape, pool,
             [&](int64_t at) { SoftmaxRow(table, shape.depth, input + at, output + at); });
}

}  // namespace

std::optional<SoftmaxTable> MakeSoftmaxTable(double scale) {
  const double largest = static_cast<double>(std::numeric_limits<int32_t>::max());
  const double factor = std::min(scale * (1 << (31 - kDifferenceBits)), largest);
  if (!(factor > 1)) return std::nullopt;
  const QuantizedMultiplier m = QuantizeMultiplier(factor);
  const int32_t least = static_cast<int32_t>(
      std::floor(31.0 * (int64_t{1} << 26) / static_cast<double>(int64_t{1} << m.shift)));
  SoftmaxTable table;
  for (int32_t d = 0; d < 256; ++d) {
    table.exp[d] =
        d > least ? 0
                  : FixedExpOfNegative<int32_t>(
                        SaturatingRoundingDoublingHighMul(ShiftLeftWrap(-d, m.shift), m.multiplier),
                        kDifferenceBits);
  }
  return table;
}

void Softmax(const SoftmaxTable& table, SoftmaxShape shape, const uint8_t* input, uint8_t* output,
             ThreadPool& pool) {
  SoftmaxRows(table, shape, input, output, pool);
}
void Softmax(const SoftmaxTable& table, SoftmaxShape shape, const int8_t* input, int8_t* output,
             ThreadPool& pool) {
  SoftmaxRows(table, shape, input, output, pool);
}
void Softmax(const SoftmaxTable& table, SoftmaxShape shape, const uint8_t* input, int16_t* output,
             ThreadPool& pool) {
  SoftmaxRows(table, shape, input, output, pool);
}
void Softmax(const SoftmaxTable& table, SoftmaxShape shape, const int8_t* input, int16_t* output,
             ThreadPool& pool) {
  SoftmaxRows(table, shape, input, output, pool);
}

void Softmax(float beta, SoftmaxShape shape, const float* input, float* output, ThreadPool& pool) {
  ForEachRow(shape, pool, [&](int64_t at) {
    const float* in = input + at;
    float* out = output + at;
    float max = std::numeric_limits<float>::lowest();
    for (int64_t i = 0; i < shape.depth; ++i) max = std::max(max, in[i]);
    float sum = 0;
    for (int64_t i = 0; i < shape.depth; ++i) {
      out[i] = std::exp((in[i] - max) * beta);
      sum += out[i];
    }
    for (int64_t i = 0; i < shape.depth; ++i) out[i] = out[i] / sum;
  });
}

}  // namespace dlpu
