// SPDX-License-Identifier: Apache-2.0
// The files that compiling leaves for each target, and that they compute what the model does.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "app/compile.h"
#include "base/file.h"
#include "base/sha256.h"
#include "ir/text.h"

namespace dlpu {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

constexpr const char* kModel = "data/models/digits_int8.tflite";

Target Named(const char* name) {
  Result<Target> target = FindTarget(name);
  EXPECT_TRUE(target.ok());
  // Whether a vendor's compiler is installed here must not matter.
  if (target.ok() && target->compiler && !target->compiler->program.empty()) {
    target->compiler->program = "dlpu-no-such-compiler";
  }
  return target.ok() ? *target : Target();
}

ModelOptions For(const std::string& target) {
  ModelOptions options;
  options.target = target;
  options.threads = 1;
  return options;
}

class CompileTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "compile_" +
              testing::UnitTest::GetInstance()->current_test_info()->name();
    fs::remove_all(folder_);
    request_.output = folder_;
    Result<LoadedModel> model = LoadModel(kModel);
    ASSERT_TRUE(model.ok()) << model.error().message;
    model_ = *std::move(model);
  }
  // Hash of the outputs on input codes 0, 1, 2, ...
  static std::string OutputsOf(const std::string& path, const std::string& target = "") {
    const Result<LoadedModel> model = LoadModel(path);
    EXPECT_TRUE(model.ok()) << model.error().message;
    const auto runner = LoadRunner(*model, For(target));
    EXPECT_TRUE(runner.ok()) << runner.error().message;
    for (size_t i = 0; i < (*runner)->input_count(); ++i) {
      const auto input = (*runner)->input(i);
      for (size_t k = 0; k < input.size(); ++k) input[k] = static_cast<uint8_t>(k);
    }
    EXPECT_TRUE((*runner)->Run().ok());
    std::string hashes;
    for (size_t i = 0; i < (*runner)->output_count(); ++i) {
      hashes += Sha256Hex((*runner)->output(i));
    }
    return hashes;
  }

  std::string folder_;
  CompileRequest request_;
  LoadedModel model_;
};

TEST_F(CompileTest, OpenFormatsAreWrittenAndComputeTheSame) {
  for (const char* name : {"cpu", "artpec8", "artpec9"}) request_.targets.push_back(Named(name));
  const Result<CompileOutcome> outcome = CompileForTargets(model_, request_);
  ASSERT_TRUE(outcome.ok()) << outcome.error().message;
  ASSERT_EQ(outcome->targets.size(), 3u);
  const std::string expected = OutputsOf(kModel);
  for (const CompiledTarget& compiled : outcome->targets) {
    EXPECT_EQ(compiled.refusal, "");
    ASSERT_EQ(compiled.artifacts.size(), 2u);
    EXPECT_THAT(compiled.artifacts[0].path, testing::EndsWith(".dlpu"));
    EXPECT_THAT(compiled.artifacts[1].path, testing::EndsWith(".tflite"));
    for (const Artifact& artifact : compiled.artifacts) {
      const auto bytes = ReadFile(artifact.path);
      ASSERT_TRUE(bytes.ok());
      EXPECT_EQ(Sha256Hex(*bytes), artifact.sha256);
      // Every file says what it was made from.
      const Result<LoadedModel> loaded = LoadModel(artifact.path);
      ASSERT_TRUE(loaded.ok()) << loaded.error().message;
      if (loaded->program) {
        EXPECT_EQ(loaded->program->source_sha256, model_.sha256);
        EXPECT_EQ(loaded->program->target, compiled.target->name);
      } else {
        const auto& source = loaded->graph.metadata.at("dlpu_source_sha256");
        EXPECT_EQ(std::string(source.begin(), source.end()), model_.sha256);
      }
      EXPECT_EQ(OutputsOf(artifact.path), expected) << artifact.path;
    }
  }
}

TEST_F(CompileTest, TheSameInputGivesTheSameBytes) {
  request_.targets = {Named("artpec7"), Named("artpec8")};
  const auto first = CompileForTargets(model_, request_);
  request_.output = folder_ + "/again";
  const auto second = CompileForTargets(model_, request_);
  ASSERT_TRUE(first.ok() && second.ok());
  int compared = 0;
  for (size_t t = 0; t < 2; ++t) {
    const auto &a = first->targets[t].artifacts, &b = second->targets[t].artifacts;
    ASSERT_EQ(a.size(), b.size());
    for (size_t i = 0; i < a.size(); ++i, ++compared) EXPECT_EQ(a[i].sha256, b[i].sha256);
  }
  EXPECT_GE(compared, 4);
}

TEST_F(CompileTest, VendorsToolsGetAFolder) {
  model_ = *LoadModel("digits");
  request_.targets = {Named("cv25")};
  const auto outcome = CompileForTargets(model_, request_);
  ASSERT_TRUE(outcome.ok()) << outcome.error().message;
  const CompiledTarget& compiled = outcome->targets[0];
  ASSERT_EQ(compiled.artifacts.size(), 2u);
  const std::string folder = compiled.artifacts[1].path;
  EXPECT_TRUE(fs::exists(folder + "/model.tflite"));
  EXPECT_THAT(*ReadTextFile(folder + "/calibration_list.txt"), HasSubstr("100 to 200"));
  const std::string facts = *ReadTextFile(folder + "/facts.txt");
  EXPECT_THAT(facts, HasSubstr(model_.sha256));
  EXPECT_THAT(facts, HasSubstr("row pitch: 32 bytes"));
  EXPECT_THAT(facts, HasSubstr("only Ambarella CNNGen makes"));
  ASSERT_FALSE(compiled.notes.empty());
  EXPECT_THAT(compiled.notes[0], HasSubstr("only Ambarella CNNGen makes the file"));
  // The program is there, and is not run with made-up arithmetic.
  const auto program = LoadModel(compiled.artifacts[0].path);
  ASSERT_TRUE(program.ok());
  const auto runner = LoadRunner(*program, {});
  ASSERT_FALSE(runner.ok());
  EXPECT_THAT(runner.error().message, HasSubstr("--target cv25 --calibration"));
}

