// SPDX-License-Identifier: Apache-2.0
// Fixes leave what a model computes, and are not kept where that is not shown.
#include "app/fix.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "app/fix_proof.h"
#include "base/file.h"
#include "formats/tflite.h"
#include "ir/text.h"

namespace dlpu {
namespace {

using testing::HasSubstr;

LoadedModel ModelOf(const std::string& text) {
  LoadedModel model;
  Result<Graph> graph = ParseGraph(text);
  EXPECT_TRUE(graph.ok()) << graph.error().message;
  if (graph.ok()) model.graph = *std::move(graph);
  return model;
}

Target TargetOf(const std::string& name) {
  Result<Target> target = FindTarget(name);
  EXPECT_TRUE(target.ok()) << target.error().message;
  return target.ok() ? *target : Target();
}

std::string Done(const FixReport& report, const std::string& kind) {
  std::string text;
  for (const FixStep& step : report.done) {
    if (step.kind == kind) text += fmt::format("{}: {}\n", step.node, step.what);
  }
  return text;
}

// The codes that part [from, to) of an output takes over all runs.
std::set<int> CodesOf(const std::vector<TensorBytes>& runs, size_t output, size_t from, size_t to) {
  std::set<int> codes;
  for (const TensorBytes& run : runs) {
    for (size_t i = from; i < to; ++i) codes.insert(static_cast<int8_t>(run[output][i]));
  }
  return codes;
}

// Boxes in pixels and sigmoid scores under the scale of the boxes, as YOLO exports have them.
constexpr const char* kYolo = R"(dlpu-graph 1
tensor %0 "in" int8 1x4x6 scale=[0.1] zero=[0]
tensor %1 "pixels" int8 1 scale=[25] zero=[0] const=hex:01
tensor %2 "boxes" int8 1x4x6 scale=[2.5] zero=[-128]
tensor %3 "scores" int8 1x4x6 scale=[0.00390625] zero=[-128]
tensor %4 "scores_as_boxes" int8 1x4x6 scale=[2.5] zero=[-128]
tensor %5 "head" int8 1x8x6 scale=[2.5] zero=[-128]
node MUL "boxes" (%0 %1) -> (%2) version=3
node LOGISTIC "scores" (%0) -> (%3) version=2
node QUANTIZE "scores_as_boxes" (%3) -> (%4)
node CONCATENATION "head" (%2 %4) -> (%5) version=2 {axis=1}
inputs (%0)
outputs (%5)
)";

TEST(Fix, ASplitHeadHasScoresAgainAndTheSameBoxes) {
  const LoadedModel model = ModelOf(kYolo);
  const auto report = Fix(model, TargetOf("artpec8"), {.random_inputs = 5});
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_THAT(Done(*report, "split-head"),
              HasSubstr("'scores' (scale 0.00390625) keeps 0.4 codes"));
  ASSERT_EQ(report->proofs.size(), 1u);
  EXPECT_EQ(report->proofs[0].inputs, 8);
  EXPECT_EQ(report->proofs[0].bytes, 8 * 48);
  EXPECT_EQ(report->proofs[0].compared, "outputs through what was taken off");

  const auto inputs = ProofInputs(model.graph, 5, 9);
  const auto before = RunAll(model.graph, inputs, {});
  const auto after = RunAll(report->graph, inputs, {});
  ASSERT_TRUE(before.ok() && after.ok());
  EXPECT_LE(CodesOf(*before, 0, 24, 48).size(), 1u);  // every score is the same code
  EXPECT_GT(CodesOf(*after, 1, 0, 24).size(), 20u);
  for (size_t run = 0; run < inputs.size(); ++run) {
    const std::vector<uint8_t> boxes((*before)[run][0].begin(), (*before)[run][0].begin() + 24);
    EXPECT_EQ((*after)[run][0], boxes);
  }
  // Its own real values are within half a step of what the shared scale made of them.
  const Tensor& scores = report->graph.tensors[static_cast<size_t>(report->graph.outputs[1])];
  EXPECT_EQ(scores.name, "scores");
  EXPECT_FLOAT_EQ(scores.quantization.scale0(), 0.00390625f);
  // A second time there is nothing to do.
  LoadedModel fixed = model;
  fixed.graph = report->graph;
  const auto again = Fix(fixed, TargetOf("artpec8"), {});
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(Done(*again, "split-head"), "");
}

// A small SSD: post-processing behind boxes and scores.
std::string Ssd() {
  std::string anchors;
  for (int i = 0; i < 1917; ++i) anchors += "80808080";
  return R"(dlpu-graph 1
tensor %0 "raw_boxes" uint8 1x1917x4 scale=[0.05] zero=[128]
tensor %1 "raw_scores" uint8 1x1917x91 scale=[0.1] zero=[128]
tensor %2 "boxes" uint8 1x1917x4 scale=[0.05] zero=[128]
tensor %3 "scores" uint8 1x1917x91 scale=[0.00390625] zero=[0]
tensor %4 "anchors" uint8 1917x4 scale=[0.00390625] zero=[0] const=hex:)" +
         anchors + R"(
tensor %5 "boxes_out" float32 1x10x4
tensor %6 "classes_out" float32 1x10
tensor %7 "scores_out" float32 1x10
tensor %8 "count_out" float32 1
node RELU "boxes" (%0) -> (%2) version=2
node LOGISTIC "scores" (%1) -> (%3)
node TFLite_Detection_PostProcess "boxes_out" (%2 %3 %4) -> (%5 %6 %7 %8) {max_detections=10 num_classes=90 nms_score_threshold=0.1 nms_iou_threshold=0.6 y_scale=10 x_scale=10 h_scale=5 w_scale=5}
inputs (%0 %1)
outputs (%5 %6 %7 %8)
)";
}

