// SPDX-License-Identifier: Apache-2.0
// What a compiler makes of a model for a DLPU that is an array of tiles: bytes of its weights as
// they are laid out, how much of them stays on the chip, activation memory in each tile, and the
// cycles the compiler would write into the file. The numbers of the forms below are data
// (TargetTiles); the forms were found by comparing compiled files with their sources
// (google-coral/test_data). All of it is derived: the compiler's own layout is not published. Pure
// functions; any thread.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "ir/graph.h"
#include "target/partition.h"
#include "target/target.h"

namespace dlpu {

// Bytes of one node's parameters in the compiled file: LaidOutBytes of its weights. The gates of an
// LSTM count as one layer of 4 * units outputs. Other nodes: bytes_per_op.
int64_t CompiledParameterBytes(std::span<const Tensor> tensors, const Node& node,
                               const TargetTiles& tiles);

// Cycles of one node, without transfers. H x W is the output, cut over rows x columns of tiles.
//   convolution: up(H) * up(W) * KH * KW * Cin * ceil(Cout / cycle_lanes) * cycle_lanes / lanes
//                * conv_factor; at 1 x 1 its Cout is spread over all tiles
//   depthwise:   up(H) * up(W) * KH * KW * up(C, channel_group) / lanes * depthwise_factor
// with up(H) = ceil(H / rows), up(W) = ceil(W / columns). Other nodes: 0.
double EstimatedCycles(std::span<const Tensor> tensors, const Node& node, const TargetTiles& tiles);

// Bytes of activations that one tile holds while a node runs: its share of the inputs, with the
// border that a kernel reads beyond it, and of the outputs. A rough figure; tensors that wait for a
// later node are not counted.
int64_t TileBytes(std::span<const Tensor> tensors, const Node& node, const TargetTiles& tiles);

// Where one node's parameters are.
struct ParameterPlace {
  int node = -1;
  int64_t bytes = 0, cached = 0;  // the rest travels in every run
};

struct TilePlan {
  std::vector<ParameterPlace> parameters;  // of the DLPU's nodes, in order
  int64_t parameter_bytes = 0, cached_bytes = 0, streamed_bytes = 0;
  int64_t cache_bytes = 0;      // what the plan had to give: the lower end of what is reported
  int64_t peak_tile_bytes = 0;  // over the DLPU's nodes
  int peak_node = -1;
  double cycles = 0;
  int64_t input_bytes = 0, output_bytes = 0;  // activations that enter and leave the DLPU
};
// `nodes` and `partition.nodes` are parallel. The first nodes' parameters are cached until the
// cache is full, as models that are compiled together show it.
TilePlan PlanTiles(const Graph& graph, const Partition& partition, const TargetTiles& tiles);

}  // namespace dlpu
