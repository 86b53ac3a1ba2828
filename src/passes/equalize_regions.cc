// SPDX-License-Identifier: Apache-2.0
// Finding regions: a union of tensors, blocked where something else than a layer reads or writes.
#include "passes/equalize_regions.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <numeric>
#include <set>

#include "passes/quantize_numbers.h"

namespace dlpu {
namespace {

bool IsOneOf(Op op, std::initializer_list<Op> ops) {
  return std::find(ops.begin(), ops.end(), op) != ops.end();
}

class Finder {
 public:
  explicit Finder(const Graph& graph)
      : graph_(graph),
        parent_(graph.tensors.size()),
        blocked_(graph.tensors.size(), false),
        capped_(graph.tensors.size(), false) {
    std::iota(parent_.begin(), parent_.end(), 0);
  }

  std::vector<ScalableRegion> Find() {
    FindRegions();
    return CollectRegions();
  }

 private:
  const Tensor& At(TensorId id) const { return graph_.tensors[id]; }
  size_t RootOf(TensorId id) {
    auto i = static_cast<size_t>(id);
    while (parent_[i] != i) i = parent_[i] = parent_[parent_[i]];
    return i;
  }
  void Join(TensorId a, TensorId b) { parent_[RootOf(b)] = RootOf(a); }
  int32_t ChannelsOf(TensorId id) const {
    const Shape& shape = At(id).shape;
    return shape.size() < 2 ? 0 : shape.back();
  }

  // Blocks a tensor's region: its values must stay as they are.
  void Block(TensorId id) {
    if (id != kNoTensor) blocked_[id] = true;
  }

  void FindRegions() {
    for (const TensorId id : graph_.inputs) Block(id);
    for (const TensorId id : graph_.outputs) Block(id);
    for (const Node& node : graph_.nodes) {
      if (IsCap(node)) capped_[node.outputs[0]] = true;
      if (const auto layer = WeightedLayerOf(graph_, node)) {
        AddLayer(node, *layer);
      } else if (Commutes(node)) {
        if (ChannelsOf(node.inputs[0]) == ChannelsOf(node.outputs[0])) {
          Join(node.inputs[0], node.outputs[0]);
        } else if (!IsFlatten(node)) {
          Block(node.inputs[0]);
          Block(node.outputs[0]);
        } else {
          Join(node.inputs[0], node.outputs[0]);
        }
      } else if (IsSum(node)) {
        Join(node.inputs[0], node.inputs[1]);
        Join(node.inputs[0], node.outputs[0]);
      } else {
        for (const TensorId id : node.inputs) Block(id);
        for (const TensorId id : node.outputs) Block(id);
      }
    }
  }

  static bool IsCap(const Node& node) {
    return node.op == Op::kRelu6 || FusedActivation(node) == Activation::kRelu6;
  }

  static bool IsPositive(Activation activation) {
    return activation == Activation::kNone || activation == Activation::kRelu ||
           activation == Activation::kRelu6;
  }

  // A layer writes and reads regions unless its activation or its shapes stand against it.
  void AddLayer(const Node& node, const WeightedLayer& layer) {
    const TensorId data = node.inputs[layer.data], output = node.outputs[0];
    const Shape& weights = At(node.inputs[layer.weights]).shape;
    const bool constant_bias = node.inputs.size() <= static_cast<size_t>(layer.bias) ||
                               node.inputs[layer.bias] == kNoTensor ||
                               At(node.inputs[layer.bias]).is_constant;
    if (!IsPositive(FusedActivation(node)) || !constant_bias || At(data).is_constant ||
        ChannelsOf(output) != weights[layer.channel_axis]) {
      Block(output);
      Block(data);
      return;
    }
    if (layer.input_axis >= 0 && ChannelsOf(data) != weights[layer.input_axis]) {
      Block(data);  // groups, or rows that are not the last axis
    }
    if (layer.input_axis < 0 &&
        (ChannelsOf(data) == 0 || weights[layer.channel_axis] % ChannelsOf(data) != 0)) {
      Block(data);
    }
  }

  // f(s x) = s f(x) for s > 0, channel by channel.
  bool Commutes(const Node& node) const {
    if (node.inputs.empty() || node.outputs.size() != 1) return false;
    const Tensor &input = At(node.inputs[0]), &output = At(node.outputs[0]);
    if (input.type != DataType::kFloat32 || input.is_constant ||
        output.type != DataType::kFloat32) {
      return false;
    }
    if (!IsPositive(FusedActivation(node))) return false;
    if (IsOneOf(node.op, {Op::kRelu, Op::kRelu6, Op::kLeakyRelu, Op::kMaxPool2d, Op::kAveragePool2d,
                          Op::kResizeBilinear, Op::kResizeNearestNeighbor})) {
      return true;
    }
    if (node.op == Op::kPrelu) return At(node.inputs[1]).is_constant;
    // Padding with zeros along the other axes; spatial means; shapes that keep the last axis.
    if (node.op == Op::kPad) return ChannelsOf(node.inputs[0]) == ChannelsOf(node.outputs[0]);
    if (node.op == Op::kMean) return IsSpatialMean(node);
    if (node.op == Op::kReshape) {
      return ChannelsOf(node.inputs[0]) == ChannelsOf(node.outputs[0]) || IsFlatten(node);
    }
    return false;
  }

