// SPDX-License-Identifier: Apache-2.0
// The first error of a check.
#include "app/refusal.h"

#include <fmt/format.h>

#include <algorithm>

#include "app/check.h"
#include "ir/quantization_style.h"

namespace dlpu {

Result<std::string> RefusalOf(const LoadedModel& model, const Graph& graph, const Target& target,
                              const std::string& os) {
  // What was read can be written as .tflite, and as .onnx when it is float; the file itself can be
  // handed on.
  const auto takes = [&](std::string_view format) {
    return std::ranges::find(target.formats, format) != target.formats.end();
  };
  // Nobody hands a camera dlpu's stand-in for what a vendor's compiler makes.
  const QuantizationSummary summary = SummariseQuantization(graph);
  const bool stands_in = summary.style == QuantizationStyle::kFixedPoint;
  const bool writable = takes("tflite") || (takes("onnx") && summary.integer_layers == 0);
  if (!writable && !takes(model.format) && !(stands_in && target.fixed_point)) {
    return fmt::format("{} takes .{} files, not .{}: bring the float model in that format",
                       target.title, target.formats[0], model.format);
  }
  if (target.quantization.need == "compiler" && IsFullInteger8(SummariseQuantization(graph))) {
    return fmt::format("bring the float model: {} quantizes it itself",
                       target.compiler ? target.compiler->name : "the vendor's compiler");
  }
  LoadedModel checked = model;
  checked.graph = graph;
  if (takes("tflite")) {
    checked.format = "tflite";
  } else if (writable) {
    checked.format = "onnx";
  }
  CheckOptions options;
  options.os = os;
  DLPU_TRY(const CheckReport report, Check(checked, target, options));
  if (report.verdict != CheckVerdict::kRefused) return std::string();
  for (const Finding& finding : report.findings) {
    if (finding.severity != Severity::kError) continue;
    return finding.camera_says.empty() ? finding.message : finding.camera_says;
  }
  return std::string("it is refused");
}

}  // namespace dlpu
