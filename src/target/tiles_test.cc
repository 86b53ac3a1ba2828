// SPDX-License-Identifier: Apache-2.0
// Worked examples of compiled sizes and cycles, with the numbers of the Edge TPU.
#include "target/tiles.h"

#include <gtest/gtest.h>

namespace dlpu {
namespace {

const Target& EdgeTpu() {
  static const Target target = [] {
    Result<Target> found = FindTarget("artpec7");
    EXPECT_TRUE(found.ok());
    return found.ok() ? *found : Target();
  }();
  return target;
}

// input -> op with weights -> output.
Graph Layer(const char* op, Shape input, Shape weights, Shape output) {
  Graph graph;
  for (const Shape& shape : {input, weights, output}) {
    Tensor tensor;
    tensor.type = DataType::kInt8;
    tensor.shape = shape;
    graph.tensors.push_back(tensor);
  }
  graph.tensors[1].is_constant = true;
  graph.tensors[1].data.resize(static_cast<size_t>(ElementCount(weights)));
  Node node;
  node.op = OpFromName(op);
  node.attrs = DefaultAttrs(node.op);
  node.inputs = {0, 1};
  node.outputs = {2};
  graph.nodes = {node};
  graph.inputs = {0};
  graph.outputs = {2};
  return graph;
}

TEST(Tiles, AConvolution) {
  ASSERT_TRUE(EdgeTpu().tiles.has_value());
  const TargetTiles& tiles = *EdgeTpu().tiles;
  // The first layer of MobileNet v1 at 224.
  const Graph g = Layer("CONV_2D", {1, 224, 224, 3}, {32, 3, 3, 3}, {1, 112, 112, 32});
  // 64 outputs of 9 * 4 weights and 16 bytes more.
  EXPECT_EQ(CompiledParameterBytes(g.tensors, g.nodes[0], tiles), 64 * (9 * 4 + 16));
  // 28 x 28 positions a tile, 9 * 3 products, half of the 64 lanes.
  EXPECT_DOUBLE_EQ(EstimatedCycles(g.tensors, g.nodes[0], tiles), 28 * 28 * 27 * 0.5 * 0.898);
  // 58 x 58 pixels of 4 bytes in, 28 x 28 of 32 out.
  EXPECT_EQ(TileBytes(g.tensors, g.nodes[0], tiles), 58 * 58 * 4 + 28 * 28 * 32);
}

TEST(Tiles, ADepthwiseConvolution) {
  const TargetTiles& tiles = *EdgeTpu().tiles;
  const Graph g = Layer("DEPTHWISE_CONV_2D", {1, 7, 7, 96}, {1, 3, 3, 96}, {1, 7, 7, 96});
  EXPECT_EQ(CompiledParameterBytes(g.tensors, g.nodes[0], tiles), 128 * (9 + 16));
  // 7 x 7 over 4 x 4 tiles is 2 x 2 in the largest one.
  EXPECT_DOUBLE_EQ(EstimatedCycles(g.tensors, g.nodes[0], tiles), 2 * 2 * 9 * 96 / 64.0 * 6.08);
}

TEST(Tiles, AClassifierIsSpreadOverAllTiles) {
  const TargetTiles& tiles = *EdgeTpu().tiles;
  double cycles[3];
  int at = 0;
  for (const int classes : {965, 1001, 1022}) {
    const Graph g = Layer("FULLY_CONNECTED", {1, 1280}, {classes, 1280}, {1, classes});
    EXPECT_EQ(CompiledParameterBytes(g.tensors, g.nodes[0], tiles), 1024 * (1280 + 16));
    cycles[at++] = EstimatedCycles(g.tensors, g.nodes[0], tiles);
  }
  // The compiler writes the same cycles for all three.
  EXPECT_DOUBLE_EQ(cycles[0], 1280 * 0.898);
  EXPECT_EQ(cycles[0], cycles[1]);
  EXPECT_EQ(cycles[0], cycles[2]);
}

TEST(Tiles, WhatDoesNotFitTheCacheIsStreamed) {
  TargetTiles tiles = *EdgeTpu().tiles;
  const Graph g = Layer("FULLY_CONNECTED", {1, 1280}, {1001, 1280}, {1, 1001});
  const Partition partition = PartitionGraph(g, EdgeTpu());
  const TilePlan whole = PlanTiles(g, partition, tiles);
  EXPECT_EQ(whole.parameter_bytes, 1327104);
  EXPECT_EQ(whole.streamed_bytes, 0);
  EXPECT_EQ(whole.input_bytes, 1280);
  EXPECT_EQ(whole.output_bytes, 1001);
  tiles.cache_bytes = 1000000;
  const TilePlan part = PlanTiles(g, partition, tiles);
  EXPECT_EQ(part.cached_bytes, 1000000);
  EXPECT_EQ(part.streamed_bytes, 327104);
  ASSERT_EQ(part.parameters.size(), 1u);
  EXPECT_EQ(part.parameters[0].cached, 1000000);
}

}  // namespace
}  // namespace dlpu
