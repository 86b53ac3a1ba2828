// SPDX-License-Identifier: Apache-2.0
// Cross-layer equalization over regions.
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "passes/equalize_regions.h"
#include "passes/quantize.h"
#include "passes/quantize_numbers.h"

namespace dlpu {
namespace {

constexpr int kSweeps = 40;
constexpr double kSettled = 0.01;  // no scale moves by more than this part
// A channel's scale stays within this factor of the region's middle.
constexpr double kWidestScale = 1e6;
// Beyond the highest value seen before RELU6 would clip what it did not clip before.
constexpr double kCapMargin = 1.25;

class Equalizer {
 public:
  Equalizer(Graph& graph, const TensorFacts& facts) : graph_(graph), facts_(facts) {}

  Equalization Run() {
    Equalization result;
    const std::vector<ScalableRegion> found = FindScalableRegions(graph_);
    result.silenced = SilenceDeadChannels(graph_, found);
    std::vector<Region> regions;
    for (const ScalableRegion& region : found) {
      regions.push_back({region, std::vector<double>(static_cast<size_t>(region.channels), 1.0)});
    }
    for (const Region& region : regions) {
      for (const int i : region.writers) layers_[i] = MakeLayer(graph_.nodes[i]);
      for (const int i : region.readers) layers_[i] = MakeLayer(graph_.nodes[i]);
    }
    double moved = 1;
    for (int sweep = 0; sweep < kSweeps && moved > kSettled; ++sweep) {
      moved = 0;
      for (Region& region : regions) moved = std::max(moved, Balance(region));
    }
    for (const auto& [i, layer] : layers_) Apply(graph_.nodes[i], layer);
    std::set<const Node*> scaled;
    for (const Region& region : regions) Report(region, scaled, result);
    result.layers = static_cast<int>(scaled.size());
    return result;
  }

 private:
  struct Region : ScalableRegion {
    std::vector<double> scales;  // so far: the region's values become value / scale
  };

  const Tensor& At(TensorId id) const { return graph_.tensors[id]; }
  int32_t ChannelsOf(TensorId id) const {
    const Shape& shape = At(id).shape;
    return shape.size() < 2 ? 0 : shape.back();
  }

  // A layer as the largest magnitudes between each output and input channel, and the factors found
  // so far: a weight becomes weight * in[i] / out[o].
  struct Layer {
    int64_t outs = 0, ins = 0;
    bool depthwise = false;   // tops has outs elements, of input channel o / (outs / ins)
    std::vector<float> tops;  // outs x ins
    std::vector<double> out, in;
  };

  Layer MakeLayer(const Node& node) const {
    const WeightedLayer axes = *WeightedLayerOf(graph_, node);
    const Tensor& weights = At(node.inputs[axes.weights]);
    const AxisIndex o = IndexAlong(weights.shape, axes.channel_axis);
    Layer layer;
    layer.outs = o.extent;
    layer.depthwise = axes.input_axis < 0;
    layer.ins = layer.depthwise ? std::max(1, ChannelsOf(node.inputs[axes.data]))
                                : weights.shape[axes.input_axis];
    const AxisIndex i = layer.depthwise ? o : IndexAlong(weights.shape, axes.input_axis);
    layer.tops.assign(static_cast<size_t>(layer.depthwise ? layer.outs : layer.outs * layer.ins),
                      0);
    const std::vector<float> values = FloatValues(weights);
    for (size_t k = 0; k < values.size(); ++k) {
      const size_t at = layer.depthwise ? o(k) : o(k) * static_cast<size_t>(layer.ins) + i(k);
      layer.tops[at] = std::max(layer.tops[at], std::fabs(values[k]));
    }
    layer.out.assign(static_cast<size_t>(layer.outs), 1.0);
    layer.in.assign(static_cast<size_t>(layer.ins), 1.0);
    return layer;
  }

