// SPDX-License-Identifier: Apache-2.0
// How hybrid layers quantize their input at run time. Products and quotients are binary32 where
// LiteRT's SIMD code has them so: the range is a binary32 difference, its 255th part binary64.
#include <algorithm>
#include <cmath>

#include "base/fixed_point.h"
#include "kernels/hybrid/hybrid.h"

namespace dlpu {
namespace {

// Values that LiteRT's vector loop takes together; the rest is rounded by other code.
constexpr size_t kBody = 8;

// The body adds a half, rounding to binary32, and cuts off; the rest rounds half away from zero.
// The two differ just below a tie. NaN gives 0; what no int32 holds saturates.
int32_t Round(float v, bool body) {
  if (!body) return RoundToInt32(static_cast<double>(v));
  return RoundToInt32(static_cast<double>(std::trunc(v < 0.0f ? v - 0.5f : v + 0.5f)));
}

// A value's code before it is moved to the zero point and clamped. The limits keep that sum small.
int32_t Code(float v, bool body) { return std::clamp(Round(v, body), -512, 512); }

}  // namespace

HybridScale QuantizeHybridSymmetric(std::span<const float> values, int8_t* codes) {
  float low = 0.0f, high = 0.0f;
  if (!values.empty()) {
    const auto [least, most] = std::minmax_element(values.begin(), values.end());
    low = *least;
    high = *most;
  }
  const float range = std::max(std::fabs(low), std::fabs(high));
  if (range == 0.0f) {
    std::fill_n(codes, values.size(), int8_t{0});
    return {1.0f, 0};
  }
  const float inverse = 127.0f / range;
  const size_t body = values.size() / kBody * kBody;
  for (size_t i = 0; i < values.size(); ++i) {
    const int32_t code = Code(values[i] * inverse, i < body);
    codes[i] = static_cast<int8_t>(std::clamp(code, -127, 127));
  }
  return {range / 127.0f, 0};
}

HybridScale QuantizeHybridAsymmetric(std::span<const float> values, int8_t* codes) {
  float low = 0.0f, high = 0.0f;
  for (const float v : values) {
    low = std::min(low, v);
    high = std::max(high, v);
  }
  if (low == high) {
    std::fill_n(codes, values.size(), int8_t{0});
    return {1.0f, 0};
  }
  const double step = static_cast<double>(high - low) / 255.0;
  const double from_low = -128.0 - low / step, from_high = 127.0 - high / step;
  const double low_error = 128.0 + std::fabs(low / step);
  const double high_error = 127.0 + std::fabs(high / step);
  const double zero = low_error < high_error ? from_low : from_high;
  const int32_t zero_point = std::clamp(RoundToInt32(zero), -128, 127);
  const float scale = static_cast<float>(step), inverse = 1.0f / scale;
  const size_t body = values.size() / kBody * kBody;
  for (size_t i = 0; i < values.size(); ++i) {
    const int32_t code = Code(values[i] * inverse, i < body) + zero_point;
    codes[i] = static_cast<int8_t>(std::clamp(code, -128, 127));
  }
  return {scale, zero_point};
}

}  // namespace dlpu
