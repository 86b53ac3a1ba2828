// SPDX-License-Identifier: Apache-2.0
// ParseGraph: one function for each kind of line.
#include <fmt/format.h>

#include <limits>
#include <string>

#include "ir/text.h"
#include "ir/text_words.h"

namespace dlpu {
namespace {

using text::LineReader;

constexpr int32_t kLowest32 = std::numeric_limits<int32_t>::min();
constexpr int32_t kHighest32 = std::numeric_limits<int32_t>::max();

// An attribute's value from text, by its type.
Status ReadValue(LineReader& line, bool& value) {
  DLPU_TRY(const std::string_view word, line.Word("true or false"));
  if (word != "true" && word != "false") return line.Wrong("expected true or false");
  value = word == "true";
  return OkStatus();
}
Status ReadValue(LineReader& line, int32_t& value) {
  DLPU_TRY(const int64_t wide, line.Integer("a value", kLowest32, kHighest32));
  value = static_cast<int32_t>(wide);
  return OkStatus();
}
Status ReadValue(LineReader& line, float& value) {
  DLPU_TRY(value, line.Float("a value"));
  return OkStatus();
}
template <typename T, typename FromWord>
Status ReadWord(LineReader& line, std::string_view what, const FromWord& from, T& value) {
  DLPU_TRY(const std::string_view word, line.Word(what));
  const auto known = from(word);
  if (!known) return line.Wrong(fmt::format("'{}' is not {}", word, what));
  value = *known;
  return OkStatus();
}
Status ReadValue(LineReader& line, Padding& value) {
  return ReadWord(line, "a padding", text::PaddingFrom, value);
}
Status ReadValue(LineReader& line, Activation& value) {
  return ReadWord(line, "an activation", text::ActivationFrom, value);
}
Status ReadValue(LineReader& line, DataType& value) {
  return ReadWord(line, "a data type", DataTypeFromName, value);
}
Status ReadValue(LineReader& line, std::string& value) {
  DLPU_TRY(value, line.String("a value"));
  return OkStatus();
}
Status ReadValue(LineReader& line, std::vector<int32_t>& value) {
  DLPU_TRY(value, line.List<int32_t>("a value", [&](std::string_view what) -> Result<int32_t> {
    DLPU_TRY(const int64_t wide, line.Integer(what, kLowest32, kHighest32));
    return static_cast<int32_t>(wide);
  }));
  return OkStatus();
}

// Sets the attribute of that name.
Status ReadAttr(LineReader& line, std::string_view name, std::string_view op, Attrs& attrs) {
  bool known = false;
  Status status;
  std::visit(
      [&](auto& a) {
        a.Visit([&](const char* field, auto& value) {
          if (known || name != field) return;
          known = true;
          status = ReadValue(line, value);
        });
      },
      attrs);
  if (!known) return line.Wrong(fmt::format("{} has no attribute '{}'", op, name));
  return status;
}

Status ReadTensor(LineReader& line, Graph& graph) {
  DLPU_RETURN_IF_ERROR(line.Expect(fmt::format("%{} ", graph.tensors.size())));
  Tensor tensor;
  DLPU_TRY(tensor.name, line.String("the tensor's name"));
  DLPU_RETURN_IF_ERROR(ReadValue(line, tensor.type));
  DLPU_TRY(tensor.shape, line.ReadShape());
  while (!line.AtEnd()) {
    if (line.Take("scale=")) {
      DLPU_TRY(tensor.quantization.scale, line.List<float>("a scale", [&](std::string_view what) {
        return line.Float(what);
      }));
    } else if (line.Take("zero=")) {
      DLPU_TRY(tensor.quantization.zero_point,
               line.List<int64_t>("a zero point", [&](std::string_view what) {
                 return line.Integer(what, std::numeric_limits<int64_t>::min(),
                                     std::numeric_limits<int64_t>::max());
               }));
    } else if (line.Take("axis=")) {
      DLPU_RETURN_IF_ERROR(ReadValue(line, tensor.quantization.axis));
    } else if (line.Take("variable")) {
      tensor.is_variable = true;
    } else if (line.Take("const=")) {
      DLPU_TRY(tensor.data, line.ReadBytes());
      tensor.is_constant = true;
    } else {
      return line.Wrong("expected scale=, zero=, axis=, variable or const=");
    }
  }
  graph.tensors.push_back(std::move(tensor));
  return OkStatus();
}

Status ReadNode(LineReader& line, Graph& graph) {
  const size_t count = graph.tensors.size();
  Node node;
  DLPU_TRY(const std::string_view op, line.Word("the name of an op"));
  node.op = OpFromName(op);
  if (node.op == Op::kUnknown && op != OpName(Op::kUnknown)) {
    return line.Wrong(fmt::format("there is no op '{}'", op));
  }
  node.attrs = DefaultAttrs(node.op);
  DLPU_TRY(node.name, line.String("the node's name"));
  DLPU_TRY(node.inputs, line.ReadTensors(count, true));
  DLPU_RETURN_IF_ERROR(line.Expect("->"));
  DLPU_TRY(node.outputs, line.ReadTensors(count, false));
  if (line.Take("state=")) {
    DLPU_TRY(node.intermediates, line.ReadTensors(count, true));
  }
  if (line.Take("version=")) DLPU_RETURN_IF_ERROR(ReadValue(line, node.version));
  if (line.Take("{")) {
    while (!line.Take("}")) {
      DLPU_TRY(const std::string_view name, line.Word("an attribute or '}'"));
      DLPU_RETURN_IF_ERROR(line.Expect("="));
      DLPU_RETURN_IF_ERROR(ReadAttr(line, name, op, node.attrs));
    }
  }
  graph.nodes.push_back(std::move(node));
  return OkStatus();
}

Status ReadSignature(LineReader& line, Graph& graph) {
  const auto names = [&] {
    return line.List<std::string>("a name",
                                  [&](std::string_view what) { return line.String(what); });
  };
  DLPU_TRY(graph.signature, line.String("the signature's name"));
  DLPU_RETURN_IF_ERROR(line.Expect("inputs="));
  DLPU_TRY(graph.signature_inputs, names());
  DLPU_RETURN_IF_ERROR(line.Expect("outputs="));
  DLPU_TRY(graph.signature_outputs, names());
  return OkStatus();
}

Status ReadLine(LineReader& line, Graph& graph) {
  DLPU_TRY(const std::string_view kind, line.Word("tensor, node, inputs or outputs"));
  if (kind == "tensor") return ReadTensor(line, graph);
  if (kind == "node") return ReadNode(line, graph);
  if (kind == "signature") return ReadSignature(line, graph);
  if (kind == "inputs") {
    DLPU_TRY(graph.inputs, line.ReadTensors(graph.tensors.size(), false));
  } else if (kind == "outputs") {
    DLPU_TRY(graph.outputs, line.ReadTensors(graph.tensors.size(), false));
  } else if (kind == "name") {
    DLPU_TRY(graph.name, line.String("the graph's name"));
  } else if (kind == "description") {
    DLPU_TRY(graph.description, line.String("the description"));
  } else if (kind == "metadata") {
    DLPU_TRY(const std::string name, line.String("the metadata's name"));
    DLPU_TRY(graph.metadata[name], line.ReadBytes());
  } else {
    return line.Wrong(fmt::format("'{}' is not the beginning of a line", kind));
  }
  return OkStatus();
}

}  // namespace

Result<Graph> ParseGraph(std::string_view text) {
  Graph graph;
  bool had_header = false;
  for (int number = 1; !text.empty(); ++number) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view content = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (content.ends_with('\r')) content.remove_suffix(1);
    LineReader line(content, number);
    if (line.AtEnd() || line.Take("#")) continue;
    if (!had_header) {
      if (!line.Take("dlpu-graph 1")) return line.Wrong("expected 'dlpu-graph 1'");
      had_header = true;
    } else {
      DLPU_RETURN_IF_ERROR(ReadLine(line, graph));
    }
    if (!line.AtEnd()) return line.Wrong("expected the end of the line");
  }
  if (!had_header) return InvalidError("the text is empty; a graph begins with 'dlpu-graph 1'");
  return graph;
}

}  // namespace dlpu
