// SPDX-License-Identifier: Apache-2.0
// Answers that need more of a graph than one attribute, extent or scale.
#include "target/derived_values.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <map>
#include <string>

#include "target/ranges.h"

namespace dlpu {
namespace {

using Answer = std::optional<Value>;

Answer Number(double value) { return Value(value); }
Answer Flag(bool value) { return Value(value ? 1.0 : 0.0); }

bool IsOne(const std::string& op, std::initializer_list<std::string_view> names) {
  return std::ranges::find(names, op) != names.end();
}

const Tensor* Input(const Graph& graph, const Node& node, size_t i) {
  if (i >= node.inputs.size() || node.inputs[i] == kNoTensor) return nullptr;
  return &graph.tensors[node.inputs[i]];
}

// Input, weights, bias and output of a layer with weights whose arithmetic is 8-bit.
struct QuantizedLayer {
  const Tensor *input, *weights, *bias, *output;
};
std::optional<QuantizedLayer> FindLayer(const Graph& graph, const Node& node) {
  const std::string op = NodeOpName(node);
  const bool transposed = op == "TRANSPOSE_CONV";
  if (!transposed && !IsOne(op, {"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"})) {
    return std::nullopt;
  }
  QuantizedLayer layer = {Input(graph, node, transposed ? 2 : 0), Input(graph, node, 1),
                          Input(graph, node, transposed ? 3 : 2),
                          node.outputs.empty() ? nullptr : &graph.tensors[node.outputs[0]]};
  if (!layer.input || !layer.weights || !layer.bias || !layer.output) return std::nullopt;
  if (layer.bias->type != DataType::kInt32) return std::nullopt;
  if (layer.input->quantization.scale.size() != 1) return std::nullopt;
  if (layer.output->quantization.scale.size() != 1) return std::nullopt;
  if (!layer.weights->quantization.present() || !layer.bias->quantization.present()) {
    return std::nullopt;
  }
  return layer;
}

// "bias_scale_ratio" and "bias_scale_error".
Answer BiasScale(const Graph& graph, const Node& node, std::string_view name) {
  const std::optional<QuantizedLayer> layer = FindLayer(graph, node);
  if (!layer) return std::nullopt;
  const std::vector<float>& weights = layer->weights->quantization.scale;
  const std::vector<float>& biases = layer->bias->quantization.scale;
  const double input = layer->input->quantization.scale[0];
  const double output = layer->output->quantization.scale[0];
  double farthest = 1, error = 0;
  for (size_t c = 0; c < std::max(weights.size(), biases.size()); ++c) {
    const double product = input * weights[std::min(c, weights.size() - 1)];
    const double bias = biases[std::min(c, biases.size() - 1)];
    if (!(product > 0) || !(bias > 0) || !(output > 0)) continue;
    const double ratio = bias / product;
    if (std::abs(std::log(ratio)) > std::abs(std::log(farthest))) farthest = ratio;
    error = std::max(error, std::abs(bias - product) / output);
  }
  if (name == "bias_scale_error") {
    // TensorFlow Lite compares them only where there is one scale.
    return weights.size() == 1 ? Number(error) : std::nullopt;
  }
  return Number(farthest);
}

// "kept_codes", "narrow_input", "narrow_range", "joined_range".
Answer Joined(const Graph& graph, const Node& node, std::string_view name) {
  const std::optional<CodeUse> use = NarrowestInput(graph, node);
  if (!use) return std::nullopt;
  if (name == "kept_codes") return Number(std::round(use->codes * 10) / 10);
  if (name == "narrow_input") return Value(graph.tensors[use->tensor].name);
  if (name == "narrow_range") return Value(RangeText(use->range));
  const std::optional<ValueRange> all = RangeOf(graph, node.outputs[0]);
  return all ? Answer(Value(RangeText(*all))) : std::nullopt;
}

Answer Groups(const Graph& graph, const Node& node) {
  const Tensor *input = Input(graph, node, 0), *weights = Input(graph, node, 1);
  if (NodeOpName(node) != "CONV_2D" || !input || !weights) return std::nullopt;
  if (input->shape.size() != 4 || weights->shape.size() != 4) return std::nullopt;
  if (input->shape[3] <= 0 || weights->shape[3] <= 0) return std::nullopt;
  return Number(static_cast<double>(input->shape[3]) / weights->shape[3]);
}

// Whether only extents in front of the first one above 1 are removed.
Answer SqueezesLeading(const Graph& graph, const Node& node) {
  const auto* attrs = std::get_if<SqueezeAttrs>(&node.attrs);
  const Tensor* input = Input(graph, node, 0);
  if (!attrs || !input) return std::nullopt;
  const int rank = static_cast<int>(input->shape.size());
  int leading = 0;
  while (leading < rank && input->shape[leading] == 1) ++leading;
  if (attrs->dims.empty()) {
    return Flag(std::none_of(input->shape.begin() + leading, input->shape.end(),
                             [](int32_t extent) { return extent == 1; }));
  }
  return Flag(std::ranges::all_of(attrs->dims,
                                  [&](int32_t d) { return (d < 0 ? d + rank : d) < leading; }));
}

Answer ReadByConvolution(const Graph& graph, const Node& node) {
  if (node.outputs.empty()) return std::nullopt;
  // An extra output of the model keeps the result from being fused.
  if (std::ranges::find(graph.outputs, node.outputs[0]) != graph.outputs.end()) return Flag(false);
  return Flag(std::ranges::any_of(graph.nodes, [&](const Node& reader) {
    return IsOne(NodeOpName(reader), {"CONV_2D", "DEPTHWISE_CONV_2D"}) && !reader.inputs.empty() &&
           reader.inputs[0] == node.outputs[0];
  }));
}

bool IsMadeOfConstants(const Graph& graph, TensorId id) {
  return std::ranges::any_of(graph.nodes, [&](const Node& node) {
    return std::ranges::find(node.outputs, id) != node.outputs.end() && OfConstants(graph, node);
  });
}

// "activation_bytes", "weights_bytes".
Answer Bytes(const Graph& graph, const Node& node, std::string_view name) {
  double activations = 0, constants = 0;
  auto add = [&](TensorId id) {
    const Tensor& t = graph.tensors[id];
    const bool constant = t.is_constant || IsMadeOfConstants(graph, id);
    (constant ? constants : activations) += static_cast<double>(ByteCount(t.type, t.shape));
  };
  for (const TensorId id : node.inputs) {
    if (id != kNoTensor) add(id);
  }
  for (const TensorId id : node.outputs) add(id);
  return Number(name == "activation_bytes" ? activations : constants);
}

using Question = Answer (*)(const Graph&, const Node&, std::string_view);

const std::map<std::string_view, Question>& Questions() {
  static const std::map<std::string_view, Question> questions = {
      {"op",
       [](const Graph&, const Node& n, std::string_view) -> Answer {
         return Value(NodeOpName(n));
       }},
      {"custom_op",
       [](const Graph&, const Node& n, std::string_view) -> Answer {
         const auto* unknown = std::get_if<UnknownAttrs>(&n.attrs);
         const bool custom = unknown ? unknown->custom : IsCustomOp(n.op);
         return Value(custom ? NodeOpName(n) : std::string("none"));
       }},
      {"op_version",
       [](const Graph&, const Node& n, std::string_view) { return Number(n.version); }},
      {"constant_size",
       [](const Graph& g, const Node& n, std::string_view) {
         const Tensor* size = Input(g, n, NodeOpName(n) == "TRANSPOSE_CONV" ? 0 : 1);
         return size ? Flag(size->is_constant) : std::nullopt;
       }},
      {"groups", [](const Graph& g, const Node& n, std::string_view) { return Groups(g, n); }},
      {"squeezes_leading",
       [](const Graph& g, const Node& n, std::string_view) { return SqueezesLeading(g, n); }},
      {"read_by_convolution",
       [](const Graph& g, const Node& n, std::string_view) { return ReadByConvolution(g, n); }},
      {"activation_bytes", Bytes},
      {"weights_bytes", Bytes},
      {"bias_scale_ratio", BiasScale},
      {"bias_scale_error", BiasScale},
      {"kept_codes", Joined},
      {"narrow_input", Joined},
      {"narrow_range", Joined},
      {"joined_range", Joined},
  };
  return questions;
}

}  // namespace

bool OfConstants(const Graph& graph, const Node& node) {
  bool any = false;
  for (const TensorId id : node.inputs) {
    if (id == kNoTensor) continue;
    if (!graph.tensors[id].is_constant) return false;
    any = true;
  }
  return any;
}

std::optional<Value> DerivedValue(const Graph& graph, const Node& node, std::string_view name) {
  const auto question = Questions().find(name);
  return question == Questions().end() ? std::nullopt : question->second(graph, node, name);
}

}  // namespace dlpu
