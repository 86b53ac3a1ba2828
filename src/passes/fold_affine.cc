// SPDX-License-Identifier: Apache-2.0
// Pass: scales and shifts of channels go into the weights and bias before them.
#include <algorithm>
#include <cstring>
#include <optional>

#include "passes/compile.h"
#include "passes/tidy.h"
#include "passes/uses.h"

namespace dlpu {
namespace {

std::vector<float> Floats(const Tensor& constant) {
  std::vector<float> values(constant.data.size() / sizeof(float));
  if (!values.empty()) std::memcpy(values.data(), constant.data.data(), constant.data.size());
  return values;
}

// The axis of the weights along which output channels lie; -1 for an op without such weights.
int ChannelAxis(const Node& node) {
  switch (node.op) {
    case Op::kConv2d:
    case Op::kFullyConnected:
    case Op::kTransposeConv:
      return 0;
    case Op::kDepthwiseConv2d:
      return 3;
    default:
      return -1;
  }
}

Activation ActivationOf(const Node& node) {
  if (const auto* conv = std::get_if<ConvAttrs>(&node.attrs)) return conv->activation;
  if (const auto* full = std::get_if<FullyConnectedAttrs>(&node.attrs)) return full->activation;
  return Activation::kNone;
}

class AffineFolder {
 public:
  explicit AffineFolder(Graph& graph) : graph_(graph) {}

  void Run() {
    const TensorUses uses(graph_);
    std::vector<Node> kept;
    std::vector<int> place(graph_.tensors.size(), TensorUses::kNone);  // of its writer in kept
    for (Node& node : graph_.nodes) {
      if (const auto layer = LayerBefore(node, uses, place)) {
        if (Fold(kept[*layer], node)) {
          place[node.outputs[0]] = *layer;
          continue;
        }
      }
      for (const TensorId id : node.outputs) place[id] = static_cast<int>(kept.size());
      kept.push_back(std::move(node));
    }
    graph_.nodes = std::move(kept);
  }

 private:
  // The layer whose result the arithmetic node alone reads.
  std::optional<int> LayerBefore(const Node& node, const TensorUses& uses,
                                 const std::vector<int>& place) const {
    const bool arithmetic =
        node.op == Op::kMul || node.op == Op::kDiv || node.op == Op::kAdd || node.op == Op::kSub;
    if (!arithmetic) return std::nullopt;
    const size_t constant = graph_.tensors[node.inputs[0]].is_constant ? 0 : 1;
    if (!graph_.tensors[node.inputs[constant]].is_constant) return std::nullopt;
    if (constant == 0 && (node.op == Op::kDiv || node.op == Op::kSub)) return std::nullopt;
    const TensorId in = node.inputs[1 - constant];
    if (!uses.read_once(in) || place[in] == TensorUses::kNone) return std::nullopt;
    return place[in];
  }

  bool Fold(Node& layer, const Node& arithmetic) {
    const int axis = ChannelAxis(layer);
    if (axis < 0 || ActivationOf(layer) != Activation::kNone) return false;
    const size_t at = graph_.tensors[arithmetic.inputs[0]].is_constant ? 0 : 1;
    if (layer.outputs[0] != arithmetic.inputs[1 - at]) return false;
    const size_t bias_input = layer.op == Op::kTransposeConv ? 3 : 2;
    const Tensor &weights = graph_.tensors[layer.inputs[1]],
                 &output = graph_.tensors[layer.outputs[0]],
                 &constant = graph_.tensors[arithmetic.inputs[at]];
    if (!weights.is_constant || weights.type != DataType::kFloat32 ||
        output.type != DataType::kFloat32 || constant.type != DataType::kFloat32) {
      return false;
    }
    const int32_t channels = output.shape.empty() ? 0 : output.shape.back();
    if (graph_.tensors[arithmetic.outputs[0]].shape != output.shape ||
        weights.shape[axis] != channels || !IsPerChannel(constant, channels)) {
      return false;
    }
    std::vector<float> values = Floats(constant);
    if (values.size() == 1) values.assign(static_cast<size_t>(channels), values[0]);
    std::vector<float> bias(static_cast<size_t>(channels), 0.0f);
    if (layer.inputs.size() > bias_input && layer.inputs[bias_input] != kNoTensor) {
      if (!graph_.tensors[layer.inputs[bias_input]].is_constant) return false;
      bias = Floats(graph_.tensors[layer.inputs[bias_input]]);
      if (bias.size() != values.size()) return false;
    }
    Apply(layer, arithmetic.op, axis, bias_input, values, std::move(bias));
    layer.outputs = arithmetic.outputs;
    return true;
  }

  // One value, or one for each index of the last axis alone.
  static bool IsPerChannel(const Tensor& constant, int32_t channels) {
    const int64_t count = ElementCount(constant.shape);
    return count == 1 ||
           (count == channels && !constant.shape.empty() && constant.shape.back() == channels);
  }

  void Apply(Node& layer, Op op, int axis, size_t bias_input, const std::vector<float>& values,
             std::vector<float> bias) {
    const Tensor& old = graph_.tensors[layer.inputs[1]];
    if (op == Op::kMul || op == Op::kDiv) {
      Tensor weights = old;
      std::vector<float> taps = Floats(old);
      const int64_t inner = ElementCount(Shape(old.shape.begin() + axis + 1, old.shape.end()));
      for (size_t i = 0; i < taps.size(); ++i) {
        const size_t c = static_cast<size_t>(static_cast<int64_t>(i) / inner % old.shape[axis]);
        taps[i] = op == Op::kMul ? taps[i] * values[c] : taps[i] / values[c];
      }
      std::memcpy(weights.data.data(), taps.data(), weights.data.size());
      layer.inputs[1] = Add(std::move(weights));
    }
    for (size_t c = 0; c < bias.size(); ++c) {
      if (op == Op::kMul) bias[c] *= values[c];
      if (op == Op::kDiv) bias[c] /= values[c];
      if (op == Op::kAdd) bias[c] += values[c];
      if (op == Op::kSub) bias[c] -= values[c];
    }
    Tensor tensor;
    tensor.name = graph_.tensors[layer.inputs[1]].name + "/bias";
    if (layer.inputs.size() > bias_input && layer.inputs[bias_input] != kNoTensor) {
      tensor.name = graph_.tensors[layer.inputs[bias_input]].name;
    }
    tensor.shape = {static_cast<int32_t>(bias.size())};
    tensor.is_constant = true;
    tensor.data.resize(bias.size() * sizeof(float));
    std::memcpy(tensor.data.data(), bias.data(), tensor.data.size());
    layer.inputs.resize(std::max(layer.inputs.size(), bias_input + 1), kNoTensor);
    layer.inputs[bias_input] = Add(std::move(tensor));
  }

  TensorId Add(Tensor tensor) {
    graph_.tensors.push_back(std::move(tensor));
    return static_cast<TensorId>(graph_.tensors.size() - 1);
  }

  Graph& graph_;
};

}  // namespace

void FoldAffine(Graph& graph) { AffineFolder(graph).Run(); }

}  // namespace dlpu
