// SPDX-License-Identifier: Apache-2.0
// Counting layers by how they are quantized.
#include "ir/quantization_style.h"

#include <fmt/format.h>

#include <cmath>
#include <set>

namespace dlpu {
namespace {

// The input that holds the data of a layer with weights (weights are input 1), or -1.
int DataInput(std::string_view op) {
  if (op == "CONV_2D" || op == "DEPTHWISE_CONV_2D" || op == "FULLY_CONNECTED") return 0;
  if (op == "TRANSPOSE_CONV") return 2;
  return -1;
}

// One scale, a power of two.
bool HasPowerOfTwo(const Quantization& quantization) {
  if (quantization.scale.size() != 1) return false;
  int exponent = 0;
  return std::frexp(quantization.scale[0], &exponent) == 0.5f;
}

// What graphs and programs have in common.
struct Model {
  const std::vector<Tensor>& tensors;
  std::vector<const Node*> nodes;
  const std::map<std::string, std::vector<uint8_t>>& metadata;
};

std::set<TensorId> HalfPrecisionWeights(const Model& model) {
  std::set<TensorId> half;
  for (const Node* node_at : model.nodes) {
    const Node& node = *node_at;
    if (NodeOpName(node) != "DEQUANTIZE" || node.inputs.empty() || node.outputs.empty()) continue;
    const Tensor& source = model.tensors[node.inputs[0]];
    if (source.is_constant && source.type == DataType::kFloat16) half.insert(node.outputs[0]);
  }
  return half;
}

QuantizationSummary Summarise(const Model& model) {
  const std::set<TensorId> half = HalfPrecisionWeights(model);
  QuantizationSummary summary;
  int half_layers = 0, per_channel = 0, is_unsigned = 0, powers_of_two = 0;
  for (const Node* node_at : model.nodes) {
    const Node& node = *node_at;
    const int data = DataInput(NodeOpName(node));
    if (data < 0 || node.inputs.size() <= static_cast<size_t>(std::max(data, 1))) continue;
    if (node.inputs[data] == kNoTensor || node.inputs[1] == kNoTensor) continue;
    const Tensor& weights = model.tensors[node.inputs[1]];
    const DataType activation = model.tensors[node.inputs[data]].type;
    if (IsFloat(weights.type)) {
      ++summary.float_layers;
      half_layers += static_cast<int>(half.count(node.inputs[1]));
    } else if (IsFloat(activation)) {
      ++summary.dynamic_layers;
    } else {
      ++summary.integer_layers;
      per_channel += weights.quantization.per_channel();
      is_unsigned += weights.type == DataType::kUInt8;
      summary.wide_layers += activation == DataType::kInt16;
      powers_of_two += HasPowerOfTwo(weights.quantization) &&
                       HasPowerOfTwo(model.tensors[node.inputs[data]].quantization);
    }
  }
  const int total = summary.float_layers + summary.dynamic_layers + summary.integer_layers;
  const bool says_so = model.metadata.contains(std::string(kFixedPointKey));
  if (says_so && summary.dynamic_layers == 0 && powers_of_two == summary.integer_layers &&
      (summary.integer_layers > 0 || total == 0)) {
    summary.style = QuantizationStyle::kFixedPoint;
    return summary;
  }
  if (total == 0) return summary;
  summary.style = QuantizationStyle::kMixed;
  if (summary.integer_layers == total) {
    summary.style = summary.wide_layers == total ? QuantizationStyle::kInt16Activations
                    : is_unsigned > 0            ? QuantizationStyle::kUint8PerTensor
                    : per_channel > 0            ? QuantizationStyle::kInt8PerChannel
                                                 : QuantizationStyle::kInt8PerTensor;
  } else if (summary.integer_layers == 0 && summary.dynamic_layers > 0) {
    summary.style = QuantizationStyle::kDynamicRange;
  } else if (summary.float_layers == total) {
    summary.style =
        half_layers > 0 ? QuantizationStyle::kFloat16Weights : QuantizationStyle::kFloat32;
  }
  return summary;
}

}  // namespace

QuantizationSummary SummariseQuantization(const Graph& graph) {
  Model model{graph.tensors, {}, graph.metadata};
  for (const Node& node : graph.nodes) model.nodes.push_back(&node);
  return Summarise(model);
}

QuantizationSummary SummariseQuantization(const Program& program) {
  Model model{program.tensors, {}, program.metadata};
  for (const Step& step : program.steps) model.nodes.push_back(&step.node);
  return Summarise(model);
}

std::string QuantizationText(const QuantizationSummary& summary) {
  switch (summary.style) {
    case QuantizationStyle::kNoWeights:
      return "no layers with weights";
    case QuantizationStyle::kFloat32:
      return "float32";
    case QuantizationStyle::kFloat16Weights:
      return "float16 weights, float32 arithmetic";
    case QuantizationStyle::kDynamicRange:
      return "dynamic range (int8 weights, float32 activations)";
    case QuantizationStyle::kInt8PerChannel:
      return "int8 per-channel";
    case QuantizationStyle::kInt8PerTensor:
      return "int8 per-tensor";
    case QuantizationStyle::kUint8PerTensor:
      return "uint8 per-tensor";
    case QuantizationStyle::kInt16Activations:
      return "int16 activations, int8 weights";
    case QuantizationStyle::kFixedPoint:
      return fmt::format(
          "fixed point, powers of two: {} layers in 8 bits, {} in 16{}",
          summary.integer_layers - summary.wide_layers, summary.wide_layers,
          summary.float_layers > 0 ? fmt::format(", {} in float32", summary.float_layers) : "");
    case QuantizationStyle::kMixed:
      break;
  }
  return fmt::format("mixed: {} float, {} dynamic-range and {} integer layers",
                     summary.float_layers, summary.dynamic_layers, summary.integer_layers);
}

std::string_view QuantizationWord(QuantizationStyle style) {
  constexpr std::string_view kWords[] = {"none",
                                         "float32",
                                         "float16",
                                         "dynamic-range",
                                         "int8-per-channel",
                                         "int8-per-tensor",
                                         "uint8-per-tensor",
                                         "int16",
                                         "mixed",
                                         "power-of-two"};
  return kWords[static_cast<int>(style)];
}

bool IsFullInteger8(const QuantizationSummary& summary) {
  return summary.style == QuantizationStyle::kInt8PerChannel ||
         summary.style == QuantizationStyle::kInt8PerTensor ||
         summary.style == QuantizationStyle::kUint8PerTensor;
}

}  // namespace dlpu
