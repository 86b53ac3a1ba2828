// SPDX-License-Identifier: Apache-2.0
// What mending a finding is worth: two predictions, before and after.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "app/check_parts.h"
#include "report/table.h"

namespace dlpu {
namespace {

using Names = std::set<std::string>;

// A convolution as 3x3 ones that see as much: the first does the stride, all have its filters.
std::vector<Layer> AsSmallKernels(const Layer& layer) {
  const int64_t kernel = std::max(layer.kernel_h, layer.kernel_w);
  std::vector<Layer> layers;
  for (int64_t seen = 1; seen < kernel; seen += 2) {
    Layer small = layers.empty() ? layer : layers.back();
    if (!layers.empty()) {
      small.in_h = small.out_h;
      small.in_w = small.out_w;
      small.in_c = small.out_c;
      small.stride = small.groups = 1;
    }
    small.kernel_h = small.kernel_w = 3;
    small.input_elements = 0;  // counted anew
    FinishLayer(&small);
    layers.push_back(small);
  }
  return layers;
}

std::vector<Layer> Changed(const std::vector<Layer>& layers, const std::string& gain,
                           const Names& names) {
  std::vector<Layer> changed;
  for (const Layer& layer : layers) {
    const bool named = names.contains(layer.name);
    if (named && gain == "without") continue;
    if (named && gain == "kernels" && layer.op == "CONV_2D") {
      for (const Layer& small : AsSmallKernels(layer)) changed.push_back(small);
      continue;
    }
    changed.push_back(layer);
    if (named && gain == "channels") changed.back().whole_channels = true;
    if (gain == "per-tensor") changed.back().per_channel = false;
  }
  return changed;
}

// Weights that no longer travel in every run.
double StreamingMs(const Prediction& prediction) {
  double ms = 0;
  for (const PredictedPart& part : prediction.parts) ms += part.name == "streaming" ? part.ms : 0;
  return ms;
}

// The predicted time once a rule holds for the nodes; nothing when that cannot be told.
std::optional<double> MendedMs(const CheckSubject& s, const Condition& rule,
                               const std::vector<int>& nodes, const Names& names) {
  if (rule.gain.empty() || rule.about == About::kBehind) return std::nullopt;
  if (rule.gain == "cpu-only") return s.pricer->OnCpuMs();
  if (rule.gain == "cache") return s.prediction->total_ms - StreamingMs(*s.prediction);
  if (rule.gain == "dlpu") {
    if (nodes.empty()) return std::nullopt;
    PartitionOptions supported;
    supported.assume_supported = nodes;
    return s.MsOnce(PartitionGraph(s.graph, s.target, supported));
  }
  return s.MsOnce(s.partition,
                  [&](std::vector<Layer>& layers) { layers = Changed(layers, rule.gain, names); });
}

// "about 4.2 ms an inference (12.3 ms -> 8.1 ms)".
std::string GainText(double now, double then) {
  constexpr double kMeasurable = 0.005;  // of the time; jobs on a camera vary by more
  const double gain = now - then;
  if (std::abs(gain) <= kMeasurable * now) return "no measurable gain";
  if (gain < 0) {
    return fmt::format("no gain predicted: it would take about {} more", DurationText(-gain));
  }
  return fmt::format("about {} an inference ({} -> {})", DurationText(gain), DurationText(now),
                     DurationText(then));
}

// What can be said where no time can be predicted.
std::string InWords(const CheckSubject& s, const Condition& rule, const Finding& f, bool refused,
                    double share) {
  if (!rule.worth.empty()) return rule.worth;
  if (f.severity == Severity::kError) return "the model loads";
  if (rule.effect == Effect::kInexact) return "right results; the time stays the same";
  if (rule.about == About::kBehind) return "nothing by itself: it follows the layer in front";
  if (refused) return "not known before the model loads";
  if (!s.prediction || share <= 0) return "not known";
  return fmt::format("not known; at most {}, the {:.0f} % of the time that these layers take",
                     DurationText(share * s.prediction->total_ms), 100 * share);
}

}  // namespace

void Weigh(const CheckSubject& s, const Condition& rule, const std::vector<int>& nodes,
           bool refused, Finding& f) {
  const bool priced = s.prediction.has_value() && !refused;  // what does not load takes no time
  const Names names(f.nodes.begin(), f.nodes.end());
  double share = 0;
  if (priced && s.prediction->total_ms > 0) {
    for (const PredictedStep& step : s.prediction->steps) {
      if (names.contains(step.name)) share += step.ms / s.prediction->total_ms;
    }
  }
  if (rule.effect == Effect::kCpu) f.cpu_share = share;
  if (f.fix.empty()) return;  // nothing to mend
  const bool harmless = f.severity == Severity::kNote && rule.effect == Effect::kCpu;
  const std::optional<double> then =
      priced && !harmless ? MendedMs(s, rule, nodes, names) : std::nullopt;
  if (then) f.gain_ms = s.prediction->total_ms - *then;
  f.worth = then       ? GainText(s.prediction->total_ms, *then)
            : harmless ? ""
                       : InWords(s, rule, f, refused, share);
}

}  // namespace dlpu
