// SPDX-License-Identifier: Apache-2.0
#include "app/error_stats.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>

namespace dlpu {
namespace {

template <typename T>
void Count(std::span<const uint8_t> a, std::span<const uint8_t> b, ErrorStats& stats) {
  const size_t count = std::min(a.size(), b.size()) / sizeof(T);
  for (size_t i = 0; i < count; ++i) {
    T x, y;
    std::memcpy(&x, a.data() + i * sizeof(T), sizeof(T));
    std::memcpy(&y, b.data() + i * sizeof(T), sizeof(T));
    int64_t distance = 0;
    if constexpr (std::is_floating_point_v<T>) {
      distance = std::memcmp(&x, &y, sizeof(T)) == 0 ? 0 : 4;
    } else {
      distance = std::abs(static_cast<int64_t>(x) - static_cast<int64_t>(y));
      stats.worst_code = std::max(stats.worst_code, distance);
    }
    ++stats.code_distance[std::min<int64_t>(distance, 4)];
  }
}

}  // namespace

void ErrorStats::Add(std::span<const float> reference, std::span<const float> values_of_other) {
  const size_t count = std::min(reference.size(), values_of_other.size());
  for (size_t i = 0; i < count; ++i) {
    const double r = reference[i], o = values_of_other[i];
    if (!std::isfinite(r) || !std::isfinite(o)) {
      const bool same = std::memcmp(&reference[i], &values_of_other[i], sizeof(float)) == 0;
      not_finite += same ? 0 : 1;
      continue;
    }
    low = values == 0 ? r : std::min(low, r);
    high = values == 0 ? r : std::max(high, r);
    signal += r * r;
    other += o * o;
    dot += r * o;
    error += (o - r) * (o - r);
    worst = std::max(worst, std::fabs(o - r));
    ++values;
  }
}

void ErrorStats::AddCodes(DataType type, std::span<const uint8_t> reference,
                          std::span<const uint8_t> bytes) {
  switch (type) {
    case DataType::kInt8:
      return Count<int8_t>(reference, bytes, *this);
    case DataType::kUInt8:
    case DataType::kBool:
      return Count<uint8_t>(reference, bytes, *this);
    case DataType::kInt16:
      return Count<int16_t>(reference, bytes, *this);
    case DataType::kInt32:
      return Count<int32_t>(reference, bytes, *this);
    case DataType::kInt64:
      return Count<int64_t>(reference, bytes, *this);
    case DataType::kFloat32:
      return Count<float>(reference, bytes, *this);
    default:
      return;
  }
}

double ErrorStats::sqnr_db() const {
  if (not_finite > 0) return -std::numeric_limits<double>::infinity();
  if (error == 0) return std::numeric_limits<double>::infinity();
  return 10 * std::log10(signal / error);
}

double ErrorStats::cosine() const {
  if (signal == 0 || other == 0) return signal == other ? 1 : 0;
  return dot / std::sqrt(signal * other);
}

double ErrorStats::differing() const {
  int64_t all = 0;
  for (const int64_t n : code_distance) all += n;
  return all == 0 ? 0 : 1 - static_cast<double>(code_distance[0]) / static_cast<double>(all);
}

}  // namespace dlpu
