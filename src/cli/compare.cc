// SPDX-License-Identifier: Apache-2.0
// dlpu compare: where two computations of one network part.
#include "app/compare.h"

#include <fmt/format.h>

#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "app/compare_dump.h"
#include "app/known_answers.h"
#include "cli/choose_targets.h"
#include "cli/command.h"
#include "report/inspect.h"

namespace dlpu {
namespace {

struct Arguments {
  std::string a, b, of, json, profile, other_profile, cut_at, input_name;
  std::vector<std::string> shapes;
  CompareOptions options;
  bool inputs = false, keep_nchw = false, portable = false;
  int layers = 20;
  double min_sqnr = NAN;
};

Result<ModelOptions> Options(const Arguments& arguments, const std::string& profile) {
  ModelOptions options;
  DLPU_TRY(options.shapes, ParseShapes(arguments.shapes));
  options.cut_at = arguments.cut_at;
  options.profile = profile;
  options.threads = arguments.options.threads;
  options.keep_nchw = arguments.keep_nchw;
  options.portable = arguments.portable;
  return options;
}

Status Write(const Arguments& arguments, const std::string& text, nlohmann::ordered_json json) {
  nlohmann::ordered_json document = {{"schema_version", kJsonSchemaVersion}};
  document.update(json);
  PrintText(arguments.json, text);
  return WriteJson(arguments.json, document);
}

CommandResult RunPack(const Arguments& arguments) {
  DLPU_TRY(const JudgedPack judged, JudgePack(arguments.a, arguments.b));
  DLPU_RETURN_IF_ERROR(Write(arguments, JudgedText(judged), JudgedJson(judged)));
  return static_cast<int>(judged.passed() ? kExitOk : kExitGate);
}

CommandResult RunInputs(const Arguments& arguments) {
  if (arguments.of.empty()) {
    return InvalidError("--inputs: name the model whose input it is with --of");
  }
  DLPU_TRY(const ModelOptions options, Options(arguments, ""));
  DLPU_TRY(const CompareSide of, LoadCompareSide(arguments.of, options));
  DLPU_TRY(
      const InputComparison comparison,
      CompareInputs(of, arguments.a, arguments.b, arguments.input_name, arguments.options.input));
  DLPU_RETURN_IF_ERROR(
      Write(arguments, CompareInputsText(comparison), CompareInputsJson(comparison)));
  return static_cast<int>(kExitOk);
}

// The outputs' worst SQNR is below the gate.
bool BelowGate(const CompareReport& report, double gate) {
  if (std::isnan(gate)) return false;
  for (const ComparedOutput& output : report.outputs) {
    if (!(output.stats.sqnr_db() >= gate)) return true;
  }
  return report.outputs.empty();
}

CommandResult Run(Arguments& arguments) {
  if (arguments.inputs) return RunInputs(arguments);
  if (IsPack(arguments.a)) return RunPack(arguments);
  std::optional<CompareSide> a, b, of;
  OutputsSide first{arguments.a, nullptr, arguments.a}, second{arguments.b, nullptr, arguments.b};
  if (!LooksLikeDump(arguments.a)) {
    DLPU_TRY(const ModelOptions options, Options(arguments, arguments.profile));
    DLPU_TRY(a, LoadCompareSide(arguments.a, options));
    first.model = &*a;
  }
  if (!LooksLikeDump(arguments.b)) {
    const std::string& profile =
        arguments.other_profile.empty() ? arguments.profile : arguments.other_profile;
    DLPU_TRY(const ModelOptions options, Options(arguments, profile));
    DLPU_TRY(b, LoadCompareSide(arguments.b, options));
    second.model = &*b;
  }
  if (!arguments.of.empty()) {
    DLPU_TRY(const ModelOptions options, Options(arguments, arguments.profile));
    DLPU_TRY(of, LoadCompareSide(arguments.of, options));
  }
  CompareReport report;
  if (a.has_value() && b.has_value()) {
    DLPU_TRY(report, Compare(*a, *b, arguments.options));
  } else {
    DLPU_TRY(report,
             CompareOutputs(first, second, of.has_value() ? &*of : nullptr, arguments.options));
  }
  DLPU_RETURN_IF_ERROR(
      Write(arguments, CompareText(report, arguments.layers), CompareJson(report)));
  if (BelowGate(report, arguments.min_sqnr)) {
    PrintNote(fmt::format("an output is below --min-sqnr {}", arguments.min_sqnr));
    return static_cast<int>(kExitGate);
  }
  return static_cast<int>(kExitOk);
}

}  // namespace

void AddCompareCommand(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  Command command(app, "compare", "Compare two computations of one network layer by layer",
                  [arguments] { return Run(*arguments); });
  command.Positional(
      "A", &arguments->a,
      "The reference: MODEL, MODEL@TARGET, outputs a camera wrote, or a known-answer "
      "pack");
  command.Positional("B", &arguments->b, "What is compared with it; of a pack, its results");
  command.Option("--input", "[NAME=]FILE", &arguments->options.input.files,
                 "A picture, .npy or raw file for each input of one sample");
  command.Option("--sample", "FILE", &arguments->options.samples,
                 "A picture, .npy or raw file that is a sample of its own; may be repeated");
  command.Option("--noise", "N", &arguments->options.noise, 1, 1000,
                 "Samples of noise when there are no files (default: 1)");
  command.Option("--layers", "N", &arguments->layers, 1, 100000, "Layers to list (default: 20)");
  command.Flag("--equalized", &arguments->options.equalized,
               "B's channels were scaled: undo the factor of each");
  command.Option("--min-sqnr", "DB", &arguments->min_sqnr, -1000, 1000,
                 "Exit with 4 when an output is below it");
  command.Flag("--inputs", &arguments->inputs,
               "A is a picture or the right input tensor, B an application's: say why they differ");
  command.Option("--of", "MODEL", &arguments->of,
                 "The model that dumps or input tensors belong to");
  command.Option("--input-name", "NAME", &arguments->input_name, "With --inputs: which input");
  AddPictureOptions(command, &arguments->options.input);
  command.Option("--profile", "NAME", &arguments->profile,
                 "Integer arithmetic: tflite-reference, tflite-builtin, xnnpack", IsProfile);
  command.Option("--other-profile", "NAME", &arguments->other_profile, "The same for B alone",
                 IsProfile);
  command.Option("--shape", "NAME=1,300,300,3", &arguments->shapes, "Shape of an open input");
  command.Option("--cut-at", "LAYER", &arguments->cut_at,
                 "Leave out this op or layer and the rest");
  command.Flag("--keep-layout", &arguments->keep_nchw, "Inputs of .onnx models stay NCHW");
  command.Flag("--portable", &arguments->portable,
               "Float layers give the same bits on every CPU; slower (integer layers do anyway)");
  command.Option("--threads", "N", &arguments->options.threads, 0, 1024,
                 "Threads (default: one for each core)");
  command.Json(&arguments->json);
}

}  // namespace dlpu
