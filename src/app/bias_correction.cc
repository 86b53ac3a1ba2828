// SPDX-License-Identifier: Apache-2.0
// A layer is linear before its activation: the mean of its sums follows from the mean of what each
// tap of its window sees, so that no layer has to be run without its activation.
#include "app/bias_correction.h"

#include <algorithm>
#include <utility>

#include "app/compare.h"
#include "app/layer_window.h"
#include "app/node_runs.h"
#include "app/watch.h"
#include "base/cpu_unfused.h"
#include "passes/quantize_numbers.h"

namespace dlpu {
namespace {

// What the taps of a coded input see, in real values.
std::vector<double> CodedTaps(const LayerWindow& window, const Tensor& input,
                              const std::vector<std::vector<uint8_t>>& samples) {
  std::vector<int64_t> sums(static_cast<size_t>(window.taps()), 0);
  const int64_t zero = input.quantization.zero0();
  for (const std::vector<uint8_t>& bytes : samples) {
    const auto add = [&](const auto* values, size_t size) {
      AddTaps(window, std::span(values, bytes.size() / size), zero, sums);
    };
    if (input.type == DataType::kInt16) {
      add(reinterpret_cast<const int16_t*>(bytes.data()), 2);
    } else if (input.type == DataType::kUInt8) {
      add(bytes.data(), 1);
    } else {
      add(reinterpret_cast<const int8_t*>(bytes.data()), 1);
    }
  }
  std::vector<double> real;
  real.reserve(sums.size());
  for (const int64_t sum : sums) {
    real.push_back(static_cast<double>(sum) * static_cast<double>(input.quantization.scale0()));
  }
  return real;
}

// Adds the products of weights and taps to the sum of their output channel.
void AddProducts(const LayerWindow& window, const std::vector<float>& weights,
                 const std::vector<double>& taps, double factor, std::vector<double>& sums) {
  for (size_t i = 0; i < weights.size(); ++i) {
    sums[window.OutOf(i)] += factor * static_cast<double>(weights[i]) * taps[window.TapOf(i)];
  }
}

bool IsCode(DataType type) {
  return type == DataType::kInt8 || type == DataType::kUInt8 || type == DataType::kInt16;
}

}  // namespace

Result<BiasCorrector> BiasCorrector::Make(const Graph& graph, const LossRequest& samples,
                                          bool portable) {
  BiasCorrector corrector;
  corrector.graph_ = &graph;
  corrector.threads_ = samples.threads;
  corrector.portable_ = portable;
  std::vector<const Node*> layers;
  std::vector<LayerWindow> windows;
  std::vector<TensorId> watched;
  std::vector<size_t> place;  // of each layer's input in `watched`
  for (const Node& node : graph.nodes) {
    const auto window = WindowOf(graph, node);
    if (!window || graph.tensors[node.inputs[0]].is_constant) continue;
    layers.push_back(&node);
    windows.push_back(*window);
    const auto at = std::find(watched.begin(), watched.end(), node.inputs[0]);
    place.push_back(static_cast<size_t>(at - watched.begin()));
    if (at == watched.end()) watched.push_back(node.inputs[0]);
    corrector.taps_[node.name].assign(static_cast<size_t>(window->taps()), 0.0);
  }
  DLPU_TRY(Watch watch, Watch::Load(graph, watched,
                                    {.threads = samples.threads,
                                     .cpu = portable ? UnfusedCpuFlags() : EnabledCpuFlags()}));
  Runner& runner = watch.runner();
  for (const size_t sample : samples.samples) {
    DLPU_TRY(const auto filled,
             FillSample(runner, samples.model, samples.input, samples.set, sample));
    std::vector<std::vector<uint8_t>> inputs;
    for (size_t i = 0; i < runner.input_count(); ++i) {
      const std::span<const uint8_t> bytes = runner.input(i);
      inputs.emplace_back(bytes.begin(), bytes.end());
    }
    corrector.inputs_.push_back(std::move(inputs));
    DLPU_RETURN_IF_ERROR(runner.Run());
    for (size_t l = 0; l < layers.size(); ++l) {
      AddTaps(windows[l], watch.floats(place[l]), 0.0, corrector.taps_[layers[l]->name]);
    }
  }
  return corrector;
}

Result<BiasShifts> BiasCorrector::Shifts(Graph quantized) const {
  std::map<std::string, const Node*> sources;
  for (const Node& node : graph_->nodes) sources[node.name] = &node;
  BiasShifts shifts;
  DLPU_TRY(NodeRuns runs, NodeRuns::Make(quantized, inputs_, threads_, portable_));
  for (size_t n = 0; n < quantized.nodes.size(); ++n) {
    const Node& node = quantized.nodes[n];
    const auto source = sources.find(node.name);
    const auto taps = taps_.find(node.name);
    if (source != sources.end() && taps != taps_.end() && source->second->op == node.op &&
        IsCode(quantized.tensors[node.inputs[0]].type) &&
        IsCode(quantized.tensors[node.inputs[1]].type)) {
      const LayerWindow window = *WindowOf(*graph_, *source->second);
      const std::vector<double> seen =
          CodedTaps(window, quantized.tensors[node.inputs[0]], runs.values(node.inputs[0]));
      std::vector<double> sums(static_cast<size_t>(window.outs), 0.0);
      AddProducts(window, FloatValues(graph_->tensors[source->second->inputs[1]]), taps->second, 1,
                  sums);
      AddProducts(window, RealConstant(quantized.tensors[node.inputs[1]]), seen, -1, sums);
      const auto count =
          static_cast<double>(window.positions()) * static_cast<double>(inputs_.size());
      std::vector<float>& shift = shifts[node.name];
      for (const double sum : sums) shift.push_back(static_cast<float>(sum / count));
      Tensor& bias = quantized.tensors[node.inputs[2]];
      std::vector<float> real(shift.size(), 0.0f);
      if (source->second->inputs.size() > 2 && source->second->inputs[2] != kNoTensor) {
        real = FloatValues(graph_->tensors[source->second->inputs[2]]);
      }
      for (size_t c = 0; c < real.size(); ++c) real[c] += shift[c];
      bias.data = ChannelCodes(real, bias.quantization, bias.type);
    }
    DLPU_RETURN_IF_ERROR(runs.Run(quantized.nodes[n]));
  }
  return shifts;
}

}  // namespace dlpu
