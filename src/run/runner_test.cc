// SPDX-License-Identifier: Apache-2.0
// A Program runs as its steps say, whatever the memory plan and the number of threads.
#include "run/runner.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "base/fixed_point.h"

namespace dlpu {
namespace {

// CONV_2D 1x1 of two channels followed by a RESHAPE that shares its memory.
Program ConvReshape() {
  Program p;
  const Quantization q{{1.0f}, {0}, 0};
  p.tensors.push_back({"in", DataType::kUInt8, {1, 2, 2, 1}, q, {}, false, false});
  p.tensors.push_back({"w", DataType::kUInt8, {2, 1, 1, 1}, q, {1, 2}, true, false});
  p.tensors.push_back({"conv", DataType::kUInt8, {1, 2, 2, 2}, q, {}, false, false});
  p.tensors.push_back({"out", DataType::kUInt8, {8}, q, {}, false, false});
  p.steps.push_back({Node{Op::kConv2d, "conv", {0, 1}, {2}, {}, ConvAttrs{}, 1}, Engine::kCpu, {}});
  p.steps.push_back(
      {Node{Op::kReshape, "out", {2}, {3}, {}, ReshapeAttrs{{8}}, 1}, Engine::kCpu, {}});
  p.inputs = {0};
  p.outputs = {3};
  p.offsets = {0, -1, 64, 64};
  p.arena_bytes = 128;
  return p;
}

TEST(Runner, ComputesAProgram) {
  for (const int threads : {1, 2, 4}) {
    auto runner = Runner::Load(ConvReshape(), {.threads = threads});
    ASSERT_TRUE(runner.ok()) << runner.error().message;
    const std::vector<uint8_t> input = {1, 2, 3, 200};
    std::memcpy((*runner)->input(0).data(), input.data(), input.size());
    for (int i = 0; i < 3; ++i) {
      ASSERT_TRUE((*runner)->Run().ok());
      const auto out = (*runner)->output(0);
      EXPECT_EQ(std::vector<uint8_t>(out.begin(), out.end()),
                (std::vector<uint8_t>{1, 2, 2, 4, 3, 6, 200, 255}));
    }
  }
}

TEST(Runner, AStepThatCannotRunIsNamed) {
  Program p = ConvReshape();
  p.tensors[0].type = DataType::kBool;
  const auto runner = Runner::Load(std::move(p), {.threads = 1});
  ASSERT_FALSE(runner.ok());
  EXPECT_NE(runner.error().message.find("CONV_2D 'conv'"), std::string::npos);
}

}  // namespace
}  // namespace dlpu