  // Largest magnitude of each channel of the region in a layer's weights as they are now. A reader
  // of a flattened region has the channels as a period.
  static std::vector<double> ChannelTops(const Layer& layer, bool writes, int32_t channels) {
    std::vector<double> tops(static_cast<size_t>(channels), 0.0);
    const int64_t multiplier = layer.depthwise ? layer.outs / layer.ins : 1;
    for (int64_t o = 0; o < layer.outs; ++o) {
      const double from = 1 / layer.out[static_cast<size_t>(o)];
      if (layer.depthwise) {
        const auto i = static_cast<size_t>(o / multiplier);
        double& top = tops[writes ? static_cast<size_t>(o) : i % tops.size()];
        top = std::max(top, layer.tops[static_cast<size_t>(o)] * from * layer.in[i]);
        continue;
      }
      const float* const row = layer.tops.data() + o * layer.ins;
      for (int64_t i = 0; i < layer.ins; ++i) {
        const double value = row[i] * from * layer.in[static_cast<size_t>(i)];
        double& top = tops[static_cast<size_t>(writes ? o : i % channels)];
        top = std::max(top, value);
      }
    }
    return tops;
  }

  // The channel's part of the layer's whole range, the largest over the layers.
  static void AddShare(const std::vector<double>& tops, std::vector<double>& shares) {
    const double whole = *std::max_element(tops.begin(), tops.end());
    if (!(whole > 0)) return;
    for (size_t c = 0; c < tops.size(); ++c) shares[c] = std::max(shares[c], tops[c] / whole);
  }

  // Returns how far the scales moved: 0 when nothing changed.
  double Balance(Region& region) {
    const auto count = static_cast<size_t>(region.channels);
    std::vector<double> written(count, 0.0), read(count, 0.0), totals = region.scales;
    for (const int i : region.writers) {
      AddShare(ChannelTops(layers_.at(i), true, region.channels), written);
    }
    for (const int i : region.readers) {
      AddShare(ChannelTops(layers_.at(i), false, region.channels), read);
    }
    for (size_t c = 0; c < count; ++c) {
      if (!(written[c] > 0) || !(read[c] > 0)) continue;
      totals[c] = std::clamp(region.scales[c] * std::sqrt(written[c] / read[c]), 1 / kWidestScale,
                             kWidestScale);
    }
    Limit(region, totals);
    double moved = 0;
    for (size_t c = 0; c < count; ++c) {
      moved = std::max(moved, std::fabs(totals[c] / region.scales[c] - 1));
    }
    for (const int i : region.writers) layers_.at(i).out = totals;
    for (const int i : region.readers) {
      std::vector<double>& in = layers_.at(i).in;
      for (size_t k = 0; k < in.size(); ++k) in[k] = totals[k % count];
    }
    region.scales = std::move(totals);
    return moved;
  }

  // RELU6 clips at 6 whatever the scale: a channel that reaches it keeps its scale, others are not
  // enlarged beyond it.
  void Limit(const Region& region, std::vector<double>& totals) const {
    for (const TensorId id : region.capped) {
      const bool known =
          static_cast<size_t>(id) < facts_.highs.size() && facts_.highs[id].size() == totals.size();
      for (size_t c = 0; c < totals.size(); ++c) {
        const double high = known ? facts_.highs[id][c] : 6.0;
        if (high * 1.001 >= 6) {
          totals[c] = 1;
        } else {
          // The value after the division must stay below the cap, with a margin.
          const double least = kCapMargin * std::max(0.0, high) / 6;
          totals[c] = std::max(totals[c], std::min(1.0, least));
        }
      }
    }
  }

