// SPDX-License-Identifier: Apache-2.0
// Reasons for a gap between a measured and a predicted time.
#include "target/cost/explain.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace dlpu {
namespace {

constexpr int64_t kManyBoxes = 100'000;  // bytes of outputs from which they need decoding

// Collects reasons and judges them.
class Gap {
 public:
  Gap(const Workload& workload, const Target& target, const PredictOptions& options,
      GapReport* report)
      : workload_(workload), target_(target), options_(options), report_(*report) {}

  // The share of the gap, in logarithms, that a time anywhere from low to high closes.
  void Add(std::string kind, std::string says, double low_ms, double high_ms, const Fact& fact) {
    const double from = std::log(report_.prediction.total_ms);
    const double to = std::log(report_.measured_ms);
    const double low = std::log(low_ms), high = std::log(high_ms);
    const double nearest = std::clamp(to, low, high);
    const double closes = 1 - std::abs(to - nearest) / std::max(std::abs(to - from), 1e-9);
    if (!(closes > 0.05)) return;
    report_.reasons.push_back({std::move(kind), std::move(says), low_ms, high_ms,
                               std::min(closes, 1.0), fact.source, fact.confidence});
  }

  Result<Prediction> With(const PredictOptions& options) const {
    return PredictWorkload(workload_, target_, options);
  }

  void Classes() {
    for (const CostClass& c : target_.cost->classes) {
      if (!c.shown || c.name == report_.prediction.speed_class) continue;
      PredictOptions other = options_;
      other.user.reset();
      other.speed_class = c.name;
      const Result<Prediction> p = With(other);
      if (!p.ok()) continue;
      Add("clock", "the camera is of another speed class: " + c.says, p->low_ms, p->high_ms,
          c.fact);
    }
  }

  void Eras() {
    std::set<std::string> seen = {report_.prediction.era};
    for (const CostEra& era : target_.cost->eras) {
      PredictOptions other = options_;
      other.os = fmt::format("{}.{}", era.from.major, era.from.minor);
      const Result<Prediction> p = With(other);
      if (!p.ok() || !seen.insert(p->era).second) continue;
      if (std::abs(p->total_ms / report_.prediction.total_ms - 1) < 0.02) continue;
      Add("os", fmt::format("another AXIS OS: {}", p->era), p->total_ms / 1.05, p->total_ms * 1.05,
          era.fact);
    }
  }

  // What the target's data lists: shared accelerator, pre-processing, 16 bit.
  void Listed() {
    const Prediction& p = report_.prediction;
    double layers = 0;
    for (const PredictedStep& s : p.steps) layers += s.engine == Engine::kDlpu ? s.ms : 0;
    for (const CostReason& r : target_.cost->reasons) {
      // A classifier's scores are no boxes to decode.
      if (r.kind == "decode" && workload_.output_bytes < kManyBoxes) continue;
      if (r.kind == "add" || r.kind == "decode") {
        Add("counted too", r.says, p.total_ms + r.low, p.total_ms + r.high, r.fact);
        continue;
      }
      const double part = r.kind == "times" ? p.dlpu_ms : layers;
      Add(r.kind == "times" ? "contention" : "compile", r.says, p.total_ms + part * (r.low - 1),
          p.total_ms + part * (r.high - 1), r.fact);
    }
  }

  void Start() {
    const Prediction& p = report_.prediction;
    const Fact& fact = target_.cost->start.fact;
    if (p.first_run_ms.has_value()) {
      Add("first run", "the first run after loading was measured", *p.first_run_ms / 1.3,
          *p.first_run_ms * 1.3, fact);
    }
    if (p.first_load_ms.has_value()) {
      Add("load", "loading, which compiles on the camera, was counted", *p.first_load_low_ms,
          *p.first_load_high_ms, fact);
    }
    if (p.cached_load_ms.has_value()) {
      Add("load", "loading from the camera's cache was counted", *p.cached_load_ms / 1.5,
          *p.cached_load_ms * 1.5, fact);
    }
  }

