// SPDX-License-Identifier: Apache-2.0
// What people asked about times: where they go, why a camera's differ, what another input size
// does. Small models stand for theirs.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "app/predict.h"
#include "app/size_sweep.h"
#include "app/user_times.h"
#include "story_nets.h"
#include "target/cost/explain.h"

namespace dlpu {
namespace {

using testing::HasSubstr;

Target Named(const std::string& name) {
  Result<Target> target = FindTarget(name);
  EXPECT_TRUE(target.ok()) << target.error().message;
  return target.ok() ? *target : Target();
}

TEST(Stories, WhereTheTimeOfAnSsdGoes) {
  const LoadedModel model = Ssd();
  int targets = 0, with_load = 0, with_first_run = 0;
  for (const std::string name : {"cpu", "artpec7", "artpec8", "artpec9", "cv25", "cv75"}) {
    SCOPED_TRACE(name);
    const Target target = Named(name);
    const Result<Prediction> p = PredictModel(model, {}, target, {});
    ASSERT_TRUE(p.ok()) << p.error().message;
    ++targets;
    EXPECT_LT(p->low_ms, p->total_ms);
    EXPECT_LT(p->total_ms, p->high_ms);
    EXPECT_FALSE(p->assumptions.empty());
    double sum = 0;
    std::set<std::string> parts;
    for (const PredictedStep& step : p->steps) {
      sum += step.ms;
      EXPECT_FALSE(BoundName(step.bound).empty());
    }
    for (const PredictedPart& part : p->parts) {
      sum += part.ms;
      parts.insert(part.name);
    }
    EXPECT_NEAR(sum, p->total_ms, 1e-9 * p->total_ms);
    // What comes before and behind is apart: the input's copy, the post-processing on the CPU.
    EXPECT_TRUE(name == "cpu" || parts.contains("fixed"));
    const auto post =
        std::ranges::find(p->steps, "TFLite_Detection_PostProcess", &PredictedStep::op);
    ASSERT_NE(post, p->steps.end());
    if (target.quantization.need != "compiler") {  // CVflow's compiler takes no such op
      EXPECT_EQ(post->engine, Engine::kCpu);
      EXPECT_GT(post->ms, 0);
    }
    with_load += p->first_load_ms.has_value();
    with_first_run += p->first_run_ms.has_value();
  }
  EXPECT_EQ(targets, 6);
  EXPECT_GT(with_load, 0);
  EXPECT_GT(with_first_run, 0);
}

TEST(Stories, WhyMyCameraIsSlower) {
  const Target target = Named("artpec8");
  const Result<Workload> workload = LoadArchitecture("ssd_mobilenet_v2_coco_300_postprocess");
  ASSERT_TRUE(workload.ok()) << workload.error().message;
  PredictOptions options;
  const Result<Product> product = FindProduct("Q1656-LE");
  ASSERT_TRUE(product.ok());
  options.product = *product;
  const Result<Prediction> predicted = PredictWorkload(*workload, target, options);
  ASSERT_TRUE(predicted.ok());
  const double measured = predicted->total_ms * 15 / 9;
  const Result<GapReport> gap = ExplainGap(*workload, target, options, measured);
  ASSERT_TRUE(gap.ok()) << gap.error().message;
  EXPECT_NEAR(gap->ratio, 15.0 / 9, 1e-9);
  ASSERT_GE(gap->reasons.size(), 3u);
  std::string said;
  for (size_t i = 0; i < gap->reasons.size(); ++i) {
    if (i > 0) {  // ranked by what they close, in tenths of the gap
      EXPECT_LE(std::round(10 * gap->reasons[i].closes),
                std::round(10 * gap->reasons[i - 1].closes))
          << i;
    }
    EXPECT_FALSE(gap->reasons[i].source.empty());
    said += gap->reasons[i].says + "\n";
  }
  // A slower clock, fallback, a second client, pre-processing that was counted.
  EXPECT_THAT(said, HasSubstr("pre-processing was counted"));
  EXPECT_THAT(said, HasSubstr("second client"));
  // The measurement becomes the product's own factor, and the prediction meets it.
  const Result<UserFactor> own =
      FitUserFactor(target, {{*workload, {product->name, "ssd.tflite", "", measured}}});
  ASSERT_TRUE(own.ok()) << own.error().message;
  options.user = *own;
  const Result<Prediction> again = PredictWorkload(*workload, target, options);
  ASSERT_TRUE(again.ok());
  EXPECT_NEAR(again->total_ms / measured, 1, 0.05);
  EXPECT_EQ(again->speed_class, "own");
}

// Down three times and up again, with a shortcut: only multiples of 8 come back to their size.
LoadedModel UpAndDown() {
  SmallNet n;
  const TensorId in = n.In({1, 64, 64, 3});
  TensorId x = n.Conv(in, {.filters = 16});
  const TensorId shortcut = x;
  for (int i = 0; i < 3; ++i) x = n.Conv(x, {.filters = 16, .stride_h = 2, .stride_w = 2});
  for (int i = 0; i < 3; ++i) {
    x = n.Conv(x, {.filters = 64});
    const Shape small = n.graph.tensors[x].shape;
    x = n.Op1("DEPTH_TO_SPACE", {x}, {1, 2 * small[1], 2 * small[2], 16}, BlockAttrs{2});
  }
  n.Op1("ADD", {x, shortcut}, {1, 64, 64, 16});
  return n.Model();
}

TEST(Stories, AResolutionSweepShowsWhichSizesFail) {
  const Result<std::vector<InputSize>> sizes = ParseSizes("300x300,352,384,480x270,640x640");
  ASSERT_TRUE(sizes.ok());
  for (const std::string name : {"artpec8", "artpec9"}) {
    const Result<std::vector<SizeRow>> rows = SweepSizes(UpAndDown(), {}, Named(name), {}, *sizes);
    ASSERT_TRUE(rows.ok()) << rows.error().message;
    std::string fits;
    double before = 0;
    for (const SizeRow& row : *rows) {
      fits += row.prediction ? "+" : "-";
      if (!row.prediction) {
        EXPECT_THAT(row.error, HasSubstr("ADD")) << row.error;
        continue;
      }
      // Time and memory of each, growing with the picture.
      EXPECT_GT(row.prediction->total_ms, before);
      EXPECT_GT(row.prediction->memory.peak_bytes.value_or(0),
                row.size.height * row.size.width * 16);
      before = row.prediction->total_ms;
    }
    EXPECT_EQ(fits, "-++-+") << name;
  }
}

}  // namespace
}  // namespace dlpu
