// SPDX-License-Identifier: Apache-2.0
// PrintGraph.
#include <fmt/format.h>

#include <iterator>
#include <span>
#include <type_traits>
#include <utility>

#include "base/encoding.h"
#include "base/sha256.h"
#include "ir/text.h"
#include "ir/text_words.h"

namespace dlpu {
namespace {

constexpr size_t kMaxHexBytes = 32;  // longer data is base64

template <typename T, typename ItemText>
std::string ListText(const std::vector<T>& values, const ItemText& text) {
  std::string list = "[";
  for (const T& value : values) {
    if (list.size() > 1) list += ',';
    list += text(value);
  }
  return list + "]";
}
template <typename T>
std::string ListText(const std::vector<T>& values) {
  return ListText(values, [](T value) { return std::to_string(value); });
}

// An attribute's value as text.
std::string ValueText(bool value) { return value ? "true" : "false"; }
std::string ValueText(int32_t value) { return std::to_string(value); }
std::string ValueText(float value) { return text::FloatText(value); }
std::string ValueText(Padding value) { return std::string(text::WordOf(value)); }
std::string ValueText(Activation value) { return std::string(text::WordOf(value)); }
std::string ValueText(DataType value) { return std::string(DataTypeName(value)); }
std::string ValueText(const std::string& value) { return text::Quoted(value); }
std::string ValueText(const std::vector<int32_t>& values) { return ListText(values); }

// " {name=value ...}" with the attributes that differ from their defaults.
std::string AttrsText(const Attrs& attrs) {
  std::string list;
  std::visit(
      [&](const auto& a) {
        std::vector<std::string> defaults;
        std::remove_cvref_t<decltype(a)>{}.Visit(
            [&](const char*, const auto& value) { defaults.push_back(ValueText(value)); });
        size_t i = 0;
        a.Visit([&](const char* name, const auto& value) {
          std::string value_text = ValueText(value);
          if (value_text == defaults[i++]) return;
          list += list.empty() ? "" : " ";
          list += name;
          list += '=';
          list += value_text;
        });
      },
      attrs);
  return list.empty() ? "" : " {" + list + "}";
}

std::string BytesText(std::span<const uint8_t> bytes) {
  return bytes.size() <= kMaxHexBytes ? "hex:" + HexOf(bytes) : "base64:" + Base64Of(bytes);
}

std::string TensorsText(const std::vector<TensorId>& ids) {
  std::string list = "(";
  for (const TensorId id : ids) {
    if (list.size() > 1) list += ' ';
    list += id == kNoTensor ? "-" : fmt::format("%{}", id);
  }
  return list + ")";
}

std::string TensorLine(const Tensor& tensor, size_t id, const PrintOptions& options) {
  std::string line = fmt::format("tensor %{} {} {} {}", id, text::Quoted(tensor.name),
                                 DataTypeName(tensor.type), ShapeText(tensor.shape));
  const Quantization& q = tensor.quantization;
  if (!q.scale.empty()) line += " scale=" + ListText(q.scale, text::FloatText);
  if (!q.zero_point.empty()) line += " zero=" + ListText(q.zero_point);
  if (q.axis != 0) line += fmt::format(" axis={}", q.axis);
  if (tensor.is_variable) line += " variable";
  if (tensor.is_constant) {
    const bool whole = options.max_constant_bytes < 0 ||
                       static_cast<int64_t>(tensor.data.size()) <= options.max_constant_bytes;
    line += " const=";
    line += whole ? BytesText(tensor.data) : "sha256:" + Sha256Hex(tensor.data);
  }
  return line;
}

std::string NodeLine(const Node& node) {
  std::string line = fmt::format("node {} {} {} -> {}", OpName(node.op), text::Quoted(node.name),
                                 TensorsText(node.inputs), TensorsText(node.outputs));
  if (!node.intermediates.empty()) line += " state=" + TensorsText(node.intermediates);
  if (node.version != 1) line += fmt::format(" version={}", node.version);
  return line + AttrsText(node.attrs);
}

}  // namespace

std::string PrintGraph(const Graph& graph, const PrintOptions& options) {
  std::string out = "dlpu-graph 1\n";
  const auto add = [&](const std::string& line) { out += line + "\n"; };
  if (!graph.name.empty()) add("name " + text::Quoted(graph.name));
  if (!graph.description.empty()) add("description " + text::Quoted(graph.description));
  for (size_t i = 0; i < graph.tensors.size(); ++i) {
    add(TensorLine(graph.tensors[i], i, options));
  }
  for (const Node& node : graph.nodes) add(NodeLine(node));
  add("inputs " + TensorsText(graph.inputs));
  add("outputs " + TensorsText(graph.outputs));
  if (!graph.signature.empty() || !graph.signature_inputs.empty() ||
      !graph.signature_outputs.empty()) {
    add(fmt::format("signature {} inputs={} outputs={}", text::Quoted(graph.signature),
                    ListText(graph.signature_inputs, text::Quoted),
                    ListText(graph.signature_outputs, text::Quoted)));
  }
  for (const auto& [name, bytes] : graph.metadata) {
    add("metadata " + text::Quoted(name) + " " + BytesText(bytes));
  }
  return out;
}

}  // namespace dlpu
