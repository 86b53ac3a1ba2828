// SPDX-License-Identifier: Apache-2.0
// Compiling for a target: engines, parts, profiles, refusals; and loading what was saved.
#include "passes/compile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ir/program_file.h"
#include "ir/text.h"

namespace dlpu {
namespace {

using testing::HasSubstr;

Target Named(const char* name) {
  Result<Target> target = FindTarget(name);
  EXPECT_TRUE(target.ok());
  return target.ok() ? *target : Target();
}

// artpec8 runs all three ops; artpec7 has no ABS.
Graph ReluAbsRelu() {
  const Result<Graph> graph = ParseGraph(
      "dlpu-graph 1\nname \"m\"\n"
      "tensor %0 \"in\" int8 1x4x4x8 scale=[0.5] zero=[0]\n"
      "tensor %1 \"a\" int8 1x4x4x8 scale=[0.5] zero=[0]\n"
      "tensor %2 \"b\" int8 1x4x4x8 scale=[0.5] zero=[0]\n"
      "tensor %3 \"c\" int8 1x4x4x8 scale=[0.5] zero=[0]\n"
      "node RELU \"a\" (%0) -> (%1)\n"
      "node ABS \"b\" (%1) -> (%2)\n"
      "node RELU \"c\" (%2) -> (%3)\n"
      "inputs (%0)\noutputs (%3)\n");
  EXPECT_TRUE(graph.ok()) << graph.error().message;
  return *graph;
}

TEST(Compile, StepsGoWhereTheTargetsDataSays) {
  const Target target = Named("artpec7");
  const Result<Program> program = Compile(ReluAbsRelu(), OptionsFor(target));
  ASSERT_TRUE(program.ok()) << program.error().message;
  EXPECT_EQ(program->target, "artpec7");
  ASSERT_EQ(program->steps.size(), 3u);
  EXPECT_EQ(program->steps[0].engine, Engine::kDlpu);
  EXPECT_EQ(program->steps[1].engine, Engine::kCpu);
  EXPECT_EQ(program->steps[2].engine, Engine::kCpu);
  EXPECT_EQ(program->steps[0].part, 0);
  EXPECT_EQ(program->steps[2].part, 1);
  const Target other = Named("artpec8");
  const Result<Program> whole = Compile(ReluAbsRelu(), OptionsFor(other));
  ASSERT_TRUE(whole.ok());
  for (const Step& step : whole->steps) EXPECT_EQ(step.engine, Engine::kDlpu);
}

TEST(Compile, EachEngineHasItsArithmetic) {
  Target target = Named("artpec7");
  target.arithmetic.profile = "xnnpack";
  target.arithmetic.cpu_profile = "tflite-builtin";
  const Result<Program> program = Compile(ReluAbsRelu(), OptionsFor(target));
  ASSERT_TRUE(program.ok());
  EXPECT_EQ(program->profile, Profile::kXnnpack);
  EXPECT_EQ(program->steps[0].profile, Profile::kXnnpack);
  EXPECT_EQ(program->steps[1].profile, Profile::kTfliteBuiltin);
  // Without a DLPU the CPU is the main engine, and without a target there is one.
  Target cpu = Named("cpu");
  cpu.arithmetic.profile = "xnnpack";
  const Result<Program> on_cpu = Compile(ReluAbsRelu(), OptionsFor(cpu));
  ASSERT_TRUE(on_cpu.ok());
  EXPECT_EQ(on_cpu->steps[1].profile, Profile::kXnnpack);
  const Result<Program> plain = Compile(ReluAbsRelu(), {});
  ASSERT_TRUE(plain.ok());
  EXPECT_EQ(plain->target, "");
  EXPECT_EQ(plain->steps[0].engine, Engine::kCpu);
}

TEST(Compile, ARefusalIsTheCamerasSentence) {
  Target target = Named("artpec8");
  target.ops.erase(std::ranges::find(target.ops, "ABS", &TargetOp::name));
  target.partition.most = 2;
  const Result<Program> program = Compile(ReluAbsRelu(), OptionsFor(target));
  ASSERT_FALSE(program.ok());
  EXPECT_THAT(program.error().message,
              HasSubstr("Model contains too many graph partitions (3 > 2) and 1 of the graph"));
}

TEST(LoadProgram, GivesBackWhatWasCompiled) {
  const Target target = Named("artpec7");
  const Result<Program> program = Compile(ReluAbsRelu(), OptionsFor(target));
  ASSERT_TRUE(program.ok());
  const std::vector<uint8_t> bytes = WriteProgram(*program);
  const Result<Program> loaded = LoadProgram(bytes, "m.dlpu");
  ASSERT_TRUE(loaded.ok()) << loaded.error().message;
  EXPECT_EQ(WriteProgram(*loaded), bytes);
  EXPECT_EQ(loaded->offsets, program->offsets);
  EXPECT_EQ(loaded->arena_bytes, program->arena_bytes);
  for (size_t i = 0; i < program->steps.size(); ++i) {
    EXPECT_EQ(loaded->steps[i].work.vector_ops, program->steps[i].work.vector_ops);
    EXPECT_EQ(loaded->steps[i].engine, program->steps[i].engine);
    EXPECT_EQ(loaded->steps[i].part, program->steps[i].part);
  }
}

TEST(LoadProgram, ShapesThatDoNotFollowAreRefused) {
  Result<Program> program = Compile(ReluAbsRelu(), {});
  ASSERT_TRUE(program.ok());
  Program wrong = *program;
  wrong.tensors[2].shape = {1, 4, 4, 1 << 20};
  EXPECT_THAT(LoadProgram(WriteProgram(wrong), "m").error().message,
              HasSubstr("m: ABS 'b': output 'b' is int8 1x4x4x8, not int8 1x4x4x1048576"));
  wrong = *program;
  wrong.inputs = {1};
  EXPECT_FALSE(LoadProgram(WriteProgram(wrong), "m").ok());
  wrong = *program;
  wrong.tensors[0].shape = {1, 4, 4, -1};
  EXPECT_FALSE(LoadProgram(WriteProgram(wrong), "m").ok());
}

}  // namespace
}  // namespace dlpu