TEST(Fix, PostProcessingIsCutOffAndItsDecoderNamed) {
  const auto report = Fix(ModelOf(Ssd()), TargetOf("artpec7"), {.random_inputs = 2});
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_THAT(Done(*report, "cut-post-processing"),
              HasSubstr("1 TFLite_Detection_PostProcess cut off, which the CPU would run"))
      << FixText(*report);
  EXPECT_EQ(report->decoder, "SSD detection");
  ASSERT_EQ(report->graph.outputs.size(), 2u);
  EXPECT_EQ(report->proofs.at(0).inputs, 5);
  EXPECT_EQ(FixJson(*report)["decoder"], "SSD detection");
  EXPECT_THAT(FixText(*report), HasSubstr("decoder      SSD detection takes the new outputs"));
}

TEST(Fix, AnUnknownDecoderIsCutOffUnrun) {
  LoadedModel model = ModelOf(Ssd());
  model.graph.nodes[2].op = Op::kUnknown;
  model.graph.nodes[2].attrs = UnknownAttrs{"MyDecoder", true, {}};
  const auto report = Fix(model, TargetOf("artpec7"), {.random_inputs = 1});
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_THAT(Done(*report, "cut-post-processing"), HasSubstr("1 MyDecoder cut off"));
  EXPECT_EQ(report->proofs.at(0).inputs, 0);
  EXPECT_THAT(FixText(*report), HasSubstr("dlpu cannot run what was cut off"));
  EXPECT_EQ(report->decoder, "SSD detection");
}

TEST(Fix, WithoutADecoderACutIsMadeOnlyByName) {
  const LoadedModel model = ModelOf(R"(dlpu-graph 1
tensor %0 "in" uint8 1x2x2x4 scale=[0.5] zero=[3]
tensor %1 "add" uint8 1x2x2x4 scale=[0.5] zero=[3]
tensor %2 "axis" int32 scalar const=hex:03000000
tensor %3 "classes" int32 1x2x2
node ADD "add" (%0 %0) -> (%1)
node ARG_MAX "classes" (%1 %2) -> (%3) {output_type=int32}
inputs (%0)
outputs (%3)
)");
  auto report = Fix(model, TargetOf("artpec7"), {});
  ASSERT_TRUE(report.ok());
  EXPECT_TRUE(report->done.empty());
  EXPECT_THAT(FixText(*report), HasSubstr("dlpu has no decoder for what would be left"));
  report = Fix(model, TargetOf("artpec7"), {.only = {"cut-post-processing"}});
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->done.size(), 1u);
  EXPECT_EQ(report->decoder, "");
}

TEST(Fix, NothingIsCutFromAModelOfTheCpu) {
  const auto report = Fix(ModelOf(Ssd()), TargetOf("cpu"), {.random_inputs = 1});
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(Done(*report, "cut-post-processing"), "");
}

TEST(Fix, VersionsAreLoweredWhereNothingNeedsThem) {
  const LoadedModel model = ModelOf(R"(dlpu-graph 1
tensor %0 "in" uint8 1x4 scale=[0.5] zero=[128]
tensor %1 "q" int8 1x4 scale=[0.5] zero=[0]
tensor %2 "sum" int8 1x4 scale=[0.5] zero=[0]
node QUANTIZE "q" (%0) -> (%1) version=3
node ADD "sum" (%1 %1) -> (%2) version=2
inputs (%0)
outputs (%2)
)");
  const auto report = Fix(model, TargetOf("artpec8"), {.only = {"lower-versions"}});
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(Done(*report, "lower-versions"),
            "q: QUANTIZE version 3 lowered to 1, which means the same here\n");
  EXPECT_EQ(report->graph.nodes[0].version, 1);
  ASSERT_EQ(report->left.size(), 1u);
  EXPECT_EQ(report->left[0].what, "ADD stays at version 2 (1 nodes): int8 tensors need it");
}

