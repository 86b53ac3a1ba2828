// SPDX-License-Identifier: Apache-2.0
// What the cost model sees of a program: extents, SiLU pairs, the tail, the accelerator's borders.
#include <gtest/gtest.h>

#include "target/cost/layer.h"

namespace dlpu {
namespace {

class Maker {
 public:
  TensorId Add(const char* name, Shape shape, bool constant = false,
               DataType type = DataType::kInt8) {
    Tensor t;
    t.name = name;
    t.type = type;
    t.shape = std::move(shape);
    t.is_constant = constant;
    t.quantization = {{1.0f}, {0}, 0};
    if (constant) t.data.resize(static_cast<size_t>(ByteCount(t.type, t.shape)));
    p.tensors.push_back(std::move(t));
    return static_cast<TensorId>(p.tensors.size() - 1);
  }
  void Step(Op op, std::vector<TensorId> in, std::vector<TensorId> out, int64_t macs = 0,
            Engine engine = Engine::kDlpu) {
    dlpu::Step step;
    step.node.op = op;
    step.node.name = p.tensors[out[0]].name;
    step.node.inputs = std::move(in);
    step.node.outputs = std::move(out);
    step.node.attrs = DefaultAttrs(op);
    step.engine = engine;
    step.work.macs = macs;
    p.steps.push_back(std::move(step));
  }
  Program p;
};

TEST(WorkloadOf, ExtentsOfAConvolution) {
  Maker m;
  const TensorId in = m.Add("in", {1, 8, 6, 4}), w = m.Add("w", {16, 3, 3, 4}, true);
  const TensorId bias = m.Add("b", {16}, true, DataType::kInt32), out = m.Add("o", {1, 4, 3, 16});
  m.p.tensors[w].quantization.scale.assign(16, 1.0f);
  m.Step(Op::kConv2d, {in, w, bias}, {out}, 4 * 3 * 16 * 36);
  std::get<ConvAttrs>(m.p.steps[0].node.attrs).stride_h = 2;
  m.p.inputs = {in};
  m.p.outputs = {out};
  const Workload work = WorkloadOf(m.p);
  ASSERT_EQ(work.layers.size(), 1U);
  const Layer& l = work.layers[0];
  EXPECT_EQ(l.kind, LayerKind::kDense);
  EXPECT_EQ(l.in_h * 100 + l.in_w * 10 + l.in_c, 864);
  EXPECT_EQ(l.out_h * 1000 + l.out_w * 100 + l.out_c, 4316);
  EXPECT_EQ(l.weights, 576);
  EXPECT_EQ(l.stride, 2);
  EXPECT_EQ(l.groups, 1);
  EXPECT_TRUE(l.per_channel);
  EXPECT_EQ(l.inputs, 1);
  EXPECT_EQ(work.input_bytes, 192);
  EXPECT_EQ(work.output_bytes, 192);
  EXPECT_EQ(work.dlpu_parts, 1);
}

// conv -> x * logistic(x) -> slice -> logistic: a SiLU pair, and a tail.
Program SiluAndTail(Engine mul_engine) {
  Maker m;
  const TensorId in = m.Add("in", {1, 8, 8, 4}), w = m.Add("w", {8, 1, 1, 4}, true);
  const TensorId conv = m.Add("conv", {1, 8, 8, 8}), sig = m.Add("sig", {1, 8, 8, 8});
  const TensorId silu = m.Add("silu", {1, 8, 8, 8}), cut = m.Add("cut", {1, 8, 8, 2});
  const TensorId out = m.Add("out", {1, 8, 8, 2});
  m.Step(Op::kConv2d, {in, w, kNoTensor}, {conv}, 2048);
  m.Step(Op::kLogistic, {conv}, {sig});
  m.Step(Op::kMul, {conv, sig}, {silu}, 0, mul_engine);
  m.Step(Op::kStridedSlice, {silu}, {cut});
  m.Step(Op::kLogistic, {cut}, {out});
  m.p.inputs = {in};
  m.p.outputs = {out};
  return m.p;
}

TEST(WorkloadOf, SiluPairsAndTails) {
  const Workload w = WorkloadOf(SiluAndTail(Engine::kDlpu));
  const bool silu[] = {false, true, true, false, false};
  const bool tail[] = {false, false, false, true, true};
  for (size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(w.layers[i].silu, silu[i]) << i;
    EXPECT_EQ(w.layers[i].tail, tail[i]) << i;
  }
  EXPECT_EQ(w.layers[2].inputs, 2);
  EXPECT_EQ(w.dlpu_parts, 1);
}

TEST(WorkloadOf, AFallbackIsASecondPart) {
  const Program p = SiluAndTail(Engine::kCpu);
  const Workload apart = WorkloadOf(p);
  EXPECT_EQ(apart.dlpu_parts, 2);
  // in enters and out leaves; conv and sig go over to the CPU in between, and silu comes back.
  EXPECT_EQ(apart.input_bytes, 8 * 8 * 4);
  EXPECT_EQ(apart.output_bytes, 8 * 8 * 2);
  EXPECT_EQ(apart.border_bytes, 3 * 8 * 8 * 8);
  const Workload merged = WorkloadOf(p, {}, {.silu_inside = true});
  EXPECT_EQ(merged.dlpu_parts, 1);
  EXPECT_EQ(merged.input_bytes, 8 * 8 * 4);
  const Workload decoded =
      WorkloadOf(p, std::vector<Engine>(5, Engine::kCpu), {.tail_inside = true});
  for (size_t i = 0; i < decoded.layers.size(); ++i) {
    EXPECT_EQ(decoded.layers[i].engine, decoded.layers[i].tail ? Engine::kDlpu : Engine::kCpu) << i;
  }
  const Workload moved = WorkloadOf(p, std::vector<Engine>(5, Engine::kDlpu));
  EXPECT_EQ(moved.dlpu_parts, 1);
  EXPECT_EQ(moved.border_bytes, 0);
  EXPECT_EQ(moved.output_bytes, 8 * 8 * 2);
}

// What the CPU makes in front of the accelerator, or reads behind it, crosses no border in between.
TEST(WorkloadOf, FirstAndLastLayersOnTheCpuAreNoBorders) {
  const std::vector<Engine> engines = {Engine::kCpu, Engine::kDlpu, Engine::kDlpu, Engine::kDlpu,
                                       Engine::kCpu};
  const Workload w = WorkloadOf(SiluAndTail(Engine::kDlpu), engines);
  EXPECT_EQ(w.dlpu_parts, 1);
  EXPECT_EQ(w.border_bytes, 0);
  EXPECT_EQ(w.input_bytes, 8 * 8 * 8);
  EXPECT_EQ(w.output_bytes, 8 * 8 * 4);  // the innermost extent padded to 4
}

// A RESHAPE behind a layer on the CPU starts nothing.
TEST(WorkloadOf, IdleLayersStartNothing) {
  Maker m;
  const TensorId in = m.Add("in", {1, 8, 8, 4}), w = m.Add("w", {8, 1, 1, 4}, true);
  const TensorId conv = m.Add("conv", {1, 8, 8, 8}), soft = m.Add("soft", {1, 8, 8, 8});
  const TensorId out = m.Add("out", {1, 512});
  m.Step(Op::kConv2d, {in, w, kNoTensor}, {conv}, 2048);
  m.Step(Op::kSoftmax, {conv}, {soft}, 0, Engine::kCpu);
  m.Step(Op::kReshape, {soft}, {out});
  m.p.inputs = {in};
  m.p.outputs = {out};
  const Workload w1 = WorkloadOf(m.p);
  EXPECT_EQ(w1.dlpu_parts, 1);
  EXPECT_EQ(w1.border_bytes, 0);
  EXPECT_EQ(w1.output_bytes, 8 * 8 * 8);
}

// A slice early in a network is no tail: convolutions follow.
TEST(WorkloadOf, AnEarlySliceIsNoTail) {
  Maker m;
  const TensorId in = m.Add("in", {1, 8, 8, 4}), cut = m.Add("cut", {1, 4, 8, 4});
  const TensorId w = m.Add("w", {8, 1, 1, 4}, true), out = m.Add("out", {1, 4, 8, 8});
  m.Step(Op::kStridedSlice, {in}, {cut});
  m.Step(Op::kConv2d, {cut, w, kNoTensor}, {out}, 1024);
  m.p.inputs = {in};
  m.p.outputs = {out};
  EXPECT_FALSE(WorkloadOf(m.p).layers[0].tail);
}

TEST(WorkloadOf, DetectionPostProcess) {
  Maker m;
  const TensorId boxes = m.Add("boxes", {1, 10, 4}), scores = m.Add("scores", {1, 10, 91});
  const TensorId in = m.Add("in", {1, 10, 95}), anchors = m.Add("a", {10, 4}, true);
  const TensorId out = m.Add("out", {1, 5, 4});
  m.Step(Op::kSplit, {in}, {boxes, scores});
  m.Step(Op::kDetectionPostProcess, {boxes, scores, anchors}, {out}, 0, Engine::kCpu);
  auto& attrs = std::get<DetectionAttrs>(m.p.steps[1].node.attrs);
  attrs.max_detections = 5;
  attrs.nms_score_threshold = 1e-8f;
  m.p.inputs = {in};
  m.p.outputs = {out};
  const Workload all = WorkloadOf(m.p);
  EXPECT_EQ(all.layers[1].scores, 910);
  EXPECT_EQ(all.layers[1].pairs, 50);
  EXPECT_EQ(all.output_bytes, 10 * 4 + 10 * 92);
  std::get<DetectionAttrs>(m.p.steps[1].node.attrs).nms_score_threshold = 0.3f;
  EXPECT_EQ(WorkloadOf(m.p).layers[1].pairs, 0);
}

}  // namespace
}  // namespace dlpu
