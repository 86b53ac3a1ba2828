// SPDX-License-Identifier: Apache-2.0
// Pass: static shapes for the inputs.
#include <fmt/format.h>

#include <algorithm>

#include "passes/compile.h"

namespace dlpu {
namespace {

std::string InputNames(const Graph& graph) {
  std::string names;
  for (const TensorId id : graph.inputs) {
    names += (names.empty() ? "'" : ", '") + graph.tensors[id].name + "'";
  }
  return names;
}

}  // namespace

Status FixShapes(Graph& graph, const std::map<std::string, Shape>& shapes) {
  for (const auto& [name, shape] : shapes) {
    bool found = false;
    for (size_t i = 0; i < graph.inputs.size(); ++i) {
      Tensor& tensor = graph.tensors[graph.inputs[i]];
      const bool is_signature_name =
          i < graph.signature_inputs.size() && graph.signature_inputs[i] == name;
      if (tensor.name != name && !is_signature_name) continue;
      if (shape.size() != tensor.shape.size() && !tensor.shape.empty()) {
        return InvalidError(fmt::format("--shape {}: {} has {} dimensions, the input has {}", name,
                                        ShapeText(shape), shape.size(), tensor.shape.size()));
      }
      tensor.shape = shape;
      found = true;
    }
    if (!found) {
      return NotFoundError(
          fmt::format("--shape {}: no such input; the model has {}", name, InputNames(graph)));
    }
  }
  for (const TensorId id : graph.inputs) {
    const Tensor& tensor = graph.tensors[id];
    if (std::find(tensor.shape.begin(), tensor.shape.end(), -1) != tensor.shape.end()) {
      return UnsupportedError(fmt::format(
          "input '{}' is dynamic ({}); a DLPU needs static shapes: give one with --shape {}=...",
          tensor.name, ShapeText(tensor.shape), tensor.name));
    }
  }
  return OkStatus();
}

}  // namespace dlpu
