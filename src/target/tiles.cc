// SPDX-License-Identifier: Apache-2.0
// Sizes and cycles of compiled models.
#include "target/tiles.h"

#include <algorithm>

namespace dlpu {
namespace {

int64_t CeilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }
int64_t Up(int64_t a, int64_t multiple) { return CeilDiv(a, multiple) * multiple; }

// A layer with weights, whatever op it is.
struct Layer {
  bool depthwise = false;
  int64_t kernel_h = 1, kernel_w = 1, in_channels = 1, out_channels = 1;
  int64_t height = 1, width = 1;  // of the output
  int64_t repeats = 1;            // one after another
};

// Extent `i` of batch, height, width, channel; 1 when there is none or it is not known.
int64_t Extent(const Tensor& t, int i) {
  const int at = static_cast<int>(t.shape.size()) - 4 + i;
  return at < 0 ? 1 : std::max(1, t.shape[at]);
}

const Tensor* At(std::span<const Tensor> tensors, const std::vector<TensorId>& ids, size_t i) {
  return i < ids.size() && ids[i] != kNoTensor ? &tensors[ids[i]] : nullptr;
}

// The gates' matrices of an LSTM, joined.
std::vector<Layer> LstmLayers(std::span<const Tensor> tensors, const Node& node) {
  Layer layer;
  layer.out_channels = layer.in_channels = 0;
  int64_t inputs = 0, units = 0;
  // Inputs 1 to 4 are the gates' input weights, 5 to 8 their recurrent ones.
  for (size_t i = 1; i <= 8; ++i) {
    const Tensor* weights = At(tensors, node.inputs, i);
    if (!weights || weights->shape.size() != 2) continue;
    if (i <= 4) {
      layer.out_channels += weights->shape[0];
      inputs = weights->shape[1];
    } else {
      units = weights->shape[1];
    }
  }
  layer.in_channels = inputs + units;
  const Tensor* input = At(tensors, node.inputs, 0);
  if (input && input->shape.size() == 3) layer.repeats = Extent(*input, 2);
  return {layer};
}

std::vector<Layer> LayersOf(std::span<const Tensor> tensors, const Node& node) {
  if (node.op == Op::kUnidirectionalSequenceLstm) return LstmLayers(tensors, node);
  const Tensor* weights = At(tensors, node.inputs, 1);
  const Tensor* output = At(tensors, node.outputs, 0);
  if (!weights || !output) return {};
  const Shape& w = weights->shape;
  Layer layer;
  layer.height = Extent(*output, 1);
  layer.width = Extent(*output, 2);
  switch (node.op) {
    case Op::kConv2d:
    case Op::kTransposeConv:
      if (w.size() != 4) return {};
      layer.out_channels = w[0];
      layer.kernel_h = w[1];
      layer.kernel_w = w[2];
      layer.in_channels = w[3];
      return {layer};
    case Op::kDepthwiseConv2d:
      if (w.size() != 4) return {};
      layer.depthwise = true;
      layer.kernel_h = w[1];
      layer.kernel_w = w[2];
      layer.in_channels = layer.out_channels = w[3];
      return {layer};
    case Op::kFullyConnected:
      if (w.size() != 2) return {};
      layer.out_channels = w[0];
      layer.in_channels = w[1];
      layer.height = layer.width = 1;
      return {layer};
    default:
      return {};
  }
}

// One tile's share of a tensor, with `border` more rows and columns.
int64_t ShareBytes(const Tensor& t, const TargetTiles& tiles, int64_t border_h, int64_t border_w) {
  const int64_t h = CeilDiv(Extent(t, 1), tiles.rows), w = CeilDiv(Extent(t, 2), tiles.columns);
  const int64_t bytes = std::max(1, BitsOf(t.type) / 8);
  if (Extent(t, 1) == 1 && Extent(t, 2) == 1) {
    return CeilDiv(Extent(t, 3), tiles.lanes * tiles.rows * tiles.columns) * tiles.lanes * bytes;
  }
  return (std::min(h + border_h, Extent(t, 1))) * std::min(w + border_w, Extent(t, 2)) *
         Up(Extent(t, 3), tiles.channel_group) * bytes;
}

}  // namespace

int64_t LaidOutBytes(int64_t kernel_h, int64_t kernel_w, int64_t in_channels, int64_t out_channels,
                     bool depthwise, const TargetTiles& tiles) {
  const int64_t inputs = depthwise ? 1 : Up(in_channels, tiles.channel_group);
  return Up(out_channels, tiles.lanes) * (kernel_h * kernel_w * inputs + tiles.bytes_per_channel);
}

