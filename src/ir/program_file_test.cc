// SPDX-License-Identifier: Apache-2.0
// Programs survive the file; damaged files are refused with a reason.
#include "ir/program_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ir/text.h"

namespace dlpu {
namespace {

using testing::HasSubstr;

// One step of every kind of attribute: numbers, a float, an enumeration, a flag, a list.
Program Sample() {
  Program p;
  p.name = "sample \"model\"";
  p.target = "artpec8";
  p.source_sha256 = std::string(64, 'a');
  p.profile = Profile::kXnnpack;
  p.metadata["TFLITE_METADATA"] = {1, 2, 3};
  const Quantization q{{0.5f}, {-3}, 0};
  const Quantization channels{{0.5f, 0.25f}, {0, 0}, 3};
  p.tensors.push_back({"in", DataType::kInt8, {1, 2, 2, 2}, q, {}, false, false});
  p.tensors.push_back({"w", DataType::kInt8, {1, 1, 1, 2}, channels, {7, 250}, true, false});
  p.tensors.push_back({"dw", DataType::kInt8, {1, 2, 2, 2}, q, {}, false, false});
  p.tensors.push_back({"state", DataType::kInt8, {1, 2, 2, 2}, q, {}, false, true});
  p.tensors.push_back({"out", DataType::kInt8, {8}, q, {}, false, false});
  ConvAttrs conv;
  conv.padding = Padding::kValid;
  conv.stride_h = 3;
  conv.depth_multiplier = 1;
  conv.activation = Activation::kRelu6;
  Step first{{Op::kDepthwiseConv2d, "dw", {0, 1, kNoTensor}, {2}, {}, conv, 4}, Engine::kDlpu, {}};
  first.part = 2;
  first.profile = Profile::kTfliteBuiltin;
  p.steps.push_back(first);
  p.steps.push_back(
      {{Op::kReshape, "out", {2}, {4}, {}, ReshapeAttrs{{8, -1}}, 1}, Engine::kCpu, {}});
  p.steps.push_back(
      {{Op::kLeakyRelu, "leaky", {2}, {3}, {}, LeakyReluAttrs{0.1f}, 1}, Engine::kCpu, {}});
  p.inputs = {0};
  p.outputs = {4, 2};
  p.offsets.assign(p.tensors.size(), -1);
  return p;
}

// What a Program holds, as text.
std::string TextOf(const Program& p) {
  Graph graph;
  graph.name = p.name;
  graph.tensors = p.tensors;
  graph.inputs = p.inputs;
  graph.outputs = p.outputs;
  graph.metadata = p.metadata;
  std::string steps;
  for (const Step& step : p.steps) {
    graph.nodes.push_back(step.node);
    steps += std::string(EngineName(step.engine)) + std::to_string(step.part) +
             std::string(ProfileName(step.profile)) + "\n";
  }
  return PrintGraph(graph) + steps + p.target + p.source_sha256 +
         std::string(ProfileName(p.profile));
}

TEST(ProgramFile, RoundTripIsEqual) {
  const Program p = Sample();
  const std::vector<uint8_t> bytes = WriteProgram(p);
  EXPECT_EQ(WriteProgram(p), bytes);
  const Result<Program> read = ReadProgram(bytes, "p.dlpu");
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(TextOf(*read), TextOf(p));
  EXPECT_EQ(WriteProgram(*read), bytes);
}

TEST(ProgramFile, EveryDamageIsSeen) {
  const std::vector<uint8_t> bytes = WriteProgram(Sample());
  for (size_t size = 0; size < bytes.size(); ++size) {
    const std::vector<uint8_t> cut(bytes.begin(), bytes.begin() + size);
    const Result<Program> read = ReadProgram(cut, "p.dlpu");
    ASSERT_FALSE(read.ok()) << size;
    EXPECT_THAT(read.error().message, HasSubstr("p.dlpu: "));
  }
  std::vector<uint8_t> flipped = bytes;
  for (size_t at = 0; at < bytes.size(); ++at) {
    flipped[at] ^= 1;
    EXPECT_FALSE(ReadProgram(flipped, "p.dlpu").ok()) << at;
    flipped[at] ^= 1;
  }
}

// With the checksum mended, damage reaches the parser: a reason or a program, never a crash.
TEST(ProgramFile, DamageBehindTheChecksumDoesNotCrash) {
  const std::vector<uint8_t> bytes = WriteProgram(Sample());
  std::vector<uint8_t> body(bytes.begin(), bytes.end() - 32);
  ASSERT_EQ(SealProgram(body), bytes);
  int refused = 0, read = 0;
  for (size_t at = 0; at < body.size(); ++at) {
    for (const uint8_t mask : {0xff, 0x01, 0x80}) {
      body[at] ^= mask;
      const Result<Program> result = ReadProgram(SealProgram(body), "p.dlpu");
      ++(result.ok() ? read : refused);
      EXPECT_TRUE(result.ok() || !result.error().message.empty());
      body[at] ^= mask;
    }
  }
  EXPECT_GT(refused, 100);
  EXPECT_GT(read, 100);
}

TEST(ProgramFile, OtherFilesAndVersionsAreNamed) {
  const std::vector<uint8_t> text = {'h', 'e', 'l', 'l', 'o', ' ', 'y', 'o', 'u'};
  EXPECT_EQ(ReadProgram(text, "x").error().message, "x: not a .dlpu program");
  Program p = Sample();
  p.steps[0].node.inputs[0] = 99;
  EXPECT_THAT(ReadProgram(WriteProgram(p), "x").error().message,
              HasSubstr("refers to tensor 99 of 5; compile the model again"));
}

}  // namespace
}  // namespace dlpu
