// SPDX-License-Identifier: Apache-2.0
// Each engine formula against values worked out by hand.
#include "target/cost/engine.h"

#include <gtest/gtest.h>

namespace dlpu {
namespace {

Layer Conv(int64_t size, int64_t in_c, int64_t out_c, int64_t kernel, int64_t stride = 1) {
  Layer l;
  l.op = "CONV_2D";
  l.in_h = l.in_w = size * stride;
  l.out_h = l.out_w = size;
  l.in_c = in_c;
  l.out_c = out_c;
  l.kernel_h = l.kernel_w = kernel;
  l.stride = stride;
  FinishLayer(&l);
  return l;
}

Layer Depthwise(int64_t size, int64_t channels) {
  Layer l = Conv(size, channels, channels, 3);
  l.op = "DEPTHWISE_CONV_2D";
  l.groups = channels;
  FinishLayer(&l);
  return l;
}

Layer Other(const char* op, int64_t h, int64_t w, int64_t c, int64_t inputs = 1) {
  Layer l;
  l.op = op;
  l.in_h = l.out_h = h;
  l.in_w = l.out_w = w;
  l.in_c = l.out_c = c;
  l.inputs = inputs;
  FinishLayer(&l);
  return l;
}

TEST(Layer, CountsFollowFromExtents) {
  const Layer conv = Conv(7, 8, 16, 3);
  EXPECT_EQ(conv.kind, LayerKind::kDense);
  EXPECT_EQ(conv.weights, 3 * 3 * 8 * 16);
  EXPECT_EQ(conv.macs, 7 * 7 * 3 * 3 * 8 * 16);
  EXPECT_EQ(Conv(7, 8, 16, 1).kind, LayerKind::kPointwise);
  const Layer dw = Depthwise(7, 8);
  EXPECT_EQ(dw.kind, LayerKind::kDepthwise);
  EXPECT_EQ(dw.weights, 72);
  EXPECT_EQ(dw.macs, 7 * 7 * 9 * 8);
}

// 7x7 is 2x2 tiles of 4x4; 40 outputs are 2 groups of 32, half a cycle each.
TEST(Tiles, CyclesByHand) {
  EngineConstants e;
  e.form = EngineForm::kTiles;
  e.clock_mhz = 500;
  EXPECT_DOUBLE_EQ(TileCycles(Conv(7, 8, 40, 3), e), 4 * 9 * 8 * 2 / 2.0);
  EXPECT_DOUBLE_EQ(TileCycles(Conv(7, 8, 40, 1), e), 4 * 8 * 2 / 2.0);
  // Channels rounded up to 4, 64 at a time: 4 tiles * 9 * 12 / 64.
  EXPECT_DOUBLE_EQ(TileCycles(Depthwise(7, 10), e), 4 * 9 * 12 / 64.0);
  // One pixel: all lanes work on outputs.
  EXPECT_DOUBLE_EQ(TileCycles(Conv(1, 1280, 1001, 1), e), 1280.0);
  EXPECT_DOUBLE_EQ(TileCycles(Conv(1, 1280, 1025, 1), e), 2560.0);
  EXPECT_DOUBLE_EQ(TileCycles(Other("ADD", 7, 7, 8, 2), e), 0.0);
  e.dense_weight = 0.5;
  EngineRates rates;
  rates.scale = 2;
  // 288 cycles at half weight, twice as slow, at 500 MHz.
  EXPECT_DOUBLE_EQ(EngineTime(Conv(7, 8, 40, 3), e, rates).ms, 2 * 144 / 500e3);
}

TEST(Roofline, TheLongerOfComputeAndMovement) {
  EngineConstants e;
  e.form = EngineForm::kRoofline;
  e.channel_multiple = 6;
  EngineRates r;
  r.dense = 1;  // TMAC/s
  r.pointwise = 0.5;
  r.depthwise = 0.01;
  r.bandwidth = 10;  // GB/s
  // 16 outputs count as 18: 100*100*18*9*64 MAC at 1e9 a ms.
  const LayerTime dense = EngineTime(Conv(100, 64, 16, 3), e, r);
  EXPECT_DOUBLE_EQ(dense.ms, 100.0 * 100 * 18 * 9 * 64 / 1e9);
  EXPECT_EQ(dense.bound, Bound::kCompute);
  // 1x1, 8 to 6 channels: 480000 MAC are 0.00096 ms, 140048 bytes at 1e7 a ms are more.
  const LayerTime point = EngineTime(Conv(100, 8, 6, 1), e, r);
  EXPECT_DOUBLE_EQ(point.ms, (80000 + 60000 + 48) / 1e7);
  EXPECT_EQ(point.bound, Bound::kActivations);
  const LayerTime head = EngineTime(Conv(1, 1000, 1000, 1), e, r);
  EXPECT_EQ(head.bound, Bound::kWeights);
  EXPECT_DOUBLE_EQ(head.ms, (1000000 + 2000) / 1e7);
  EXPECT_DOUBLE_EQ(EngineTime(Other("ADD", 10, 10, 10, 2), e, r).ms, 3000 / 1e7);
  EXPECT_DOUBLE_EQ(EngineTime(Other("RESHAPE", 10, 10, 10), e, r).ms, 0);
  Layer slow = Conv(100, 64, 16, 3);
  slow.per_channel = true;
  r.per_channel = 4;
  EXPECT_DOUBLE_EQ(EngineTime(slow, e, r).ms, 4 * dense.ms);
}

EngineConstants Cycles() {
  EngineConstants e;
  e.form = EngineForm::kCycles;
  e.clock_mhz = 1000;
  e.macs_per_cycle = 2048;
  e.brick = 8;
  e.group = 16;
  e.sram_bytes = 1 << 20;
  e.bytes_per_cycle = 16;
  e.stripe_cycles = 2500;
  e.winograd = 2.25;
  e.weight_compression = 0.8;
  e.patch_cycles = 6;
  e.patches = {{"ADD", 35}, {"LOGISTIC", 41}};
  e.placed = {"CONCATENATION"};
  return e;
}

TEST(Cycles, ByHand) {
  const EngineConstants e = Cycles();
  Bound bound = Bound::kCpu;
  // 60x60 is 64x64, 24 inputs are 32, 40 outputs are 48; 3x3 at stride 1 goes 2.25 times as fast.
  EXPECT_DOUBLE_EQ(LayerCycles(Conv(60, 24, 40, 3), e, &bound),
                   64.0 * 64 * 9 * 32 * 48 / 2048 / 2.25);
  EXPECT_EQ(bound, Bound::kCompute);
  // Stride 2 gains nothing.
  EXPECT_DOUBLE_EQ(LayerCycles(Conv(60, 32, 48, 3, 2), e, &bound), 64.0 * 64 * 9 * 32 * 48 / 2048);
  // Depthwise uses one input group: 128 a cycle.
  EXPECT_DOUBLE_EQ(LayerCycles(Depthwise(60, 40), e, &bound), 64.0 * 64 * 9 * 48 / 128);
  // ADD: 35 cycles for each 4x4 patch of each 16 channels.
  EXPECT_DOUBLE_EQ(LayerCycles(Other("ADD", 64, 64, 16, 2), e, &bound), 64 * 64 / 16 * 35.0);
  // Small layers take one stripe.
  EXPECT_DOUBLE_EQ(LayerCycles(Other("ADD", 8, 8, 16, 2), e, &bound), 2500);
  EXPECT_EQ(bound, Bound::kFixed);
  // Weights alone, 0.8 of them, 16 bytes a cycle; the activations stay in the SRAM.
  EXPECT_DOUBLE_EQ(LayerCycles(Conv(1, 512, 1001, 1), e, &bound), 0.8 * 512 * 1001 / 16);
  EXPECT_EQ(bound, Bound::kWeights);
  // With twice the weights they do not: 8x8x1024 in and 8x8x1008 out travel too.
  EXPECT_DOUBLE_EQ(LayerCycles(Conv(1, 1024, 1001, 1), e, &bound),
                   (0.8 * 1024 * 1001 + 64 * 1024 + 64 * 1008) / 16);
  EXPECT_EQ(bound, Bound::kWeights);
  // Activations beyond the SRAM travel: (2 * 160*160*32 + 160*160*32) / 16.
  EXPECT_DOUBLE_EQ(LayerCycles(Other("MUL", 160, 160, 32, 2), e, &bound),
                   3 * 160 * 160 * 32 / 16.0);
  EXPECT_EQ(bound, Bound::kActivations);
  // A concatenation is placed, not moved.
  EXPECT_DOUBLE_EQ(LayerCycles(Other("CONCATENATION", 160, 160, 32, 2), e, &bound),
                   160 * 160 / 16 * 2 * 6.0);
}

TEST(Cycles, TailAndBordersAreFree) {
  EngineRates rates;
  Layer tail = Other("LOGISTIC", 6400, 3, 81);
  EXPECT_GT(EngineTime(tail, Cycles(), rates).ms, 0);
  tail.tail = true;
  EXPECT_EQ(EngineTime(tail, Cycles(), rates).ms, 0);
  EXPECT_EQ(EngineTime(Other("PAD", 160, 160, 32), Cycles(), rates).ms, 0);
}

TEST(Rates, PerClass) {
  EngineConstants e;
  e.form = EngineForm::kRates;
  EngineRates r;
  r.dense = 6;
  r.pointwise = 5;
  r.depthwise = 20;
  EXPECT_DOUBLE_EQ(EngineTime(Conv(100, 64, 64, 3), e, r).ms, 6e-9 * 100 * 100 * 64 * 64 * 9);
  EXPECT_DOUBLE_EQ(EngineTime(Depthwise(100, 64), e, r).ms, 20e-9 * 100 * 100 * 64 * 9);
}

TEST(Cpu, PostProcessByScoresAndPairs) {
  Layer l = Other("TFLite_Detection_PostProcess", 1917, 1, 91);
  l.scores = 1917 * 91;
  l.pairs = 1917 * 20;
  CpuRates r;
  r.score_ns = 13;
  r.pair_ns = 71;
  EXPECT_NEAR(CpuTime(l, r).ms, (174447 * 13 + 38340 * 71) * 1e-6, 1e-9);
  r.other = 9;
  EXPECT_NEAR(CpuTime(Other("LOGISTIC", 100, 100, 100), r).ms, 9.0, 1e-9);
  EXPECT_EQ(CpuTime(Other("LOGISTIC", 100, 100, 100), r).bound, Bound::kCpu);
}

}  // namespace
}  // namespace dlpu
