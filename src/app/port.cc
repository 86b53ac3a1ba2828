// SPDX-License-Identifier: Apache-2.0
// Judging a model for every target and running it once.
#include "app/port.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/sha256.h"
#include "ir/quantization_style.h"
#include "run/bench.h"

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

// The time of the file where its ops run now; of one that must be quantized first, the time of the
// same layers on the DLPU.
void PredictTime(const LoadedModel& model, const Target& target, const PortOptions& options,
                 PortRow& row) {
  const Result<Program> program = ProgramToPrice(model, options.model, target);
  if (!program.ok()) {
    row.time_error = program.error().message;
    return;
  }
  PredictOptions predict;
  predict.product = options.product;
  predict.os = options.os;
  Result<Prediction> time = Predict(*program, target, predict);
  if (time.ok()) {
    row.time = std::move(*time);
  } else {
    row.time_error = time.error().message;
  }
}

}  // namespace

bool TakenAsItIs(const PortRow& row) {
  return row.verdict == PortVerdict::kRuns || row.verdict == PortVerdict::kRunsWithFallback;
}

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

Result<PortRow> JudgeTarget(const LoadedModel& model, const Target& target,
                            const PortOptions& options) {
  PortRow row;
  row.target = target.name;
  row.title = target.title;
  row.device = target.device;
  row.takes = TakesText(target);
  DLPU_TRY(row.check, Check(model, target, {.product = options.product, .os = options.os}));
  const QuantizationSummary summary = SummariseQuantization(model.graph);
  if (row.check.verdict == CheckVerdict::kRunsWithFallback) {
    row.verdict = PortVerdict::kRunsWithFallback;
  }
  if (target.fixed_point && summary.style == QuantizationStyle::kFixedPoint) {
    row.verdict = PortVerdict::kPrepare;
    row.needs = "bring the float model: these integers are dlpu's own";
    return row;
  }
  const bool takes_it = std::ranges::find(target.formats, model.format) != target.formats.end();
  if (!takes_it && model.format == "tflite") {
    row.verdict = PortVerdict::kPrepare;
    row.needs = summary.integer_layers > 0 ? "bring the float model as .onnx" : "convert to .onnx";
    if (target.compiler.has_value()) row.needs += ", then compile with " + target.compiler->name;
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
  if (!takes_it) {
    row.verdict = PortVerdict::kPrepare;
    row.needs = "convert to .tflite" + (row.needs.empty() ? "" : ", then " + row.needs);
  }
  // Refused for something that neither quantizing nor compiling mends.
  const bool only_compile =
      takes_it && target.quantization.need == "int8" && IsFullInteger8(summary);
  if (row.check.verdict == CheckVerdict::kRefused && (row.needs.empty() || only_compile)) {
    row.verdict = PortVerdict::kRefused;
    row.needs = "see the findings";
  }
  return row;
}

namespace {

// The model as a target wants it, made once for all that want the same; its name in the report.
Result<std::string> QuantizedFor(const Target& target, const LoadedModel& model,
                                 const PortOptions& options, Observations& shared,
                                 PortReport& report) {
  DLPU_TRY(QuantizeSettings settings, SettingsFor(target));
  std::string name(SchemeName(settings.scheme));
  if (const auto found = report.quantized.find(name); found != report.quantized.end()) {
    if (found->second.report.wide_below_db == settings.wide_below_db) return name;
    name += "-" + target.name;
  }
  settings.input = options.input;
  settings.input.files.clear();
  settings.cut_at = options.model.cut_at;
  settings.shapes = options.model.shapes;
  DLPU_TRY(const CalibrationSet set, FindCalibration(options.calibration, settings.most_pictures));
  QuantizeProgress progress;
  if (options.progress) {
    progress = [&](int done, int total, const std::string& what) {
      options.progress(done, total, name + ": " + what);
    };
  }
  DLPU_TRY(QuantizedModel made,
           MakeQuantizedModel(model, settings, set, options.model.threads, progress, &shared));
  report.quantized.emplace(name, std::move(made));
  return name;
}

// Whether the target's own integers are to be made up for a float model, whose file format does not
// count: the vendor's tool gets it as it wants it.
bool WantsFixedPoint(const LoadedModel& model, const Target& target, const PortRow& row) {
  const QuantizationSummary summary = SummariseQuantization(model.graph);
  return target.fixed_point && summary.integer_layers == 0 && row.verdict == PortVerdict::kPrepare;
}

// The row of a target: of the file as it is, or of what it becomes when it may be quantized.
Result<PortRow> MakeRow(const LoadedModel& model, const Target& target, const PortOptions& options,
                        Observations& shared, PortReport& report) {
  DLPU_TRY(PortRow row, JudgeTarget(model, target, options));
  if (!options.calibration.empty() && WantsFixedPoint(model, target, row)) {
    DLPU_TRY(row.fixed_point, QuantizedFor(target, model, options, shared, report));
  }
  if (options.calibration.empty() || row.quantize.empty()) {
    PredictTime(model, target, options, row);
    return row;
  }
  DLPU_TRY(const std::string scheme, QuantizedFor(target, model, options, shared, report));
  const QuantizedModel& quantized = report.quantized.at(scheme);
  PortOptions whole = options;  // what was cut off is not there any more
  whole.model.cut_at.clear();
  whole.model.shapes.clear();
  DLPU_TRY(row, JudgeTarget(quantized.model, target, whole));
  row.quantized = scheme;
  PredictTime(quantized.model, target, whole, row);
  return row;
}

}  // namespace

Result<PortReport> Port(const LoadedModel& model, const std::vector<Target>& targets,
                        const PortOptions& options) {
  PortReport report;
  report.quantization = QuantizationText(SummariseQuantization(model.graph));
  Observations shared;
  for (const Target& target : targets) {
    DLPU_TRY(PortRow row, MakeRow(model, target, options, shared, report));
    report.rows.push_back(std::move(row));
  }

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
