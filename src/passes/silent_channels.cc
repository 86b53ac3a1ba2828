// SPDX-License-Identifier: Apache-2.0
// Channels that cannot reach an output.
#include <algorithm>
#include <cmath>

#include "passes/equalize_regions.h"
#include "passes/quantize_numbers.h"

namespace dlpu {
namespace {

// One layer's constants, changed in place and written back once.
class Channels {
 public:
  Channels(Graph& graph, const Node& node, int32_t channels)
      : graph_(graph),
        node_(node),
        axes_(*WeightedLayerOf(graph, node)),
        channels_(static_cast<size_t>(channels)),
        values_(FloatValues(weights())) {
    const auto at = static_cast<size_t>(axes_.bias);
    if (node.inputs.size() > at && node.inputs[at] != kNoTensor) {
      bias_ = FloatValues(graph.tensors[node.inputs[at]]);
    }
  }

  // Whether each channel of the region has a weight that is not zero.
  std::vector<bool> Used(bool writes) const {
    std::vector<bool> used(channels_, false);
    for (size_t k = 0; k < values_.size(); ++k) {
      if (values_[k] != 0) used[ChannelOf(writes, k)] = true;
    }
    return used;
  }

  // Whether what the layer writes without weights is zero.
  bool BiasIsSilent(size_t channel) const {
    if (channel >= bias_.size() || bias_[channel] == 0) return true;
    const Activation activation = FusedActivation(node_);
    return bias_[channel] < 0 &&
           (activation == Activation::kRelu || activation == Activation::kRelu6);
  }

  // Sets a channel's weights (and its bias, if the layer writes it) to zero. False: nothing to do.
  bool Silence(bool writes, const std::vector<bool>& silent) {
    bool changed = false;
    for (size_t k = 0; k < values_.size(); ++k) {
      if (!silent[ChannelOf(writes, k)] || values_[k] == 0) continue;
      values_[k] = 0;
      changed = true;
    }
    if (changed) SetFloatValues(weights(), values_);
    if (!writes || bias_.empty()) return changed;
    bool moved = false;
    for (size_t c = 0; c < bias_.size(); ++c) {
      if (!silent[c] || bias_[c] == 0) continue;
      bias_[c] = 0;
      moved = true;
    }
    if (moved) SetFloatValues(graph_.tensors[node_.inputs[static_cast<size_t>(axes_.bias)]], bias_);
    return changed || moved;
  }

 private:
  Tensor& weights() const {
    return graph_.tensors[node_.inputs[static_cast<size_t>(axes_.weights)]];
  }
  size_t ChannelOf(bool writes, size_t k) const {
    const Shape& shape = weights().shape;
    const size_t out = IndexAlong(shape, axes_.channel_axis)(k);
    if (writes) return out;
    if (axes_.input_axis >= 0) return IndexAlong(shape, axes_.input_axis)(k) % channels_;
    const auto outs = static_cast<size_t>(shape[static_cast<size_t>(axes_.channel_axis)]);
    const Shape& data = graph_.tensors[node_.inputs[static_cast<size_t>(axes_.data)]].shape;
    return out / (outs / static_cast<size_t>(data.back())) % channels_;
  }

  Graph& graph_;
  const Node& node_;
  const WeightedLayer axes_;
  const size_t channels_;
  std::vector<float> values_, bias_;
};

// Those of a region's channels that are always zero, and those that nobody reads.
struct Dead {
  std::vector<bool> zero, unread;
};

Dead FindDead(Graph& graph, const ScalableRegion& region) {
  const auto count = static_cast<size_t>(region.channels);
  Dead dead = {std::vector<bool>(count, true), std::vector<bool>(count, true)};
  for (const int i : region.writers) {
    const Channels layer(graph, graph.nodes[i], region.channels);
    const std::vector<bool> used = layer.Used(true);
    for (size_t c = 0; c < count; ++c) {
      if (used[c] || !layer.BiasIsSilent(c)) dead.zero[c] = false;
    }
  }
  for (const int i : region.readers) {
    const std::vector<bool> used = Channels(graph, graph.nodes[i], region.channels).Used(false);
    for (size_t c = 0; c < count; ++c) {
      if (used[c]) dead.unread[c] = false;
    }
  }
  return dead;
}

bool SilenceRegion(Graph& graph, const ScalableRegion& region, std::vector<bool>& silenced) {
  const Dead dead = FindDead(graph, region);
  bool changed = false;
  const auto apply = [&](const std::vector<int>& layers, bool writes, const std::vector<bool>& of) {
    if (std::find(of.begin(), of.end(), true) == of.end()) return;
    bool any = false;
    for (const int i : layers) {
      any |= Channels(graph, graph.nodes[i], region.channels).Silence(writes, of);
    }
    if (!any) return;
    changed = true;
    for (size_t c = 0; c < of.size(); ++c) {
      if (of[c]) silenced[c] = true;
    }
  };
  apply(region.readers, false, dead.zero);
  apply(region.writers, true, dead.unread);
  return changed;
}

}  // namespace

int SilenceDeadChannels(Graph& graph, const std::vector<ScalableRegion>& regions) {
  std::vector<std::vector<bool>> silenced;
  for (const ScalableRegion& region : regions) {
    silenced.emplace_back(static_cast<size_t>(region.channels), false);
  }
  // What falls silent may leave a channel of the layer before it unread, or one after it zero.
  for (bool changed = true; changed;) {
    changed = false;
    for (size_t r = 0; r < regions.size(); ++r) {
      changed |= SilenceRegion(graph, regions[r], silenced[r]);
    }
  }
  int count = 0;
  for (const std::vector<bool>& region : silenced) {
    count += static_cast<int>(std::count(region.begin(), region.end(), true));
  }
  return count;
}

}  // namespace dlpu