  bool IsSpatialMean(const Node& node) const {
    const Tensor& axes = At(node.inputs[1]);
    const auto rank = static_cast<int32_t>(At(node.inputs[0]).shape.size());
    if (!axes.is_constant || axes.type != DataType::kInt32) return false;
    for (size_t i = 0; i + 4 <= axes.data.size(); i += 4) {
      int32_t axis = 0;
      std::memcpy(&axis, axes.data.data() + i, 4);
      if (axis < 0) axis += rank;
      if (axis == rank - 1) return false;
    }
    return true;
  }

  // [1, H, W, C] to [1, H*W*C]: element i has channel i mod C.
  bool IsFlatten(const Node& node) const {
    if (node.op != Op::kReshape) return false;
    const Shape &from = At(node.inputs[0]).shape, &to = At(node.outputs[0]).shape;
    return from.size() == 4 && to.size() == 2 && from[0] == to[0] && from[3] > 0 &&
           to[1] % from[3] == 0;
  }

  bool IsSum(const Node& node) const {
    if (node.op != Op::kAdd || !IsPositive(FusedActivation(node))) return false;
    const Tensor &a = At(node.inputs[0]), &b = At(node.inputs[1]);
    return a.type == DataType::kFloat32 && !a.is_constant && !b.is_constant && a.shape == b.shape;
  }

  std::vector<ScalableRegion> CollectRegions() {
    std::map<size_t, ScalableRegion> regions;  // by root
    std::set<size_t> spoiled;
    for (size_t t = 0; t < graph_.tensors.size(); ++t) {
      const auto id = static_cast<TensorId>(t);
      if (blocked_[t]) spoiled.insert(RootOf(id));
      regions[RootOf(id)].tensors.push_back(id);
    }
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      const Node& node = graph_.nodes[i];
      const auto layer = WeightedLayerOf(graph_, node);
      if (!layer) continue;
      regions[RootOf(node.outputs[0])].writers.push_back(static_cast<int>(i));
      regions[RootOf(node.inputs[layer->data])].readers.push_back(static_cast<int>(i));
    }
    for (auto at = regions.begin(); at != regions.end();) {
      ScalableRegion& region = at->second;
      const bool used = !region.writers.empty() && !region.readers.empty();
      if (!used || spoiled.count(at->first) > 0) {
        at = regions.erase(at);
        continue;
      }
      region.channels = ChannelsOf(graph_.nodes[region.writers[0]].outputs[0]);
      if (!HasOneChannelCount(region)) {
        at = regions.erase(at);
        continue;
      }
      for (const TensorId id : region.tensors) {
        if (capped_[id]) region.capped.push_back(id);
      }
      ++at;
    }
    std::vector<ScalableRegion> result;
    for (auto& [root, region] : regions) result.push_back(std::move(region));
    return result;
  }

  // Every tensor has the region's channels, or several times them after flattening.
  bool HasOneChannelCount(const ScalableRegion& region) const {
    for (const int i : region.writers) {
      if (ChannelsOf(graph_.nodes[i].outputs[0]) != region.channels) return false;
    }
    for (const int i : region.readers) {
      const Node& node = graph_.nodes[i];
      const WeightedLayer axes = *WeightedLayerOf(graph_, node);
      const int32_t ins = ChannelsOf(node.inputs[axes.data]);
      if (axes.input_axis < 0 ? ins != region.channels : ins % region.channels != 0) return false;
    }
    return region.channels > 0;
  }

  const Graph& graph_;
  std::vector<size_t> parent_;
  std::vector<bool> blocked_, capped_;
};

}  // namespace

Activation FusedActivation(const Node& node) {
  if (const auto* conv = std::get_if<ConvAttrs>(&node.attrs)) return conv->activation;
  if (const auto* full = std::get_if<FullyConnectedAttrs>(&node.attrs)) return full->activation;
  if (const auto* pool = std::get_if<PoolAttrs>(&node.attrs)) return pool->activation;
  if (const auto* sum = std::get_if<ArithmeticAttrs>(&node.attrs)) return sum->activation;
  return Activation::kNone;
}

std::vector<ScalableRegion> FindScalableRegions(const Graph& graph) { return Finder(graph).Find(); }

}  // namespace dlpu
