// SPDX-License-Identifier: Apache-2.0
// The quantized ops that ONNX Runtime adds to the standard (domain com.microsoft), as nodes of the
// standard: DequantizeLinear for each input, the op, QuantizeLinear. Inputs and attributes are
// those of https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md.
#include <string_view>

#include "formats/onnx_quant.h"

namespace dlpu {
namespace {

// Inputs that are quantized come as value, scale and zero point; these say where each begins.
struct Form {
  std::string_view op, becomes;
  std::vector<size_t> values;  // places of quantized inputs
  size_t output;               // place of the output's scale
};

const Form* FindForm(const std::string& op) {
  static const std::vector<Form> kForms = {
      {"QLinearAdd", "Add", {0, 3}, 6},
      {"QLinearMul", "Mul", {0, 3}, 6},
      {"QLinearSigmoid", "Sigmoid", {0}, 3},
      {"QLinearLeakyRelu", "LeakyRelu", {0}, 3},
      {"QLinearSoftmax", "Softmax", {0}, 3},
      {"QLinearAveragePool", "AveragePool", {0}, 3},
      {"QLinearGlobalAveragePool", "GlobalAveragePool", {0}, 3},
      {"QLinearReduceMean", "ReduceMean", {0}, 3}};
  for (const Form& form : kForms) {
    if (form.op == op) return &form;
  }
  return nullptr;
}

class Expansion {
 public:
  explicit Expansion(const OnnxNode& node) : node_(node) {}

  std::string Input(size_t i) const { return i < node_.inputs.size() ? node_.inputs[i] : ""; }

  void Add(const std::string& op, std::vector<std::string> inputs, const std::string& output) {
    OnnxNode node;
    node.name = node_.name.empty() ? output : node_.name;
    node.op = op;
    node.inputs = std::move(inputs);
    while (!node.inputs.empty() && node.inputs.back().empty()) node.inputs.pop_back();
    node.outputs = {output};
    nodes_.push_back(std::move(node));
  }

  // The float32 value of the input at that place.
  std::string Dequantized(size_t i) {
    const std::string name = node_.outputs[0] + "/real_" + std::to_string(i);
    Add("DequantizeLinear", {Input(i), Input(i + 1), Input(i + 2)}, name);
    return name;
  }

  std::string Float() const { return node_.outputs[0] + "/real"; }

  // The op itself, with the attributes it shares with the standard's, and what quantizes its
  // result.
  std::vector<OnnxNode> Finish(const std::string& op, std::vector<std::string> inputs,
                               size_t output) {
    Add(op, std::move(inputs), Float());
    nodes_.back().attributes = node_.attributes;
    for (const char* own : {"channels_last", "opset"}) nodes_.back().attributes.erase(own);
    Add("QuantizeLinear", {Float(), Input(output), Input(output + 1)}, node_.outputs[0]);
    return std::move(nodes_);
  }

  int64_t Int(const std::string& name, int64_t otherwise) const {
    const auto found = node_.attributes.find(name);
    return found == node_.attributes.end() ? otherwise : found->second.i;
  }

 private:
  const OnnxNode& node_;
  std::vector<OnnxNode> nodes_;
};

// Its bias has the scale of the product and no zero point.
std::vector<OnnxNode> ExpandGemm(const OnnxNode& node, Expansion& out) {
  const auto alpha = node.attributes.find("alpha");
  if (alpha != node.attributes.end() && alpha->second.f != 1.0f) return {node};
  std::vector<std::string> inputs = {out.Dequantized(0), out.Dequantized(3)};
  if (!out.Input(6).empty()) {
    const std::string scale = node.outputs[0] + "/bias_scale", bias = node.outputs[0] + "/bias";
    out.Add("Mul", {out.Input(1), out.Input(4)}, scale);
    out.Add("DequantizeLinear", {out.Input(6), scale}, bias);
    inputs.push_back(bias);
  }
  return out.Finish("Gemm", std::move(inputs), 7);
}

std::vector<OnnxNode> ExpandConcat(const OnnxNode& node, Expansion& out) {
  std::vector<std::string> inputs;
  for (size_t i = 2; i + 2 < node.inputs.size() + 1; i += 3) inputs.push_back(out.Dequantized(i));
  return out.Finish("Concat", std::move(inputs), 0);
}

}  // namespace

std::vector<OnnxNode> ExpandQLinear(const OnnxNode& node) {
  if (node.domain != "com.microsoft" || node.outputs.size() != 1) return {node};
  if (node.op == "QuantizeLinear" || node.op == "DequantizeLinear") {
    OnnxNode standard = node;
    standard.domain.clear();
    return {standard};
  }
  Expansion out(node);
  if (node.op == "QGemm" && node.inputs.size() >= 8) return ExpandGemm(node, out);
  if (node.op == "QLinearConcat" && node.inputs.size() >= 5) return ExpandConcat(node, out);
  const Form* form = FindForm(node.op);
  if (form == nullptr || node.inputs.size() <= form->output || out.Int("channels_last", 0) != 0) {
    return {node};
  }
  std::vector<std::string> inputs;
  for (const size_t i : form->values) inputs.push_back(out.Dequantized(i));
  return out.Finish(std::string(form->becomes), std::move(inputs), form->output);
}

}  // namespace dlpu
