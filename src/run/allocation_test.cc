// SPDX-License-Identifier: Apache-2.0
// Running a loaded model allocates nothing: operator new counts.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <new>

#include "run/runner.h"

namespace {

std::atomic<int64_t> g_allocations{0};

void* CountedNew(size_t size) {
  ++g_allocations;
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}

}  // namespace

void* operator new(size_t size) { return CountedNew(size); }
void* operator new[](size_t size) { return CountedNew(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, size_t) noexcept { std::free(memory); }

namespace dlpu {
namespace {

// uint8 CONV_2D 3x3 -> DEPTHWISE_CONV_2D 3x3 -> ADD with itself -> AVERAGE_POOL_2D.
Program SmallNetwork() {
  Program p;
  const Quantization q{{0.05f}, {128}, 0};
  const auto tensor = [&](const char* name, Shape shape, std::vector<uint8_t> data = {}) {
    const bool constant = !data.empty();
    p.tensors.push_back(
        {name, DataType::kUInt8, std::move(shape), q, std::move(data), constant, false});
    p.offsets.push_back(constant ? -1 : p.arena_bytes);
    if (!constant) p.arena_bytes += 8192;
    return static_cast<TensorId>(p.tensors.size() - 1);
  };
  const TensorId in = tensor("in", {1, 16, 16, 3});
  const TensorId w = tensor("w", {20, 3, 3, 3}, std::vector<uint8_t>(540, 131));
  const TensorId conv = tensor("conv", {1, 16, 16, 20});
  const TensorId dw = tensor("dw", {1, 3, 3, 20}, std::vector<uint8_t>(180, 126));
  const TensorId depthwise = tensor("depthwise", {1, 16, 16, 20});
  const TensorId sum = tensor("sum", {1, 16, 16, 20});
  const TensorId pool = tensor("pool", {1, 1, 1, 20});
  const auto step = [&](Op op, std::vector<TensorId> inputs, TensorId output, Attrs attrs) {
    p.steps.push_back(
        {Node{op, p.tensors[output].name, std::move(inputs), {output}, {}, std::move(attrs), 1},
         Engine::kCpu,
         {}});
  };
  step(Op::kConv2d, {in, w}, conv, ConvAttrs{});
  ConvAttrs depthwise_attrs;
  depthwise_attrs.depth_multiplier = 1;
  step(Op::kDepthwiseConv2d, {conv, dw}, depthwise, depthwise_attrs);
  step(Op::kAdd, {depthwise, depthwise}, sum, ArithmeticAttrs{});
  PoolAttrs pool_attrs{.padding = Padding::kValid, .filter_h = 16, .filter_w = 16};
  step(Op::kAveragePool2d, {sum}, pool, pool_attrs);
  p.inputs = {in};
  p.outputs = {pool};
  return p;
}

TEST(Runner, RunningAllocatesNothing) {
  for (const int threads : {1, 2}) {
    auto runner = Runner::Load(SmallNetwork(), {.threads = threads});
    ASSERT_TRUE(runner.ok()) << runner.error().message;
    ASSERT_TRUE((*runner)->Run().ok());
    const int64_t before = g_allocations;
    EXPECT_GT(before, 0) << "the counter does not count";
    for (int i = 0; i < 10; ++i) ASSERT_TRUE((*runner)->Run().ok());
    EXPECT_EQ(g_allocations, before) << threads << " threads";
  }
}

TEST(Runner, SeveralRunnersInOneProcessGiveTheSameResult) {
  std::vector<std::vector<uint8_t>> results;
  std::vector<std::unique_ptr<Runner>> runners;
  for (const int threads : {1, 2, 1}) {
    auto runner = Runner::Load(SmallNetwork(), {.threads = threads});
    ASSERT_TRUE(runner.ok()) << runner.error().message;
    runners.push_back(*std::move(runner));
  }
  for (int round = 0; round < 2; ++round) {
    for (const auto& runner : runners) {
      std::memset(runner->input(0).data(), 140, runner->input(0).size());
      ASSERT_TRUE(runner->Run().ok());
      const auto out = runner->output(0);
      results.emplace_back(out.begin(), out.end());
    }
  }
  for (const auto& result : results) EXPECT_EQ(result, results[0]);
}

}  // namespace
}  // namespace dlpu
