// SPDX-License-Identifier: Apache-2.0
// Predictions as a whole, on the shipped data: parts sum to the total, intervals are not too sure
// of themselves, and what nobody knows gets a warning.
#include "target/cost/predict.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>

#include "target/cost/explain.h"

namespace dlpu {
namespace {

const std::vector<Target>& Targets() {
  static const Result<std::vector<Target>> targets = LoadTargets();
  DLPU_CHECK(targets.ok());
  return *targets;
}

const Target& Named(const std::string& name) {
  for (const Target& target : Targets()) {
    if (target.name == name) return target;
  }
  DLPU_CHECK(false);
  return Targets()[0];
}

Workload Arch(const std::string& name) {
  Result<Workload> workload = LoadArchitecture(name);
  DLPU_CHECK(workload.ok());
  return *workload;
}

Prediction Predicted(const std::string& arch, const std::string& target,
                     const PredictOptions& options = {}) {
  Result<Prediction> p = PredictWorkload(Arch(arch), Named(target), options);
  EXPECT_TRUE(p.ok()) << p.error().message;
  return p.ok() ? *p : Prediction();
}

PredictOptions On(const std::string& product, const std::string& os = "") {
  const Result<Product> found = FindProduct(product);
  EXPECT_TRUE(found.ok()) << found.error().message;
  PredictOptions options;
  if (found.ok()) options.product = *found;
  options.os = os;
  return options;
}

bool Warns(const Prediction& p, const std::string& text) {
  return std::ranges::any_of(
      p.warnings, [&](const Assumption& w) { return w.says.find(text) != std::string::npos; });
}

const char* const kMobileNet = "mobilenet_v2_1.0_224";
const char* const kSsd = "ssd_mobilenet_v2_coco_300_postprocess";

TEST(Predict, PartsSumToTheTotalOnEveryTarget) {
  int checked = 0;
  for (const Target& target : Targets()) {
    for (const char* arch : {kMobileNet, kSsd, "vgg16_224", "yolov8n_640"}) {
      const Prediction p = Predicted(arch, target.name);
      double sum = 0;
      for (const PredictedStep& s : p.steps) sum += s.ms;
      for (const PredictedPart& part : p.parts) sum += part.ms;
      EXPECT_NEAR(sum, p.total_ms, 1e-9 * p.total_ms) << target.name << " " << arch;
      EXPECT_NEAR(p.dlpu_ms + p.cpu_ms, p.total_ms, 1e-9 * p.total_ms);
      EXPECT_GT(p.total_ms, 0);
      ++checked;
    }
  }
  EXPECT_EQ(checked, 24);
}

TEST(Predict, IntervalsAreNeverNarrowerThanTheData) {
  for (const Target& target : Targets()) {
    PredictOptions options;
    options.speed_class = target.cost->classes[0].name;
    const Prediction p = Predicted("inception_v1_224", target.name, options);
    EXPECT_GE(p.high_ms / p.total_ms, 1 + target.cost->least_interval - 1e-9) << target.name;
    EXPECT_NEAR(p.high_ms / p.total_ms, p.total_ms / p.low_ms, 1e-9) << target.name;
  }
}

TEST(Predict, EveryNumberHasASource) {
  for (const Target& target : Targets()) {
    const Prediction p = Predicted(kMobileNet, target.name);
    EXPECT_FALSE(p.parameters.empty());
    EXPECT_FALSE(p.assumptions.empty());
    for (const UsedParameter& u : p.parameters) {
      EXPECT_FALSE(u.source.empty()) << target.name << " " << u.name;
      EXPECT_FALSE(u.unit.empty()) << target.name << " " << u.name;
      EXPECT_GT(u.value, 0) << target.name << " " << u.name;
    }
    for (const Assumption& a : p.assumptions) EXPECT_FALSE(a.source.empty()) << a.says;
  }
}

TEST(Predict, SameInputSameResult) {
  const Prediction a = Predicted(kSsd, "artpec8"), b = Predicted(kSsd, "artpec8");
  EXPECT_EQ(a.total_ms, b.total_ms);
  EXPECT_EQ(a.high_ms, b.high_ms);
}

TEST(Predict, AKnownNetworkHasItsMeasuredTime) {
  const Prediction here = Predicted(kMobileNet, "artpec8", On("Q1656-LE"));
  EXPECT_NEAR(here.total_ms, 5.38, 0.001);
  EXPECT_EQ(here.confidence, Confidence::kMeasured);
  ASSERT_TRUE(here.measured.has_value());
  EXPECT_TRUE(here.measured->same_product);
  EXPECT_NEAR(here.high_ms / here.total_ms, 1.1, 1e-9);
  const Prediction limited = Predicted(kMobileNet, "artpec8", On("P3265-LV"));
  EXPECT_NEAR(limited.total_ms, 9.87, 0.001);
  EXPECT_FALSE(limited.measured->same_product);
  EXPECT_GE(limited.high_ms / limited.total_ms, 1.2 - 1e-9);
}

// The published row is named, with its releases and who published it.
TEST(Predict, AMeasuredTimeNamesItsSource) {
  const Prediction p = Predicted(kMobileNet, "artpec8", On("Q1656-LE"));
  ASSERT_TRUE(p.measured.has_value());
  EXPECT_EQ(p.measured->layers, LayersHash(Arch(kMobileNet)));
  EXPECT_EQ(p.measured->measurements, 9);
  EXPECT_NE(p.measured->when.find("AXIS OS 12.3"), std::string::npos) << p.measured->when;
  EXPECT_EQ(p.measured->source, "axis-model-zoo: README.md");
  const auto said = std::ranges::find_if(p.assumptions, [](const Assumption& a) {
    return a.says.find("MobileNetV2 takes 5.38 ms on the AXIS Q1656-LE") != std::string::npos;
  });
  ASSERT_NE(said, p.assumptions.end());
  EXPECT_NE(said->source.find("axis-model-zoo"), std::string::npos);
}

// Layers of the same counts in another order, or of another shape, are another network; so is the
// same network in another type. None of them has a published time.
TEST(Predict, ANetworkWithTheSameCountsIsNotTheMeasuredOne) {
  const auto is_measured = [](const Workload& w) {
    const Result<Prediction> p = PredictWorkload(w, Named("artpec8"), On("Q1656-LE"));
    EXPECT_TRUE(p.ok());
    EXPECT_EQ(p->measured.has_value(), p->confidence == Confidence::kMeasured);
    EXPECT_EQ(p->measured.has_value(), p->high_ms / p->total_ms < 1.15);
    return p->measured.has_value();
  };
  const Workload known = Arch(kMobileNet);
  EXPECT_TRUE(is_measured(known));
  Workload swapped = known;
  size_t first = 0;
  while (LayersHash(swapped) == LayersHash(known)) {
    ASSERT_LT(first + 1, swapped.layers.size());
    swapped = known;
    std::swap(swapped.layers[first], swapped.layers[first + 1]);
    ++first;
  }
  const KnownTime a = CountsOf(known), b = CountsOf(swapped);
  EXPECT_EQ(a.macs, b.macs);
  EXPECT_EQ(a.weights, b.weights);
  EXPECT_EQ(a.input_bytes, b.input_bytes);
  EXPECT_EQ(a.output_bytes, b.output_bytes);
  EXPECT_FALSE(is_measured(swapped));
  Workload turned = known;  // 1x9 in place of 3x3: the same counts
  const auto deep = std::ranges::find(turned.layers, LayerKind::kDepthwise, &Layer::kind);
  ASSERT_NE(deep, turned.layers.end());
  deep->kernel_h = 1;
  deep->kernel_w = 9;
  EXPECT_FALSE(is_measured(turned));
  Workload floats = known, wide = known, cut = known;
  for (Layer& l : floats.layers) l.is_float = true;
  for (Layer& l : wide.layers) l.element_bytes = 2;
  cut.dlpu_parts = 2;
  EXPECT_FALSE(is_measured(floats));
  EXPECT_FALSE(is_measured(wide));
  EXPECT_FALSE(is_measured(cut));
}

// No two fitted networks are taken for each other.
TEST(Predict, EveryFittedNetworkIsItself) {
  int known = 0;
  for (const Target& target : Targets()) {
    for (const CostFit& fit : target.cost->fits) {
      for (const KnownTime& k : fit.known) {
        ++known;
        EXPECT_EQ(k.layers.size(), 16U) << k.model;
        EXPECT_FALSE(k.source.empty()) << k.model;
        EXPECT_FALSE(k.when.empty()) << k.model;
        for (const KnownTime& other : fit.known) {
          if (k.layers == other.layers) {
            EXPECT_EQ(k.model, other.model) << target.name;
          }
        }
      }
    }
  }
  EXPECT_GT(known, 50);
}

// A border between two parts of a job costs a start and a copy, not what a job's input and output
// cost; nobody measured it, so nothing is sure about it.
TEST(Predict, ACutModelIsWideAndNotPricedAsManyJobs) {
  for (const char* target : {"artpec8", "artpec9"}) {
    Workload cut = Arch("yolov5n_artpec9_640");
    const Result<Prediction> whole = PredictWorkload(cut, Named(target), {});
    cut.dlpu_parts = 10;
    cut.border_bytes = 10'000'000;
    const Result<Prediction> p = PredictWorkload(cut, Named(target), {});
    ASSERT_TRUE(whole.ok() && p.ok());
    const auto borders = std::ranges::find(p->parts, "borders", &PredictedPart::name);
    ASSERT_NE(borders, p->parts.end());
    EXPECT_GT(borders->ms, 9 * 0.3);
    EXPECT_LT(borders->ms, 100);
    EXPECT_GE(p->high_ms / p->total_ms, 2 - 1e-9);
    EXPECT_GT(p->total_ms, whole->total_ms * 0.99);
    EXPECT_TRUE(Warns(*p, "into 10 parts"));
    EXPECT_EQ(p->confidence, Confidence::kAssumed);
    double sum = 0;
    for (const PredictedStep& s : p->steps) sum += s.ms;
    for (const PredictedPart& part : p->parts) sum += part.ms;
    EXPECT_NEAR(sum, p->total_ms, 1e-9 * p->total_ms);
  }
}

// Both reports of YOLOv8 on ARTPEC-9, of which nobody knows more, lie inside the interval.
TEST(Predict, SiluOnTheCpuHoldsTheReports) {
  const Prediction n = Predicted("yolov8n_384x640", "artpec9"),
                   m = Predicted("yolov8m_736x1280", "artpec9");
  EXPECT_LT(n.low_ms, 80);
  EXPECT_GT(n.high_ms, 113);
  EXPECT_LT(m.low_ms, 210);
  EXPECT_GT(m.high_ms, 210);
  EXPECT_GT(n.high_ms / n.low_ms, 2.5);
}

TEST(Predict, AnUnknownClassSpansAll) {
  const Prediction p = Predicted(kMobileNet, "artpec8", On("P1518-E"));
  ASSERT_EQ(p.classes.size(), 2U);
  EXPECT_LE(p.low_ms, p.classes[0].low_ms);
  EXPECT_GE(p.high_ms, p.classes[1].high_ms);
  EXPECT_TRUE(Warns(p, "speed class is not known"));
}

TEST(Predict, ReleasesDiffer) {
  const double now = Predicted(kSsd, "artpec9", On("Q1728")).total_ms;
  EXPECT_NEAR(now, 10.495, 0.001);
  EXPECT_NEAR(Predicted(kSsd, "artpec9", On("Q1728", "12.3")).total_ms, 14.40, 0.001);
  EXPECT_NEAR(Predicted(kMobileNet, "cv25", On("M3085-V", "11.8")).total_ms, 5.2 * 5.36, 0.3);
  PredictOptions old;
  old.os = "1.0";
  EXPECT_FALSE(PredictWorkload(Arch(kSsd), Named("artpec9"), old).ok());
  old.os = "new";
  EXPECT_FALSE(PredictWorkload(Arch(kSsd), Named("artpec9"), old).ok());
  EXPECT_TRUE(Warns(Predicted(kSsd, "artpec9", On("Q1728", "13.1")), "newer"));
}

TEST(Predict, WhatNobodyKnowsIsWide) {
  const Prediction streams = Predicted("inception_v4_299", "artpec7", On("Q1615 Mk III"));
  EXPECT_TRUE(Warns(streams, "parameter cache"));
  EXPECT_GE(streams.high_ms / streams.total_ms, 2);
  EXPECT_GT(*streams.memory.streamed_bytes, 30'000'000);
  const Prediction silu = Predicted("yolov8n_384x640", "artpec9", On("Q1728"));
  EXPECT_TRUE(Warns(silu, "SiLU"));
  EXPECT_GT(silu.high_ms / silu.low_ms, 2.5);
  EXPECT_TRUE(Warns(Predicted("vgg16_224", "artpec8"), "extrapolated"));
  PredictOptions camera;
  camera.speed_class = "camera";
  const Prediction cpu = Predicted("inception_v1_224", "cpu", camera);
  EXPECT_GE(cpu.high_ms / cpu.total_ms, 2 - 1e-9);
  EXPECT_EQ(cpu.parts.size(), 0U);
}

TEST(Predict, PerChannelWeightsAreDearOnOneTarget) {
  Workload w = Arch("inception_v1_224");
  for (Layer& l : w.layers) l.per_channel = l.weights > 0;
  PredictOptions normal;
  normal.speed_class = "normal";
  const Result<Prediction> p = PredictWorkload(w, Named("artpec8"), normal);
  ASSERT_TRUE(p.ok());
  EXPECT_GT(p->total_ms, 2 * Predicted("inception_v1_224", "artpec8", normal).total_ms);
  EXPECT_TRUE(Warns(*p, "per channel"));
  EXPECT_GT(p->high_ms / p->total_ms, 1.5);
  const Result<Prediction> a9 = PredictWorkload(w, Named("artpec9"), {});
  ASSERT_TRUE(a9.ok());
  EXPECT_EQ(a9->total_ms, Predicted("inception_v1_224", "artpec9").total_ms);
}

// A larger picture never takes less time.
TEST(Predict, GrowsWithThePicture) {
  int compared = 0;
  for (const Target& target : Targets()) {
    for (const std::string net : {"yolov8n_", "yolov8s_"}) {
      double last = 0;
      for (const char* size : {"256x416", "384x640", "480x800", "544x960", "736x1280"}) {
        const double ms = Predicted(net + size, target.name).total_ms;
        EXPECT_GT(ms, last) << target.name << " " << net << size;
        last = ms;
        ++compared;
      }
    }
  }
  EXPECT_EQ(compared, 60);
}

// No target computes faster than its peak: 4096 multiply-accumulates a cycle at 500 MHz for the
// Edge TPU, 2.25 times 2048 at 1 GHz for an Ethos-N with Winograd, 8 for each of four cores at 1.5
// GHz; nothing is published of the others, and their limits are what their fits allow.
TEST(Predict, NothingIsFasterThanThePeak) {
  const std::map<std::string, double> peak_gmacs_per_ms = {{"artpec7", 2.048}, {"artpec8", 1.5},
                                                           {"artpec9", 4.608}, {"cv25", 0.2},
                                                           {"cv75", 0.3},      {"cpu", 0.048}};
  int compared = 0;
  for (const Target& target : Targets()) {
    for (const char* arch : {"vgg16_224", "resnet50_299", "yolov8s_736x1280", "yolov5m_artpec9_640",
                             "inception_v4_299", "mobilenet_v1_1.0_224"}) {
      const Workload w = Arch(arch);
      const Result<Prediction> p = PredictWorkload(w, target, {});
      ASSERT_TRUE(p.ok());
      const double gmacs = 1e-9 * static_cast<double>(SumsOf(w).macs);
      EXPECT_LT(gmacs / p->low_ms, peak_gmacs_per_ms.at(target.name)) << target.name << " " << arch;
      ++compared;
    }
  }
  EXPECT_EQ(compared, 36);
}

TEST(Predict, WhatIf) {
  const auto with = [](const std::string& text, const std::string& target) {
    PredictOptions options;
    Result<WhatIf> what_if = ParseWhatIf(text);
    EXPECT_TRUE(what_if.ok()) << text;
    options.what_if = *what_if;
    return PredictWorkload(Arch("inception_v4_299"), Named(target), options);
  };
  const double a7 = Predicted("inception_v4_299", "artpec7").total_ms;
  EXPECT_LT(with("clock=2x", "artpec7")->total_ms, a7);
  EXPECT_EQ(with("clock=500", "artpec7")->total_ms, a7);
  EXPECT_LT(with("sram=64MiB", "artpec7")->total_ms, a7);
  EXPECT_EQ(*with("sram=64MiB", "artpec7")->memory.streamed_bytes, 0);
  const double a8 = Predicted("inception_v4_299", "artpec8").total_ms;
  EXPECT_GT(with("dlpu_bandwidth=0.5x", "artpec8")->total_ms, a8);
  EXPECT_FALSE(with("clock=800MHz", "artpec8").ok());
  EXPECT_FALSE(with("sram=1MiB", "cv75").ok());
  for (const char* bad : {"", "clock", "clock=-1x", "sram=2pigs", "speed=2x"}) {
    EXPECT_FALSE(ParseWhatIf(bad).ok()) << bad;
  }
}

TEST(Predict, StartIsApartAndMayBeUnknown) {
  const Prediction a8 = Predicted(kMobileNet, "artpec8");
  EXPECT_NEAR(*a8.first_load_ms, 26000, 8000);
  EXPECT_FALSE(a8.first_run_ms.has_value());
  const Prediction a7 = Predicted(kMobileNet, "artpec7");
  EXPECT_FALSE(a7.first_load_ms.has_value());
  EXPECT_NEAR(*a7.first_run_ms, 22, 3);
  EXPECT_FALSE(Predicted(kMobileNet, "cv25").first_load_ms.has_value());
}

TEST(Explain, RanksReasonsForASlowCamera) {
  PredictOptions options = On("Q1656-LE");
  const Result<GapReport> gap = ExplainGap(Arch(kMobileNet), Named("artpec8"), options, 9.9);
  ASSERT_TRUE(gap.ok());
  EXPECT_FALSE(gap->inside);
  ASSERT_GE(gap->reasons.size(), 3U);
  for (size_t i = 1; i < gap->reasons.size(); ++i) {
    EXPECT_GE(gap->reasons[i - 1].closes + 0.1, gap->reasons[i].closes);
  }
  const auto clock = std::ranges::find(gap->reasons, "clock", &Explanation::kind);
  ASSERT_NE(clock, gap->reasons.end());
  EXPECT_GT(clock->closes, 0.99);
  // 5.2 times as long on CVflow: another function shares it, first of all.
  const Result<GapReport> shared =
      ExplainGap(Arch(kMobileNet), Named("cv25"), On("M3085-V", "11.9"), 29.3);
  ASSERT_TRUE(shared.ok());
  ASSERT_FALSE(shared->reasons.empty());
  const auto contention = std::ranges::find(shared->reasons, "contention", &Explanation::kind);
  ASSERT_NE(contention, shared->reasons.end());
  EXPECT_GT(contention->closes, 0.95);
  EXPECT_TRUE(ExplainGap(Arch(kMobileNet), Named("artpec8"), options, 5.4)->inside);
  EXPECT_FALSE(ExplainGap(Arch(kMobileNet), Named("artpec8"), options, 0).ok());
}

TEST(Architecture, BadLinesAreNamed) {
  EXPECT_FALSE(ParseArchitecture("op,in_h\n", "x").ok());
  for (const char* line : {"CONV_2D,1,2", "CONV_2D,8,8,3,8,8,0,3,3", "CONV_2D,8,8,3,8,8,4,3,3,1,9",
                           "ADD,8,8,3,8,8,3,,,,,odd", ",8,8,3,8,8,3"}) {
    const Result<Workload> w = ParseArchitecture(std::string("header\n") + line + "\n", "x");
    ASSERT_FALSE(w.ok()) << line;
    EXPECT_NE(w.error().message.find("x:2"), std::string::npos) << w.error().message;
  }
}

// The sums the lists are known by.
TEST(Architecture, ShippedListsHaveTheirCounts) {
  const WorkloadSums v2 = SumsOf(Arch(kMobileNet));
  EXPECT_NEAR(static_cast<double>(v2.macs), 300.8e6, 0.1e6);
  EXPECT_NEAR(static_cast<double>(v2.depthwise_macs), 20.7e6, 0.1e6);
  const Workload ssd = Arch(kSsd);
  EXPECT_EQ(ssd.output_bytes, 184032);
  EXPECT_EQ(ssd.input_bytes, 270000);
  EXPECT_NEAR(static_cast<double>(SumsOf(Arch("yolov5n_artpec9_640")).macs), 2179.2e6, 0.1e6);
}

}  // namespace
}  // namespace dlpu
