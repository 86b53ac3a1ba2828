// SPDX-License-Identifier: Apache-2.0
// The arithmetic of resampling one axis.
#include "formats/onnx_resample.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

namespace dlpu {
namespace {

ResampleRow FromMap(const std::map<int32_t, double>& taps) {
  ResampleRow row;
  for (const auto& [index, weight] : taps) {
    if (std::fabs(weight) > 1e-9) row.push_back({index, weight});
  }
  return row;
}

// The input coordinate of output element x; nullopt outside the region.
std::optional<double> Coordinate(const std::string& how, const ResampleAxis& a, double x) {
  const double in = a.in, wide = a.scale * in;  // output extent before it is rounded
  if (how == "asymmetric") return x / a.scale;
  if (how == "align_corners") return wide == 1 || a.out == 1 ? 0 : x * (in - 1) / (wide - 1);
  if (how == "pytorch_half_pixel" && a.out == 1) return 0;
  if (how == "tf_half_pixel_for_nn") return (x + 0.5) / a.scale;
  if (how == "half_pixel_symmetric") {
    return in / 2 * (1 - a.out / wide) + (x + 0.5) / a.scale - 0.5;
  }
  if (how == "tf_crop_and_resize") {
    const double span = a.roi_end - a.roi_begin;
    const double at = a.roi_begin * (in - 1) +
                      (a.out == 1 ? span * (in - 1) / 2 : x * span * (in - 1) / (a.out - 1));
    if (at < 0 || at > in - 1) return std::nullopt;
    return at;
  }
  return (x + 0.5) / a.scale - 0.5;
}

int64_t Nearest(const std::string& how, double x) {
  if (how == "floor") return static_cast<int64_t>(std::floor(x));
  if (how == "ceil") return static_cast<int64_t>(std::ceil(x));
  if (how == "round_prefer_ceil") return static_cast<int64_t>(std::floor(x + 0.5));
  return static_cast<int64_t>(std::ceil(x - 0.5));
}

double Kernel(const ResampleMode& mode, double x) {
  x = std::fabs(x);
  if (mode.mode == "linear") return std::max(0.0, 1 - x);
  const double a = mode.cubic_a;
  if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
  return 0;
}

ResampleRow Interpolate(const ResampleMode& mode, const ResampleAxis& a, double x) {
  const double shrink = mode.antialias ? std::min(a.scale, 1.0) : 1.0;
  const double reach = (mode.mode == "linear" ? 1 : 2) / shrink;
  const auto first = static_cast<int64_t>(std::floor(x - reach)),
             last = static_cast<int64_t>(std::ceil(x + reach));
  std::map<int32_t, double> taps;
  double sum = 0;
  for (int64_t i = first; i <= last; ++i) {
    const double weight = Kernel(mode, (static_cast<double>(i) - x) * shrink);
    if (mode.exclude_outside && (i < 0 || i >= a.in)) continue;
    taps[static_cast<int32_t>(std::clamp<int64_t>(i, 0, a.in - 1))] += weight;
    sum += weight;
  }
  if (sum != 0) {
    for (auto& tap : taps) tap.second /= sum;
  }
  return FromMap(taps);
}

}  // namespace

std::vector<ResampleRow> OnnxRows(const ResampleMode& mode, const ResampleAxis& axis) {
  std::vector<ResampleRow> rows;
  for (int32_t out = 0; out < axis.out; ++out) {
    const std::optional<double> x = Coordinate(mode.coordinates, axis, out);
    if (!x.has_value()) {
      rows.emplace_back();
    } else if (mode.mode == "nearest") {
      const int64_t index = std::clamp<int64_t>(Nearest(mode.nearest, *x), 0, axis.in - 1);
      rows.push_back({{static_cast<int32_t>(index), 1.0}});
    } else {
      rows.push_back(Interpolate(mode, axis, *x));
    }
  }
  return rows;
}

std::vector<ResampleRow> TfliteRows(bool nearest, bool align_corners, bool half_pixel_centers,
                                    const ResampleAxis& axis) {
  const bool aligned = align_corners && axis.out > 1;
  const float scale = aligned ? static_cast<float>(axis.in - 1) / static_cast<float>(axis.out - 1)
                              : static_cast<float>(axis.in) / static_cast<float>(axis.out);
  std::vector<ResampleRow> rows;
  for (int32_t out = 0; out < axis.out; ++out) {
    const auto x = static_cast<float>(out);
    if (nearest) {
      const float at = (x + (half_pixel_centers ? 0.5f : 0.0f)) * scale;
      const auto index = static_cast<int32_t>(align_corners ? std::round(at) : std::floor(at));
      rows.push_back({{std::clamp(index, 0, axis.in - 1), 1.0}});
      continue;
    }
    const float at = half_pixel_centers ? (x + 0.5f) * scale - 0.5f : x * scale;
    const auto low = static_cast<int32_t>(std::floor(at));
    std::map<int32_t, double> taps;
    taps[std::clamp(low, 0, axis.in - 1)] += 1 - (at - static_cast<float>(low));
    taps[std::clamp(low + 1, 0, axis.in - 1)] += at - static_cast<float>(low);
    rows.push_back(FromMap(taps));
  }
  return rows;
}

bool SameRows(const std::vector<ResampleRow>& a, const std::vector<ResampleRow>& b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    std::map<int32_t, double> difference;
    for (const ResampleTap& tap : a[i]) difference[tap.index] += tap.weight;
    for (const ResampleTap& tap : b[i]) difference[tap.index] -= tap.weight;
    for (const auto& [index, weight] : difference) {
      if (std::fabs(weight) > 1e-4) return false;
    }
  }
  return true;
}

}  // namespace dlpu