TEST(Fix, WhatCannotBeProvedIsRefused) {
  LoadedModel model = ModelOf(kYolo);
  model.graph.nodes[0].op = Op::kUnknown;
  model.graph.nodes[0].attrs = UnknownAttrs{"Mystery", true, {}};
  const auto report = Fix(model, TargetOf("artpec8"), {});
  ASSERT_FALSE(report.ok());
  EXPECT_THAT(report.error().message, HasSubstr("dlpu cannot run the model to prove it"));
  LoadedModel compiled = ModelOf(kYolo);
  compiled.program = Program();
  compiled.program->target = "artpec8";
  const auto program = Fix(compiled, TargetOf("artpec8"), {});
  ASSERT_FALSE(program.ok());
  EXPECT_THAT(program.error().message, HasSubstr("is compiled already, for artpec8"));
  const auto kind = Fix(ModelOf(kYolo), TargetOf("artpec8"), {.only = {"polish"}});
  ASSERT_FALSE(kind.ok());
  EXPECT_THAT(kind.error().message, HasSubstr("there is no fix 'polish'; there are cut-post"));
}

// The known-bad case of the proof itself: another graph is told apart.
TEST(FixProof, SeesAChange) {
  const LoadedModel model = ModelOf(kYolo);
  Graph changed = model.graph;
  changed.tensors[1].data = {2};
  const auto inputs = ProofInputs(model.graph, 1, 1);
  const auto a = RunAll(model.graph, inputs, {}), b = RunAll(changed, inputs, {});
  ASSERT_TRUE(a.ok() && b.ok());
  EXPECT_EQ(FirstDifference(*a, *a), "");
  EXPECT_THAT(FirstDifference(*a, *b), HasSubstr("output 0 differs in byte"));
  // A tail that is not what was taken off.
  Graph split = model.graph;
  Detached detached = SplitHeads(split);
  ASSERT_FALSE(detached.tail.nodes.empty());
  const auto parts = RunAll(split, inputs, {});
  ASSERT_TRUE(parts.ok());
  EXPECT_EQ(FirstDifference(*a, *OldOutputs(detached, inputs, *parts, {})), "");
  std::swap(detached.tail_inputs[0], detached.tail_inputs[1]);
  EXPECT_NE(FirstDifference(*a, *OldOutputs(detached, inputs, *parts, {})), "");
}

TEST(Fix, EveryGoldenRewriteIsProved) {
  int graphs = 0, proofs = 0;
  for (const auto& entry : std::filesystem::directory_iterator("tests/golden/rewrites")) {
    const Result<std::string> file = ReadTextFile(entry.path());
    ASSERT_TRUE(file.ok());
    const LoadedModel model = ModelOf(file->substr(0, file->find("# after\n")));
    const auto report = Fix(model, TargetOf("artpec7"), {.random_inputs = 4});
    ASSERT_TRUE(report.ok()) << entry.path() << ": " << report.error().message;
    for (const FixStep& step : report->left) {
      EXPECT_EQ(step.what.find("not proved"), std::string::npos)
          << entry.path() << ": " << step.what;
    }
    ++graphs;
    proofs += static_cast<int>(report->proofs.size());
    const auto written = WriteTflite(report->graph);
    ASSERT_TRUE(written.ok()) << entry.path() << ": " << written.error().message;
    ASSERT_TRUE(ReadTflite(*written, "again").ok()) << entry.path();
  }
  fmt::print("{} graphs, {} proofs\n", graphs, proofs);
  EXPECT_GE(graphs, 15);
  EXPECT_GE(proofs, 10);
}

TEST(Fix, ARealModel) {
  const char* shared = std::getenv("DLPU_SHARED");
  const std::string path = std::string(shared != nullptr ? shared : "../shared") +
                           "/models/tflite/yolov5n_artpec8_640.tflite";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no " << path;
  const auto model = LoadModel(path);
  ASSERT_TRUE(model.ok()) << model.error().message;
  const auto report = Fix(*model, TargetOf("artpec8"), {.random_inputs = 1, .only = {"fold-pads"}});
  ASSERT_TRUE(report.ok()) << report.error().message;
  // The first convolution is 6x6 with 2 on each side, which SAME pads too; the others are 3x3 with
  // 1, of which SAME would pad none in front.
  EXPECT_EQ(report->done.size(), 1u) << FixText(*report);
  EXPECT_EQ(report->left.size(), 6u);
  EXPECT_THAT(FixText(*report), HasSubstr("SAME would pad 0 in front, not 1"));
  ASSERT_EQ(report->proofs.size(), 1u);
  EXPECT_EQ(report->proofs[0].inputs, 4);
}

}  // namespace
}  // namespace dlpu
