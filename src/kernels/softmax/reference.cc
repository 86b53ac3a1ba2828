// SPDX-License-Identifier: Apache-2.0
// Scalar softmax.
#include <algorithm>
#include <cmath>
#include <limits>

#include "base/fixed_math.h"
#include "kernels/lut/portable_math.h"
#include "kernels/lut/table.h"
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

// The factor from a difference of codes to Q5.26; none where it is not above 1.
std::optional<QuantizedMultiplier> DifferenceScale(double scale) {
  const double largest = static_cast<double>(std::numeric_limits<int32_t>::max());
  const double factor = std::min(scale * (1 << (31 - kDifferenceBits)), largest);
  if (!(factor > 1)) return std::nullopt;
  return QuantizeMultiplier(factor);
}

// LiteRT CalculateInputRadius: beyond it a difference does not fit Q5.26.
int32_t LargestDifference(QuantizedMultiplier m) {
  return static_cast<int32_t>(
      std::floor(31.0 * (int64_t{1} << 26) / static_cast<double>(int64_t{1} << m.shift)));
}

// Sum of the exponentials of a row in Q12.19, saturated.
template <typename T>
int32_t SumOfExponentials(const SoftmaxTable& table, int64_t depth, const T* in, T max) {
  int64_t sum = 0;
  for (int64_t i = 0; i < depth; ++i) {
    sum += RoundingDivideByPOT(table.exp[max - in[i]], kAccumulationBits);
  }
  return static_cast<int32_t>(std::min<int64_t>(sum, std::numeric_limits<int32_t>::max()));
}

template <typename T>
void LogSoftmaxRows(const LogSoftmaxTable& table, SoftmaxShape shape, const T* input, T* output,
                    ThreadPool& pool) {
  if (shape.depth == 0) return;
  constexpr int32_t kLow = std::numeric_limits<T>::min(), kHigh = std::numeric_limits<T>::max();
  ForEachRow(shape, pool, [&](int64_t at) {
    const T* in = input + at;
    const T max = *std::max_element(in, in + shape.depth);
    const int32_t log_sum = FixedLogOfAtLeastOne(
        SumOfExponentials(table.softmax, shape.depth, in, max), kAccumulationBits);
    const int32_t least =
        std::max(-table.largest - 1,
                 MultiplyByQuantizedMultiplier(
                     AddWrap(log_sum, std::numeric_limits<int32_t>::min()), table.reverse));
    for (int64_t i = 0; i < shape.depth; ++i) {
      const int32_t d = max - in[i];
      if (-d <= least) {
        output[at + i] = static_cast<T>(kLow);
        continue;
      }
      const int32_t code = RoundingDivideByPOT(SubWrap(table.difference[d], log_sum), 22) + kHigh;
      output[at + i] = static_cast<T>(std::max(std::min(code, kHigh), kLow));
    }
  });
}

void Softmax16Row(const SoftmaxTables16& tables, int64_t depth, const int16_t* in, int16_t* out) {
  const int16_t max = *std::max_element(in, in + depth);
  int64_t wide_sum = 0;  // Q16.15
  for (int64_t i = 0; i < depth; ++i) {
    const int32_t scaled = MultiplyByQuantizedMultiplier(in[i] - max, tables.scale);
    out[i] = LookUp16(tables.exp, SaturateToInt16(AddWrap(scaled, 32767)));
    wide_sum += out[i];
  }
  const int32_t sum =
      static_cast<int32_t>(std::min<int64_t>(wide_sum, std::numeric_limits<int32_t>::max()));
  const int headroom = std::countl_zero(static_cast<uint32_t>(sum));
  const int32_t shifted =
      static_cast<int32_t>(((static_cast<int64_t>(sum) << (headroom - 1)) + (1 << 13)) >> 14);
  const int16_t reciprocal =
      LookUp16(tables.reciprocal, SaturateToInt16(shifted - (1 << 15) - (1 << 16)));
  const int right = 31 - headroom;
  for (int64_t i = 0; i < depth; ++i) {
    const int64_t share =
        (static_cast<int64_t>(out[i]) * reciprocal + (int64_t{1} << (right - 1))) >> right;
    out[i] = static_cast<int16_t>(std::clamp<int64_t>(share, 0, 32767));
  }
}