  // Everything on the CPU: the device was not the DLPU, or the model fell back.
  void Fallback() {
    if (target_.cost->cpu_only) return;
    Workload on_cpu = workload_;
    for (Layer& layer : on_cpu.layers) layer.engine = Engine::kCpu;
    on_cpu.input_bytes = on_cpu.output_bytes = 0;
    on_cpu.dlpu_parts = 0;
    const Result<Prediction> p = PredictWorkload(on_cpu, target_, options_);
    const CostParameter* rate = target_.cost->Find("cpu_other_ms_per_melement");
    if (!p.ok() || rate == nullptr) return;
    Add("fallback", "the model ran on the CPU (device cpu-tflite, or the DLPU refused it)",
        p->low_ms, p->high_ms, rate->fact);
  }

  // Input and output dearer or cheaper than the middle of what is known.
  void Transfers() {
    const Prediction& p = report_.prediction;
    double ms = 0;
    for (const PredictedPart& part : p.parts) ms += part.bound == Bound::kTransfer ? part.ms : 0;
    if (ms <= 0) return;
    double factor = 1;
    for (const UsedParameter& u : p.parameters) {
      if (u.name == "input_ms_per_mb" || u.name == "output_ms_per_mb") {
        factor = std::max(factor, std::pow(u.factor, 1.645));
      }
    }
    const CostParameter* parameter = target_.cost->Find("input_ms_per_mb");
    if (parameter == nullptr) parameter = target_.cost->Find("output_ms_per_mb");
    Add("transfers", "copying inputs and outputs costs more (or less) on this camera",
        p.total_ms + ms * (1 / factor - 1), p.total_ms + ms * (factor - 1), parameter->fact);
  }

  // Real scenes leave the post-process fewer boxes than random input.
  void Scene() {
    Workload quiet = workload_;
    bool any = false;
    for (Layer& layer : quiet.layers) {
      any |= layer.pairs > 0;
      layer.pairs = 0;
    }
    const Result<Prediction> p = PredictWorkload(quiet, target_, options_);
    if (!any || !p.ok()) return;
    Add("input",
        "a real scene leaves few boxes to the detection post-process; official times are of "
        "random input",
        p->total_ms, report_.prediction.total_ms, target_.cost->Find("pair_ns")->fact);
  }

  void PerChannel() {
    Workload other = workload_;
    bool any = false;
    for (Layer& layer : other.layers) {
      any |= layer.per_channel;
      layer.per_channel = false;
    }
    const CostParameter* p = target_.cost->Find("per_channel_factor");
    if (!target_.cost->per_channel_is_slow || p == nullptr) return;
    if (!any) {
      for (Layer& layer : other.layers) layer.per_channel = layer.weights > 0;
    }
    const Result<Prediction> there = PredictWorkload(other, target_, options_);
    if (!there.ok()) return;
    Add("quantization",
        any ? "per-channel weights are not slow here after all"
            : "the model on the camera has per-channel weights",
        any ? there->low_ms : there->total_ms, any ? there->total_ms : there->high_ms, p->fact);
  }

 private:
  const Workload& workload_;
  const Target& target_;
  const PredictOptions& options_;
  GapReport& report_;
};

}  // namespace

Result<GapReport> ExplainGap(const Workload& workload, const Target& target,
                             const PredictOptions& options, double measured_ms) {
  if (!(measured_ms > 0)) return InvalidError("--explain: the measured time must be positive");
  GapReport report;
  DLPU_TRY(report.prediction, PredictWorkload(workload, target, options));
  report.measured_ms = measured_ms;
  report.ratio = measured_ms / report.prediction.total_ms;
  report.inside =
      measured_ms >= report.prediction.low_ms && measured_ms <= report.prediction.high_ms;
  Gap gap(workload, target, options, &report);
  gap.Classes();
  gap.Transfers();
  gap.Listed();
  gap.Start();
  gap.Fallback();
  gap.Scene();
  gap.PerChannel();
  gap.Eras();
  // What closes the gap first; among equals what is better known, then what is narrower.
  std::ranges::stable_sort(report.reasons, [](const Explanation& a, const Explanation& b) {
    const auto rank = [](const Explanation& e) { return std::round(e.closes * 10); };
    if (rank(a) != rank(b)) return rank(a) > rank(b);
    if (a.confidence != b.confidence) return a.confidence < b.confidence;
    return a.high_ms / a.low_ms < b.high_ms / b.low_ms;
  });
  return report;
}

}  // namespace dlpu
