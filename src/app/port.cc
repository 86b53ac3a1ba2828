// SPDX-License-Identifier: Apache-2.0
// Judging a model for every target and running it once.
#include "app/port.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/sha256.h"
#include "ir/quantization_style.h"
#include "run/bench.h"
#include "target/node_values.h"

namespace dlpu {
namespace {

std::string TakesText(const Target& target) {
  std::string formats;
  for (const std::string& format : target.formats) {
    formats += (formats.empty() ? "." : " or .") + format;
  }
  std::string text = formats;
  if (target.quantization.need == "int8") {
    text = "int8 " + formats;
    if (target.quantization.weights == "per-tensor") text = "int8 per-tensor " + formats;
  }
  if (target.compiler.has_value()) text += " through " + target.compiler->name;
  return text;
}

std::string SchemeOf(const Target& target) {
  return target.quantization.weights == "per-tensor" ? "int8 per-tensor" : "int8 per-channel";
}

void AddFinding(PortRow& row, PortFinding finding) {
  for (PortFinding& known : row.findings) {
    if (known.op == finding.op && known.message == finding.message) {
      ++known.nodes;
      return;
    }
  }
  row.findings.push_back(std::move(finding));
}

// Where each node ends up, by the target's op table.
void CountNodes(const Graph& graph, const Target& target, PortRow& row) {
  bool prefix_ended = false;
  for (const Node& node : graph.nodes) {
    const std::string op = NodeOpName(node);
    const Support support = SupportOf(target, op, NodeValues(graph, node));
    Support::Where where = support.where;
    if (where == Support::Where::kCpu) prefix_ended = true;
    if (where == Support::Where::kDlpu && prefix_ended && target.partition.order == "prefix") {
      where = Support::Where::kCpu;
    }
    row.dlpu_ops += where == Support::Where::kDlpu;
    row.cpu_ops += where == Support::Where::kCpu || where == Support::Where::kRefused;
    row.unknown_ops += where == Support::Where::kUnknown;
    for (const Support::Finding& found : support.findings) {
      const Condition& condition = *found.condition;
      AddFinding(
          row, {node.name, op, std::string(EffectName(condition.effect)),
                found.found.empty() ? condition.says
                                    : fmt::format("{}; found {}", condition.says, found.found),
                condition.fact.source, std::string(ConfidenceName(condition.fact.confidence)), 1});
    }
    if (support.where == Support::Where::kCpu && support.findings.empty()) {
      AddFinding(row, {node.name, op, "cpu",
                       fmt::format("{} is not in the list of ops that {} runs", op, target.title),
                       target.quantization.fact.source,
                       std::string(ConfidenceName(target.quantization.fact.confidence)), 1});
    }
  }
}

void JudgeQuantization(const QuantizationSummary& summary, const Target& target, PortRow& row) {
  if (target.quantization.need != "int8") return;
  if (!IsFullInteger8(summary)) {
    row.quantize = SchemeOf(target);
    row.needs = fmt::format("quantize to {}", row.quantize);
    row.verdict = PortVerdict::kPrepare;
  } else if (target.quantization.weights == "per-tensor" &&
             summary.style == QuantizationStyle::kInt8PerChannel) {
    row.quantize = SchemeOf(target);
    row.needs = "better: quantize per-tensor; per-channel weights run slowly there";
  }
}

}  // namespace

std::string_view PortVerdictName(PortVerdict verdict) {
  switch (verdict) {
    case PortVerdict::kRuns:
      return "runs";
    case PortVerdict::kRunsWithFallback:
      return "runs_with_fallback";
    case PortVerdict::kPrepare:
      return "needs_preparation";
    case PortVerdict::kRefused:
      return "refused";
  }
  return "refused";
}

PortRow JudgeTarget(const Graph& graph, const Target& target) {
  PortRow row;
  row.target = target.name;
  row.title = target.title;
  row.device = target.device;
  row.takes = TakesText(target);
  CountNodes(graph, target, row);
  const QuantizationSummary summary = SummariseQuantization(graph);
  if (row.cpu_ops > 0) row.verdict = PortVerdict::kRunsWithFallback;
  const bool takes_tflite =
      std::find(target.formats.begin(), target.formats.end(), "tflite") != target.formats.end();
  if (!takes_tflite) {
    row.verdict = PortVerdict::kPrepare;
    row.needs = "bring the float model as .onnx";
    return row;
  }
  JudgeQuantization(summary, target, row);
  if (target.quantization.need == "compiler" && IsFullInteger8(summary)) {
    row.verdict = PortVerdict::kPrepare;
    row.needs = "bring the float model: the vendor's compiler quantizes";
  }
  if (target.compiler.has_value() && row.verdict != PortVerdict::kPrepare) {
    row.verdict = PortVerdict::kPrepare;
    row.needs = fmt::format("compile with {}", target.compiler->name);
  } else if (target.compiler.has_value() && !row.needs.empty()) {
    row.needs += fmt::format(", then compile with {}", target.compiler->name);
  }
  if (row.cpu_ops > 0 && target.partition.rest == "refuse") {
    row.verdict = PortVerdict::kRefused;
    row.needs = "every op must run on the DLPU";
  }
  return row;
}

Result<PortReport> Port(const LoadedModel& model, const std::vector<Target>& targets,
                        const PortOptions& options) {
  PortReport report;
  report.quantization = QuantizationText(SummariseQuantization(model.graph));
  for (const Target& target : targets) report.rows.push_back(JudgeTarget(model.graph, target));

  auto loaded = LoadRunner(model, options.model);
  if (!loaded.ok()) {
    report.run_error = loaded.error().message;
    return report;
  }
  Runner& runner = **loaded;
  PortRun run;
  run.threads = runner.threads();
  run.input = "random values";
  std::vector<FilledInput> inputs;
  if (!options.input.files.empty()) {
    DLPU_TRY(inputs, FillInputs(runner, model, options.input));
    run.input = inputs.empty() ? "" : inputs[0].source;
  } else {
    FillRandom(runner, 1);
  }
  DLPU_RETURN_IF_ERROR(runner.Run());
  for (size_t i = 0; i < runner.output_count(); ++i) {
    run.output_sha256.push_back(Sha256Hex(runner.output(i)));
  }
  if (!inputs.empty() && inputs[0].is_picture) {
    run.is_picture = true;
    DLPU_TRY(const Head head, FindHead(runner, ""));
    DLPU_TRY(run.found, InterpretOutputs(runner, model, head, inputs[0].placement));
    run.summary = InterpretationSummary(run.found, model.labels);
    run.lines = InterpretationLines(run.found, model.labels, inputs[0].picture.width,
                                    inputs[0].picture.height);
    if (!options.draw.empty()) {
      DrawInterpretation(inputs[0].picture, run.found);
      DLPU_RETURN_IF_ERROR(WritePng(options.draw, inputs[0].picture));
    }
  }
  DLPU_TRY(const BenchResult timed, Bench(runner, {.max_seconds = options.seconds}));
  run.median_ms = timed.Quantile(0.5);
  report.run = std::move(run);
  return report;
}

}  // namespace dlpu