int64_t CompiledParameterBytes(std::span<const Tensor> tensors, const Node& node,
                               const TargetTiles& tiles) {
  int64_t bytes = 0;
  for (const Layer& layer : LayersOf(tensors, node)) {
    bytes += LaidOutBytes(layer.kernel_h, layer.kernel_w, layer.in_channels, layer.out_channels,
                          layer.depthwise, tiles);
  }
  return bytes > 0 ? bytes : tiles.bytes_per_op;
}

double EstimatedCycles(std::span<const Tensor> tensors, const Node& node,
                       const TargetTiles& tiles) {
  double cycles = 0;
  for (const Layer& layer : LayersOf(tensors, node)) {
    const auto positions =
        static_cast<double>(CeilDiv(layer.height, tiles.rows) *
                            CeilDiv(layer.width, tiles.columns) * layer.kernel_h * layer.kernel_w);
    if (layer.depthwise) {
      cycles += positions * static_cast<double>(Up(layer.in_channels, tiles.channel_group)) /
                tiles.lanes * tiles.depthwise_factor;
      continue;
    }
    const bool vector = layer.height == 1 && layer.width == 1;
    const int64_t spread = vector ? int64_t{tiles.rows} * tiles.columns : 1;
    const auto passes =
        static_cast<double>(CeilDiv(layer.out_channels, tiles.cycle_lanes * spread));
    cycles += positions * static_cast<double>(layer.in_channels) * passes * tiles.cycle_lanes /
              tiles.lanes * tiles.conv_factor;
  }
  return cycles;
}

int64_t TileBytes(std::span<const Tensor> tensors, const Node& node, const TargetTiles& tiles) {
  int64_t border_h = 0, border_w = 0;
  for (const Layer& layer : LayersOf(tensors, node)) {
    border_h = layer.kernel_h - 1;
    border_w = layer.kernel_w - 1;
  }
  int64_t bytes = 0;
  for (const TensorId id : node.inputs) {
    if (id != kNoTensor && !tensors[id].is_constant) {
      bytes += ShareBytes(tensors[id], tiles, border_h, border_w);
    }
  }
  for (const TensorId id : node.outputs) bytes += ShareBytes(tensors[id], tiles, 0, 0);
  return bytes;
}

TilePlan PlanTiles(const Graph& graph, const Partition& partition, const TargetTiles& tiles) {
  TilePlan plan;
  plan.cache_bytes = tiles.cache_bytes;
  std::vector<bool> made(graph.tensors.size(), false), entered(graph.tensors.size(), false);
  std::vector<bool> wanted(graph.tensors.size(), false);  // outside the DLPU
  for (const TensorId id : graph.outputs) wanted[id] = true;
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    if (partition.nodes[i].where == Support::Where::kDlpu) continue;
    for (const TensorId id : graph.nodes[i].inputs) {
      if (id != kNoTensor) wanted[id] = true;
    }
  }
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    if (partition.nodes[i].where != Support::Where::kDlpu) continue;
    ParameterPlace place{static_cast<int>(i), CompiledParameterBytes(graph.tensors, node, tiles)};
    place.cached = std::min(place.bytes, plan.cache_bytes - plan.cached_bytes);
    plan.parameter_bytes += place.bytes;
    plan.cached_bytes += place.cached;
    plan.parameters.push_back(place);
    plan.cycles += EstimatedCycles(graph.tensors, node, tiles);
    const int64_t tile_bytes = TileBytes(graph.tensors, node, tiles);
    if (tile_bytes > plan.peak_tile_bytes) {
      plan.peak_tile_bytes = tile_bytes;
      plan.peak_node = static_cast<int>(i);
    }
    for (const TensorId id : node.inputs) {
      if (id == kNoTensor || graph.tensors[id].is_constant || made[id] || entered[id]) continue;
      entered[id] = true;
      plan.input_bytes += ByteCount(graph.tensors[id].type, graph.tensors[id].shape);
    }
    for (const TensorId id : node.outputs) {
      made[id] = true;
      if (wanted[id]) {
        plan.output_bytes += ByteCount(graph.tensors[id].type, graph.tensors[id].shape);
      }
    }
  }
  plan.streamed_bytes = plan.parameter_bytes - plan.cached_bytes;
  return plan;
}

}  // namespace dlpu
