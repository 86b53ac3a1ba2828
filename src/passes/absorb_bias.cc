// SPDX-License-Identifier: Apache-2.0
// Moving biases.
#include "passes/absorb_bias.h"

#include <algorithm>
#include <utility>

#include "passes/equalize_regions.h"
#include "passes/quantize_numbers.h"

namespace dlpu {
namespace {

constexpr double kDeviations = 3;
constexpr double kWorthShrinking = 0.9;  // of the range, or less, has to be left
constexpr double kBelowCap = 6 / 1.25;   // a channel that RELU6 leaves alone stays below this

class Absorber {
 public:
  Absorber(Graph& graph, const TensorFacts& facts,
           const std::vector<std::vector<float>>& deviations)
      : graph_(graph),
        facts_(facts),
        deviations_(deviations),
        constant_uses_(graph.tensors.size(), 0),
        readers_(graph.tensors.size()) {
    for (size_t n = 0; n < graph.nodes.size(); ++n) {
      for (const TensorId id : graph.nodes[n].inputs) {
        if (id == kNoTensor) continue;
        ++constant_uses_[id];
        readers_[id].push_back(n);
      }
    }
    for (const TensorId id : graph.outputs) ++constant_uses_[id];
  }

  Absorption Run() {
    Absorption result;
    for (const Node& node : graph_.nodes) {
      const std::vector<double> gives = Gives(node);
      if (gives.empty()) continue;
      for (const size_t reader : readers_[node.outputs[0]]) Take(graph_.nodes[reader], gives);
      AddToBias(node, gives, -1);
      ++result.layers;
      result.channels += static_cast<int>(
          std::count_if(gives.begin(), gives.end(), [](double c) { return c > 0; }));
    }
    return result;
  }

 private:
  const Tensor& At(TensorId id) const { return graph_.tensors[id]; }

  // The layer's bias when it is a constant of its own.
  TensorId BiasOf(const Node& node, const WeightedLayer& layer) const {
    const auto at = static_cast<size_t>(layer.bias);
    if (node.inputs.size() <= at || node.inputs[at] == kNoTensor) return kNoTensor;
    const TensorId id = node.inputs[at];
    const Tensor& bias = At(id);
    const bool own = bias.is_constant && bias.type == DataType::kFloat32 && constant_uses_[id] == 1;
    return own ? id : kNoTensor;
  }

  // Whether the node takes constants added to the channels of a tensor into its bias.
  bool Takes(const Node& node, TensorId data, size_t channels) const {
    const auto layer = WeightedLayerOf(graph_, node);
    if (!layer || node.op == Op::kTransposeConv || node.inputs[layer->data] != data) return false;
    if (BiasOf(node, *layer) == kNoTensor) return false;
    if (std::count(node.inputs.begin(), node.inputs.end(), data) != 1) return false;
    const Shape& weights = At(node.inputs[layer->weights]).shape;
    if (const auto* conv = std::get_if<ConvAttrs>(&node.attrs)) {
      const bool pads = conv->padding == Padding::kSame && (weights[1] > 1 || weights[2] > 1);
      if (pads) return false;
    }
    if (layer->input_axis < 0) {
      return weights[layer->channel_axis] % static_cast<int32_t>(channels) == 0;
    }
    return weights[layer->input_axis] == static_cast<int32_t>(channels);
  }

  // What each channel of a layer's output gives away; empty when the layer is left alone.
  std::vector<double> Gives(const Node& node) const {
    const auto layer = WeightedLayerOf(graph_, node);
    const Activation activation = FusedActivation(node);
    const bool capped = activation == Activation::kRelu6;
    if (!layer || (activation != Activation::kRelu && !capped)) return {};
    if (BiasOf(node, *layer) == kNoTensor) return {};
    const auto out = static_cast<size_t>(node.outputs[0]);
    if (out >= facts_.means.size() || out >= deviations_.size()) return {};
    const std::vector<float>&means = facts_.means[out], &highs = facts_.highs[out];
    const size_t count = means.size();
    if (count == 0 || highs.size() != count || deviations_[out].size() != count) return {};
    // Its readers, and nobody else, see the tensor.
    if (readers_[out].empty() || static_cast<size_t>(constant_uses_[out]) != readers_[out].size()) {
      return {};
    }
    for (const size_t reader : readers_[out]) {
      if (!Takes(graph_.nodes[reader], node.outputs[0], count)) return {};
    }
    std::vector<double> gives(count, 0.0);
    double before = 0, after = 0;
    for (size_t c = 0; c < count; ++c) {
      const double high = highs[c];
      if (!capped || high < kBelowCap) {
        gives[c] = std::max(0.0, static_cast<double>(means[c]) -
                                     kDeviations * static_cast<double>(deviations_[out][c]));
      }
      before = std::max(before, high);
      after = std::max(after, high - gives[c]);
    }
    if (!(after < kWorthShrinking * before)) return {};
    return gives;
  }

  void AddToBias(const Node& node, const std::vector<double>& values, double factor) {
    Tensor& bias = graph_.tensors[BiasOf(node, *WeightedLayerOf(graph_, node))];
    std::vector<float> sums = FloatValues(bias);
    for (size_t c = 0; c < sums.size(); ++c) {
      sums[c] = static_cast<float>(static_cast<double>(sums[c]) + factor * values[c]);
    }
    SetFloatValues(bias, sums);
  }

  void Take(const Node& node, const std::vector<double>& gives) {
    const WeightedLayer layer = *WeightedLayerOf(graph_, node);
    const Tensor& weights = At(node.inputs[layer.weights]);
    const bool depthwise = layer.input_axis < 0;
    const AxisIndex o = IndexAlong(weights.shape, layer.channel_axis);
    const AxisIndex i = depthwise ? o : IndexAlong(weights.shape, layer.input_axis);
    const size_t multiplier = depthwise ? static_cast<size_t>(o.extent) / gives.size() : 1;
    const std::vector<float> values = FloatValues(weights);
    std::vector<double> sums(static_cast<size_t>(o.extent), 0.0);
    for (size_t k = 0; k < values.size(); ++k) {
      sums[o(k)] += static_cast<double>(values[k]) * gives[i(k) / multiplier];
    }
    AddToBias(node, sums, 1);
  }

  Graph& graph_;
  const TensorFacts& facts_;
  const std::vector<std::vector<float>>& deviations_;
  std::vector<int> constant_uses_;
  std::vector<std::vector<size_t>> readers_;
};

}  // namespace

Absorption AbsorbBiases(Graph& graph, const TensorFacts& facts,
                        const std::vector<std::vector<float>>& deviations) {
  return Absorber(graph, facts, deviations).Run();
}

}  // namespace dlpu