  // Writes the factors into the weights and biases, in one rounding.
  void Apply(const Node& node, const Layer& layer) {
    const WeightedLayer axes = *WeightedLayerOf(graph_, node);
    Tensor& weights = graph_.tensors[node.inputs[axes.weights]];
    const AxisIndex o = IndexAlong(weights.shape, axes.channel_axis);
    const AxisIndex i = layer.depthwise ? o : IndexAlong(weights.shape, axes.input_axis);
    const auto multiplier = static_cast<size_t>(layer.depthwise ? layer.outs / layer.ins : 1);
    std::vector<float> values = FloatValues(weights);
    for (size_t k = 0; k < values.size(); ++k) {
      const size_t in = layer.depthwise ? o(k) / multiplier : i(k);
      values[k] = static_cast<float>(values[k] * layer.in[in] / layer.out[o(k)]);
    }
    SetFloatValues(weights, values);
    const auto bias_at = static_cast<size_t>(axes.bias);
    if (node.inputs.size() <= bias_at || node.inputs[bias_at] == kNoTensor) return;
    Tensor& bias = graph_.tensors[node.inputs[bias_at]];
    std::vector<float> shifts = FloatValues(bias);
    for (size_t c = 0; c < shifts.size(); ++c) {
      shifts[c] = static_cast<float>(shifts[c] / layer.out[c]);
    }
    SetFloatValues(bias, shifts);
  }

  void Report(const Region& region, std::set<const Node*>& scaled, Equalization& result) const {
    const auto [low, high] = std::minmax_element(region.scales.begin(), region.scales.end());
    if (*low == 1 && *high == 1) return;
    result.widest = std::max(result.widest, *high / *low);
    std::string names;
    for (const int i : region.writers) {
      scaled.insert(&graph_.nodes[i]);
      names += (names.empty() ? "" : ", ") + graph_.nodes[i].name;
    }
    for (const int i : region.readers) scaled.insert(&graph_.nodes[i]);
    result.channels += static_cast<int>(
        std::count_if(region.scales.begin(), region.scales.end(), [](double s) { return s != 1; }));
    result.regions.push_back(names);
  }

  Graph& graph_;
  const TensorFacts& facts_;
  std::map<int, Layer> layers_;  // by node
};

// Constants that several nodes read get a copy for each, so that one layer can be scaled alone.
void UnshareConstants(Graph& graph) {
  std::vector<int> uses(graph.tensors.size(), 0);
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    for (size_t i = 0; i < graph.nodes[n].inputs.size(); ++i) {
      const TensorId id = graph.nodes[n].inputs[i];
      if (id == kNoTensor || !graph.tensors[id].is_constant) continue;
      if (graph.tensors[id].type != DataType::kFloat32 || ++uses[id] == 1) continue;
      Tensor copy = graph.tensors[id];
      graph.tensors.push_back(std::move(copy));
      graph.nodes[n].inputs[i] = static_cast<TensorId>(graph.tensors.size() - 1);
    }
  }
}

}  // namespace

Result<Equalization> EqualizeLayers(Graph& graph, const TensorFacts& facts) {
  UnshareConstants(graph);
  return Equalizer(graph, facts).Run();
}

std::map<std::string, double> ChannelRangeRatios(const Graph& graph) {
  std::map<std::string, double> ratios;
  for (const Node& node : graph.nodes) {
    const auto layer = WeightedLayerOf(graph, node);
    if (!layer) continue;
    const Tensor& weights = graph.tensors[node.inputs[layer->weights]];
    const std::vector<float> values = FloatValues(weights);
    const AxisIndex index = IndexAlong(weights.shape, layer->channel_axis);
    std::vector<double> tops(static_cast<size_t>(index.extent), 0.0);
    for (size_t i = 0; i < values.size(); ++i) {
      tops[index(i)] = std::max(tops[index(i)], std::fabs(static_cast<double>(values[i])));
    }
    double low = std::numeric_limits<double>::infinity(), high = 0;
    for (const double top : tops) {
      if (!(top > 0)) continue;
      low = std::min(low, top);
      high = std::max(high, top);
    }
    if (high > 0) ratios[node.name] = high / low;
  }
  return ratios;
}

}  // namespace dlpu
