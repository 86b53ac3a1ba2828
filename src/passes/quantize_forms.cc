// SPDX-License-Identifier: Apache-2.0
// In which type each node of a graph computes: the op's own kernel is asked.
#include <algorithm>

#include "ops/op.h"
#include "passes/quantize_numbers.h"
#include "passes/quantize_plan.h"

namespace dlpu {
namespace {

using Kind = QuantizeRule::Kind;

bool IsFloatTensor(const Graph& graph, TensorId id) {
  return id != kNoTensor && graph.tensors[id].type == DataType::kFloat32;
}

// Ops that give indices, booleans or shapes and mean the same of codes as of real values.
bool ReadsCodes(Op op) {
  switch (op) {
    case Op::kArgMax:
    case Op::kArgMin:
    case Op::kShape:
    case Op::kEqual:
    case Op::kNotEqual:
    case Op::kGreater:
    case Op::kGreaterEqual:
    case Op::kLess:
    case Op::kLessEqual:
      return true;
    default:
      return false;
  }
}

// A tensor as it would be quantized, with any scale; constants are zeros.
Tensor TrialTensor(const Tensor& tensor, DataType type) {
  Tensor trial;
  trial.name = tensor.name;
  trial.shape = tensor.shape;
  trial.type = type;
  trial.is_constant = tensor.is_constant;
  trial.quantization = {{0.05f}, {type == DataType::kUInt8 ? 128 : 0}, 0};
  if (tensor.is_constant) trial.data.assign(static_cast<size_t>(ByteCount(type, tensor.shape)), 0);
  return trial;
}

DataType BiasType(DataType type) {
  return type == DataType::kInt16 ? DataType::kInt64 : DataType::kInt32;
}

// Whether the op's kernel takes the node with codes of that type.
bool HasForm(const Graph& graph, const Node& node, DataType type, bool power_of_two) {
  const QuantizeRule rule = GetOp(node.op).quantize.value;
  if (const auto fixed = FixedOutput(node.op, type); fixed && power_of_two) {
    // LOG_SOFTMAX's offset is neither.
    if (fixed->zero0() != 0 && fixed->zero0() != LowestCode(type)) return false;
  }
  if (rule.kind == Kind::kFloatOnly || (rule.kind == Kind::kUntyped && !ReadsCodes(node.op))) {
    return false;
  }
  if (!node.intermediates.empty()) return false;
  if (rule.weights >= 0 && !WeightedLayerOf(graph, node)) return false;
  std::vector<Tensor> tensors;
  Node trial = node;
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    if (node.inputs[i] == kNoTensor) continue;
    const Tensor& tensor = graph.tensors[node.inputs[i]];
    if (tensor.is_variable) return false;
    trial.inputs[i] = static_cast<TensorId>(tensors.size());
    if (tensor.type != DataType::kFloat32) {
      tensors.push_back(tensor);
    } else if (static_cast<int>(i) == rule.bias) {
      tensors.push_back(TrialTensor(tensor, BiasType(type)));
    } else {
      const bool is_weights = static_cast<int>(i) == rule.weights;
      tensors.push_back(
          TrialTensor(tensor, is_weights && type == DataType::kInt16 ? DataType::kInt8 : type));
    }
  }
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    const Tensor& tensor = graph.tensors[node.outputs[i]];
    trial.outputs[i] = static_cast<TensorId>(tensors.size());
    tensors.push_back(tensor);
    if (tensor.type != DataType::kFloat32) continue;
    tensors.back() = TrialTensor(tensor, type);
    if (const auto fixed = FixedOutput(node.op, type)) tensors.back().quantization = *fixed;
  }
  if (auto* attrs = std::get_if<ArithmeticAttrs>(&trial.attrs)) attrs->pot_scale_int16 = false;
  const PrepareContext context(tensors, trial, Profile::kTfliteReference, kCpuNone, 1);
  return PrepareOp(context).ok();
}

}  // namespace

std::vector<size_t> FloatInputs(const Graph& graph, const Node& node) {
  const QuantizeRule rule =
      node.op == Op::kUnknown ? QuantizeRule{} : GetOp(node.op).quantize.value;
  std::vector<size_t> inputs;
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    const bool layer_constant =
        static_cast<int>(i) == rule.weights || (static_cast<int>(i) == rule.bias && rule.bias >= 0);
    if (!layer_constant && IsFloatTensor(graph, node.inputs[i])) inputs.push_back(i);
  }
  return inputs;
}

std::optional<Quantization> FixedOutput(Op op, DataType type) {
  const QuantizeRule rule = GetOp(op).quantize.value;
  if (rule.kind != Kind::kFixedOutput) return std::nullopt;
  switch (type) {
    case DataType::kInt8:
      return Quantization{{rule.fixed_scale}, {rule.fixed_zero_point}, 0};
    case DataType::kUInt8:
      return Quantization{{rule.fixed_scale}, {rule.fixed_zero_point + 128}, 0};
    default:  // int16: outputs of at most 1
      return Quantization{{1.0f / 32768}, {0}, 0};
  }
}

NodeForms ChooseForms(const Graph& graph, const QuantizeOptions& options) {
  NodeForms forms;
  const DataType main = ActivationType(options.scheme);
  for (const Node& node : graph.nodes) {
    const bool touches = !FloatInputs(graph, node).empty() ||
                         std::any_of(node.outputs.begin(), node.outputs.end(),
                                     [&](TensorId id) { return IsFloatTensor(graph, id); });
    if (!touches) {
      forms.push_back(DataType::kOther);
      continue;
    }
    const auto wanted = options.node_types.find(node.name);
    const DataType type = wanted == options.node_types.end() ? main : wanted->second;
    const bool integer = type != DataType::kFloat32 && node.op != Op::kUnknown &&
                         HasForm(graph, node, type, options.scheme == QuantScheme::kPowerOfTwo);
    forms.push_back(integer ? type : DataType::kFloat32);
  }
  return forms;
}

std::map<std::string, DataType> NodesIn16Bits(const Graph& graph,
                                              const std::vector<bool>& tensors) {
  std::map<std::string, DataType> nodes;
  for (const Node& node : graph.nodes) {
    const auto is_meant = [&](TensorId id) { return id != kNoTensor && tensors[id]; };
    const bool touches = std::any_of(node.inputs.begin(), node.inputs.end(), is_meant) ||
                         std::any_of(node.outputs.begin(), node.outputs.end(), is_meant);
    if (!touches || node.op == Op::kUnknown) continue;
    if (HasForm(graph, node, DataType::kInt16, true)) nodes[node.name] = DataType::kInt16;
  }
  return nodes;
}

}  // namespace dlpu
