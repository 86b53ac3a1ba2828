// SPDX-License-Identifier: Apache-2.0
// Conversion between file formats.
#include "app/convert.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/file.h"
#include "formats/onnx.h"
#include "formats/tflite.h"
#include "passes/compile.h"
#include "passes/layout.h"
#include "passes/rewrite.h"

namespace dlpu {
namespace {

bool EndsWith(const std::string& text, std::string_view end) {
  return text.size() > end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

std::string Names(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "'" : ", '") + name + "'";
  return text;
}

// The graph as it is written: cut and with static shapes.
Result<Graph> Prepared(const LoadedModel& model, const ModelOptions& options) {
  Graph graph = model.graph;
  if (!options.cut_at.empty()) DLPU_RETURN_IF_ERROR(CutAt(graph, options.cut_at));
  DLPU_RETURN_IF_ERROR(FixShapes(graph, options.shapes));
  DLPU_RETURN_IF_ERROR(InferAndFold(graph, Profile::kTfliteReference));
  RemoveDead(graph);
  DropUnusedTensors(graph);
  return graph;
}

}  // namespace

Result<Conversion> Convert(const LoadedModel& model, const ModelOptions& options,
                           const std::string& output) {
  const bool tflite = EndsWith(output, ".tflite");
  if (!tflite && !EndsWith(output, ".onnx")) {
    return InvalidError(fmt::format("-o {}: give a name that ends in .tflite or .onnx", output));
  }
  DLPU_TRY(Graph graph, Prepared(model, options));
  Conversion result;
  if (tflite) {
    for (const Rewrite& done : StandardizeOps(graph).done) {
      result.notes.push_back(fmt::format("'{}': {}", done.node, done.what));
    }
  }
  DLPU_TRY(const std::vector<uint8_t> bytes,
           tflite ? WriteTflite(graph) : WriteOnnx(graph, options.keep_nchw));
  DLPU_RETURN_IF_ERROR(WriteFile(output, bytes));
  result.bytes = static_cast<int64_t>(bytes.size());
  result.nodes = static_cast<int>(graph.nodes.size());
  result.transposes =
      static_cast<int>(std::count_if(graph.nodes.begin(), graph.nodes.end(),
                                     [](const Node& node) { return node.op == Op::kTranspose; }));
  result.between_convolutions = TransposesBetweenConvolutions(graph);
  if (!tflite) return result;
  if (model.imported_layout.has_value()) {
    result.turned_inputs = model.imported_layout->nhwc_inputs;
    result.turned_outputs = model.imported_layout->nhwc_outputs;
  }
  if (!result.turned_inputs.empty()) {
    result.notes.push_back("now NHWC instead of NCHW: input " + Names(result.turned_inputs));
  }
  if (!result.turned_outputs.empty()) {
    result.notes.push_back("now NHWC instead of NCHW: output " + Names(result.turned_outputs));
  }
  if (model.imported_layout.has_value() || result.transposes > 0) {
    result.notes.push_back(fmt::format("{} TRANSPOSE left, {} of them between convolutions",
                                       result.transposes, result.between_convolutions));
  }
  return result;
}

}  // namespace dlpu
