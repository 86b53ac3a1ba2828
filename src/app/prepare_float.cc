// SPDX-License-Identifier: Apache-2.0
// Preparing a model for quantization.
#include "app/prepare_float.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "ir/quantization_style.h"
#include "ir/verify.h"
#include "passes/compile.h"
#include "passes/quantize.h"
#include "passes/rewrite.h"
#include "passes/tidy.h"

namespace dlpu {
namespace {

Status ExpectFinite(const Graph& graph) {
  for (const Tensor& tensor : graph.tensors) {
    if (!tensor.is_constant || tensor.type != DataType::kFloat32) continue;
    for (size_t i = 0; i < tensor.data.size() / sizeof(float); ++i) {
      float value = 0;
      std::memcpy(&value, tensor.data.data() + i * sizeof(float), sizeof(float));
      if (std::isfinite(value)) continue;
      return InvalidError(
          fmt::format("constant '{}': element {} is {}; no code stands for it, the model has to be "
                      "trained or exported again",
                      tensor.name, i, value));
    }
  }
  return OkStatus();
}

void AddNotes(const Rewrites& rewrites, FloatGraph& result) {
  for (const Rewrite& done : rewrites.done) {
    if (std::ranges::find(result.notes, done.what) == result.notes.end()) {
      result.notes.push_back(done.what);
    }
  }
}

}  // namespace

Result<FloatGraph> PrepareFloat(const LoadedModel& model, const std::string& cut_at,
                                const std::map<std::string, Shape>& shapes, bool from_channels) {
  if (model.program.has_value()) {
    return InvalidError(
        fmt::format("{}: is compiled; quantize the model it was made from (sha256 {})", model.path,
                    model.program->source_sha256));
  }
  FloatGraph result;
  Graph& graph = result.graph;
  graph = model.graph;
  DLPU_RETURN_IF_ERROR(Verify(graph));
  if (!cut_at.empty()) DLPU_RETURN_IF_ERROR(CutAt(graph, cut_at));
  DLPU_RETURN_IF_ERROR(FixShapes(graph, shapes));
  DLPU_RETURN_IF_ERROR(InferAndFold(graph, Profile::kTfliteReference));
  RemoveDead(graph);
  const QuantizationSummary summary = SummariseQuantization(graph);
  if (from_channels && summary.style == QuantizationStyle::kInt8PerChannel) {
    DLPU_TRY(Dequantized real, DequantizeGraph(graph));
    graph = std::move(real.graph);
    for (size_t t = 0; t < graph.tensors.size(); ++t) {
      if (real.ranges[t]) result.code_ranges[graph.tensors[t].name] = *real.ranges[t];
    }
    result.notes.push_back(
        "brought back from int8 per-channel: what its codes rounded off is lost");
    DLPU_RETURN_IF_ERROR(InferAndFold(graph, Profile::kTfliteReference));
    RemoveDead(graph);
  } else if (summary.integer_layers > 0) {
    return UnsupportedError(
        fmt::format("{}: is quantized already ({}); where that is what the target takes (dlpu port "
                    "says) use it as it is, else quantize the float model it was made from",
                    model.path, QuantizationText(summary)));
  } else {
    result.original = graph;
  }
  AddNotes(StandardizeOps(graph), result);
  DLPU_RETURN_IF_ERROR(Tidy(graph));
  AddNotes(MultiplyByInverses(graph), result);
  AddNotes(FoldPads(graph), result);
  AddNotes(FoldTransposes(graph), result);
  AddNotes(FoldReshapes(graph), result);
  DropUnused(graph);
  DLPU_RETURN_IF_ERROR(ExpectFinite(graph));
  DLPU_RETURN_IF_ERROR(Verify(graph));
  return result;
}

}  // namespace dlpu
