// SPDX-License-Identifier: Apache-2.0
// Why one layer alone is off: what storing its inputs, weights and outputs as codes brings, and
// what is left when that does not explain it.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "app/compare.h"
#include "app/interpret.h"

namespace dlpu {
namespace {

// Output channel of every weight: per-channel codes know their axis; others are laid out with the
// channels first, or last in depthwise weights [1, h, w, channels].
size_t ChannelAxis(const Tensor& weights) {
  if (weights.quantization.per_channel()) {
    return static_cast<size_t>(weights.quantization.axis);
  }
  return weights.shape.size() == 4 && weights.shape[0] == 1 ? 3 : 0;
}

// Largest range of a channel over the smallest that is not zero.
double SpreadOf(const Tensor& weights, const std::vector<float>& values) {
  if (weights.shape.empty()) return 1;
  const size_t axis = ChannelAxis(weights);
  size_t inner = 1;
  for (size_t d = axis + 1; d < weights.shape.size(); ++d) inner *= weights.shape[d];
  const auto channels = static_cast<size_t>(weights.shape[axis]);
  std::vector<float> largest(channels, 0.0f);
  for (size_t i = 0; i < values.size(); ++i) {
    float& top = largest[(i / inner) % channels];
    top = std::max(top, std::fabs(values[i]));
  }
  float most = 0, least = std::numeric_limits<float>::max();
  for (const float top : largest) {
    most = std::max(most, top);
    if (top > 0) least = std::min(least, top);
  }
  return most > 0 ? static_cast<double>(most) / static_cast<double>(least) : 1;
}

std::string WeightReason(const LayerNoise& noise) {
  if (noise.other_weights) {
    return fmt::format("weights: they are not the reference's; they differ by {:.1f} dB SQNR",
                       -10 * std::log10(noise.weight_ratio));
  }
  if (noise.channel_spread < 8) return "rounding: of its weights";
  return fmt::format(
      "range: its weights share one scale, and their channels' ranges differ 1:{:.0f}; use "
      "per-channel scales or equalize",
      noise.channel_spread);
}

std::string OutputReason(const Tensor& output, const ErrorStats& isolated,
                         const LayerNoise& noise) {
  const Quantization& q = output.quantization;
  const double step = static_cast<double>(q.scale0());
  const double lowest = step * (LowestCode(output.type) - q.zero0());
  const double highest = step * (HighestCode(output.type) - q.zero0());
  if (noise.output_clipping > noise.output_rounding) {
    return fmt::format(
        "clipping: values reach {:.4g} to {:.4g}, its codes {:.4g} to {:.4g}; {:.2g} % are cut",
        isolated.low, isolated.high, lowest, highest,
        100.0 * static_cast<double>(noise.clipped) /
            static_cast<double>(std::max<int64_t>(1, noise.values)));
  }
  const double used = (isolated.high - isolated.low) / (highest - lowest);
  if (used < 0.25) {
    return fmt::format(
        "range: its codes reach {:.4g} to {:.4g}, its values only {:.4g} to {:.4g} ({:.0f} % of "
        "the codes)",
        lowest, highest, isolated.low, isolated.high, 100 * used);
  }
  return fmt::format("rounding: of its outputs to steps of {:.4g}", step);
}

}  // namespace

std::vector<float> RealConstant(const Tensor& weights) {
  Tensor codes = weights;
  codes.quantization = {};
  std::vector<float> values = RealValues(codes, weights.data);
  const Quantization& q = weights.quantization;
  if (!q.present()) return values;
  int64_t inner = 1;
  for (size_t d = static_cast<size_t>(q.axis) + 1; d < weights.shape.size(); ++d) {
    inner *= weights.shape[d];
  }
  for (size_t i = 0; i < values.size(); ++i) {
    const size_t c =
        q.per_channel() ? (i / static_cast<size_t>(inner)) % q.scale.size() : size_t{0};
    const double zero = c < q.zero_point.size() ? static_cast<double>(q.zero_point[c]) : 0.0;
    values[i] = static_cast<float>((static_cast<double>(values[i]) - zero) *
                                   static_cast<double>(q.scale[c]));
  }
  return values;
}

std::string RoundingRule(Profile profile) {
  const std::string name(ProfileName(profile));
  switch (profile) {
    case Profile::kTfliteReference:
      return name + " rounds twice, the second time half away from zero (R2)";
    case Profile::kTfliteBuiltin:
      return name + " rounds twice, the second time half up (R2up)";
    case Profile::kXnnpack:
      return name + " rounds once, in float32, half to even (XF)";
  }
  return name;
}

void AddWeightNoise(const Tensor& weights, const Tensor* reference_weights, LayerNoise& noise) {
  if (!weights.is_constant) return;
  const std::vector<float> values = RealConstant(weights);
  if (weights.quantization.present() && !weights.quantization.per_channel()) {
    const bool known = reference_weights != nullptr && reference_weights->is_constant &&
                       reference_weights->shape == weights.shape;
    noise.channel_spread = SpreadOf(weights, known ? RealConstant(*reference_weights) : values);
  }
  if (reference_weights == nullptr || !reference_weights->is_constant ||
      reference_weights->shape != weights.shape) {
    return;
  }
  ErrorStats stats;
  stats.Add(RealConstant(*reference_weights), values);
  if (stats.signal > 0) noise.weight_ratio = stats.error / stats.signal;
  // Rounding to the nearest code errs by scale^2 / 12 on average, clever rounding by up to
  // scale^2 / 3.
  double expected = 0;
  for (const float scale : weights.quantization.scale) {
    expected += static_cast<double>(scale) * static_cast<double>(scale) / 12;
  }
  if (!weights.quantization.scale.empty()) {
    expected /= static_cast<double>(weights.quantization.scale.size());
  }
  noise.other_weights = stats.error > 8 * expected * static_cast<double>(stats.values);
}

std::string ReasonOf(const Tensor& output, const ErrorStats& isolated, const LayerNoise& noise) {
  if (isolated.equal()) return "";
  if (isolated.not_finite > 0) return "values that are no numbers (NaN or infinity)";
  const double ratio = isolated.signal > 0 ? isolated.error / isolated.signal : 1e30;
  const double out = isolated.signal > 0
                         ? (noise.output_rounding + noise.output_clipping) / isolated.signal
                         : 1e30;
  const double most = std::max({out, noise.input_ratio, noise.weight_ratio});
  if (most > 0 && most >= ratio / 16) {
    if (most == out && output.quantization.present()) return OutputReason(output, isolated, noise);
    if (most == noise.weight_ratio) return WeightReason(noise);
    return fmt::format("rounding: of its input '{}'", noise.input_name);
  }
  if (isolated.worst_code == 1 && isolated.code_distance[0] > 0) {
    if (!noise.rules.empty()) return "rounding rule: " + noise.rules;
    return "rounding: the arithmetic differs by at most one code";
  }
  const double saturated = static_cast<double>(noise.saturated) /
                           static_cast<double>(std::max<int64_t>(1, noise.values));
  if (saturated > 0.001) {
    return fmt::format(
        "saturation: {:.2g} % of its values are stuck at the first or last code, where the "
        "reference is inside",
        100 * saturated);
  }
  return "computes something else: neither range nor rounding explains it";
}

}  // namespace dlpu