template <typename In, typename Out>
void SoftmaxRow(const SoftmaxTable& table, int64_t depth, const In* in, Out* out) {
  const In max = *std::max_element(in, in + depth);
  const int32_t sum = SumOfExponentials(table, depth, in, max);
  const FixedReciprocal scale = GetReciprocal(sum, kAccumulationBits);
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
  const auto m = DifferenceScale(scale);
  if (!m.has_value()) return std::nullopt;
  const int32_t largest = LargestDifference(*m);
  SoftmaxTable table;
  for (int32_t d = 0; d < 256; ++d) {
    table.exp[d] = d > largest ? 0
                               : FixedExpOfNegative<int32_t>(MultiplyByQuantizedMultiplier(-d, *m),
                                                             kDifferenceBits);
  }
  return table;
}

std::optional<LogSoftmaxTable> MakeLogSoftmaxTable(double scale) {
  const auto m = DifferenceScale(scale);
  if (!m.has_value()) return std::nullopt;
  const double reverse = std::ldexp(1.0, 31 - m->shift) / m->multiplier;
  if (!(reverse < 1)) return std::nullopt;
  LogSoftmaxTable table;
  table.softmax = *MakeSoftmaxTable(scale);
  table.largest = LargestDifference(*m);
  table.reverse = QuantizeMultiplier(reverse);
  for (int32_t d = 0; d < 256; ++d) table.difference[d] = MultiplyByQuantizedMultiplier(-d, *m);
  return table;
}

SoftmaxTables16 MakeSoftmaxTables16(float scale) {
  constexpr double kRange = 65535;
  SoftmaxTables16 tables;
  tables.exp = MakeTable16<double>(PortableExp, 10.0 / kRange, 32767, 2.0 / kRange, 0);
  tables.reciprocal = MakeTable16<double>([](double x) { return 1.0 / (1.0 + x); }, 1.0 / kRange,
                                          -32768, 2.0 / kRange, 0);
  tables.scale = QuantizeMultiplier(static_cast<double>(scale) / (10.0 / kRange));
  return tables;
}

void Softmax(const SoftmaxTables16& tables, SoftmaxShape shape, const int16_t* input,
             int16_t* output, ThreadPool& pool) {
  if (shape.depth == 0) return;
  ForEachRow(shape, pool,
             [&](int64_t at) { Softmax16Row(tables, shape.depth, input + at, output + at); });
}

void LogSoftmax(const LogSoftmaxTable& table, SoftmaxShape shape, const uint8_t* input,
                uint8_t* output, ThreadPool& pool) {
  LogSoftmaxRows(table, shape, input, output, pool);
}
void LogSoftmax(const LogSoftmaxTable& table, SoftmaxShape shape, const int8_t* input,
                int8_t* output, ThreadPool& pool) {
  LogSoftmaxRows(table, shape, input, output, pool);
}
void LogSoftmax(SoftmaxShape shape, const float* input, float* output, ThreadPool& pool) {
  ForEachRow(shape, pool, [&](int64_t at) {
    const float* in = input + at;
    float max = std::numeric_limits<float>::lowest();
    for (int64_t i = 0; i < shape.depth; ++i) max = std::max(max, in[i]);
    float sum = 0;
    for (int64_t i = 0; i < shape.depth; ++i) sum += std::exp(in[i] - max);
    const float log_sum = std::log(sum);
    for (int64_t i = 0; i < shape.depth; ++i) output[at + i] = in[i] - max - log_sum;
  });
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