TEST_F(CompileTest, WhatATargetDoesNotTakeIsRefused) {
  request_.targets = {Named("cv75"), Named("cv25")};
  const auto outcome = CompileForTargets(model_, request_);
  ASSERT_TRUE(outcome.ok());
  EXPECT_THAT(outcome->targets[0].refusal, HasSubstr("CV75 takes .onnx files, not .tflite"));
  EXPECT_THAT(outcome->targets[1].refusal, HasSubstr("bring the float model"));
  const LoadedModel digits = *LoadModel("digits");
  request_.targets = {Named("artpec7")};
  const auto edge = CompileForTargets(digits, request_);
  ASSERT_TRUE(edge.ok());
  EXPECT_EQ(edge->targets[0].refusal, "Model not quantized");
  EXPECT_TRUE(edge->targets[0].artifacts.empty());
}

TEST_F(CompileTest, MistakesHaveReasons) {
  request_.targets = {Named("artpec8"), Named("cpu")};
  request_.output = folder_ + "/one.dlpu";
  EXPECT_THAT(CompileForTargets(model_, request_).error().message, HasSubstr("need a folder"));
  request_.targets = {Named("artpec8")};
  ASSERT_TRUE(CompileForTargets(model_, request_).ok());
  EXPECT_TRUE(fs::exists(folder_ + "/one.tflite"));
  // A program is not compiled again, and not for another target.
  const auto program = LoadModel(folder_ + "/one.dlpu");
  ASSERT_TRUE(program.ok());
  EXPECT_THAT(CompileForTargets(*program, request_).error().message,
              HasSubstr("is compiled already, for artpec8"));
  EXPECT_THAT(LoadRunner(*program, For("artpec9")).error().message,
              HasSubstr("is compiled for artpec8; for artpec9 compile the model"));
  // The model itself is not overwritten.
  const auto copy = LoadModel(folder_ + "/one.tflite");
  ASSERT_TRUE(copy.ok());
  EXPECT_THAT(CompileForTargets(*copy, request_).error().message, HasSubstr("would overwrite"));
}

// An op that the Edge TPU does not run behind every one that it does: forced to take all its parts,
// it waits for what crosses to the CPU and back.
TEST_F(CompileTest, ForcingSeveralPartsIsPriced) {
  std::string text = "dlpu-graph 1\nname \"m\"\n";
  std::string nodes;
  for (int i = 0; i <= 8; ++i) {
    text += fmt::format("tensor %{} \"t{}\" int8 1x64x64x16 scale=[0.5] zero=[0]\n", i, i);
    if (i == 0) continue;
    nodes += fmt::format("node {} \"t{}\" (%{}) -> (%{})\n", i % 2 ? "RELU" : "ABS", i, i - 1, i);
  }
  const Result<Graph> graph = ParseGraph(text + nodes + "inputs (%0)\noutputs (%8)\n");
  ASSERT_TRUE(graph.ok()) << graph.error().message;
  model_.graph = *graph;
  request_.targets = {Named("artpec7")};
  request_.several_parts = true;
  const auto outcome = CompileForTargets(model_, request_);
  ASSERT_TRUE(outcome.ok()) << outcome.error().message;
  const CompiledTarget& compiled = outcome->targets[0];
  EXPECT_EQ(compiled.refusal, "");
  EXPECT_EQ(compiled.partition.dlpu_parts, 4);
  ASSERT_TRUE(compiled.one_part.has_value());
  EXPECT_EQ(compiled.one_part->dlpu_parts, 1);
  ASSERT_TRUE(compiled.several_ms.has_value());
  ASSERT_TRUE(compiled.one_part_ms.has_value());
  EXPECT_GT(*compiled.several_ms, *compiled.one_part_ms);
}

TEST_F(CompileTest, TheReportHasTextAndPictures) {
  request_.targets = {Named("artpec7")};
  request_.report = true;
  const auto outcome = CompileForTargets(model_, request_);
  ASSERT_TRUE(outcome.ok());
  const CompiledTarget& compiled = outcome->targets[0];
  EXPECT_THAT(compiled.report, HasSubstr("parameters "));
  EXPECT_THAT(compiled.report, HasSubstr("memory by tensor and time"));
  int pictures = 0;
  for (const Artifact& artifact : compiled.artifacts) {
    if (!artifact.path.ends_with(".svg")) continue;
    const std::string svg = *ReadTextFile(artifact.path);
    EXPECT_THAT(svg, testing::StartsWith("<svg "));
    EXPECT_THAT(svg, testing::EndsWith("</svg>\n"));
    EXPECT_THAT(svg, HasSubstr("<rect "));
    ++pictures;
  }
  EXPECT_EQ(pictures, 2);
}

}  // namespace
}  // namespace dlpu
