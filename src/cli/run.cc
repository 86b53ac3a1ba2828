// SPDX-License-Identifier: Apache-2.0
// dlpu run: computes a model's outputs.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "app/interpret.h"
#include "app/refusal.h"
#include "app/tensor_input.h"
#include "app/winograd_bound.h"
#include "base/file.h"
#include "base/sha256.h"
#include "cli/command.h"
#include "formats/npy.h"
#include "report/inspect.h"
#include "report/table.h"
#include "target/target.h"

namespace dlpu {
namespace {

struct Arguments {
  ModelArguments model;
  InputOptions inputs;
  std::string output_dir, json, task, draw, labels;
  bool steps = false, winograd_bound = false;
};

// A tensor's name with everything but letters, digits, '.', '-' and '_' replaced, at most 100 long.
std::string SanitisedName(const std::string& name) {
  std::string clean;
  for (const char c : name.substr(0, 100)) {
    const bool keep = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '.' || c == '-' || c == '_';
    clean += keep ? c : '_';
  }
  return clean.empty() ? "output" : clean;
}

Status WriteOutputs(const Runner& runner, const std::string& folder) {
  DLPU_RETURN_IF_ERROR(MakeDirectory(folder));
  for (size_t i = 0; i < runner.output_count(); ++i) {
    const Tensor& tensor = runner.output_tensor(i);
    const std::string path = fmt::format("{}/{}_{}.npy", folder, i, SanitisedName(tensor.name));
    DLPU_RETURN_IF_ERROR(WriteFile(path, WriteNpy(tensor.type, tensor.shape, runner.output(i))));
  }
  return OkStatus();
}

// What the outputs mean, in lines; draws it when asked to.
Result<std::vector<std::string>> Interpreted(const Arguments& arguments, const Runner& runner,
                                             const LoadedModel& model,
                                             std::vector<FilledInput>& inputs) {
  const auto picture = std::find_if(inputs.begin(), inputs.end(),
                                    [](const FilledInput& input) { return input.is_picture; });
  if (!arguments.draw.empty() && picture == inputs.end()) {
    return InvalidError("--draw: needs a picture as --input");
  }
  DLPU_TRY(const Head head, FindHead(runner, arguments.task));
  if (picture == inputs.end()) {
    // Without a picture only classes have a meaning.
    if (head.kind != HeadKind::kClassify) return std::vector<std::string>();
    DLPU_TRY(const Interpretation result, InterpretOutputs(runner, model, head, {}));
    return InterpretationLines(result, model.labels, 1, 1);
  }
  DLPU_TRY(const Interpretation result, InterpretOutputs(runner, model, head, picture->placement));
  if (!arguments.draw.empty()) {
    DrawInterpretation(picture->picture, result);
    DLPU_RETURN_IF_ERROR(WritePng(arguments.draw, picture->picture));
  }
  return InterpretationLines(result, model.labels, picture->picture.width, picture->picture.height);
}

// Whose arithmetic this is, and how sure that is.
void AddTarget(const Runner& runner, std::string& text, nlohmann::ordered_json& json) {
  const Result<Target> target = FindTarget(runner.program().target);
  if (!target.ok()) return;
  const TargetArithmetic& arithmetic = target->arithmetic;
  text += fmt::format("{}: arithmetic {} ({}): {}\n", target->title,
                      ProfileName(runner.program().profile),
                      ConfidenceName(arithmetic.fact.confidence), arithmetic.says);
  json["arithmetic"] = {{"profile", ProfileName(runner.program().profile)},
                        {"confidence", ConfidenceName(arithmetic.fact.confidence)},
                        {"says", arithmetic.says},
                        {"source", arithmetic.fact.source}};
}

// Where each step ran.
void AddSteps(const Runner& runner, std::string& text, nlohmann::ordered_json& json) {
  Table table({">step", "engine", ">part", "arithmetic", "op", "kernel", "layer"});
  json["steps"] = nlohmann::ordered_json::array();
  for (size_t i = 0; i < runner.program().steps.size(); ++i) {
    const Step& step = runner.program().steps[i];
    table.AddRow({std::to_string(i), std::string(EngineName(step.engine)),
                  std::to_string(step.part), std::string(ProfileName(step.profile)),
                  NodeOpName(step.node), runner.row(i), step.node.name});
    json["steps"].push_back({{"op", NodeOpName(step.node)},
                             {"name", step.node.name},
                             {"engine", EngineName(step.engine)},
                             {"part", step.part},
                             {"profile", ProfileName(step.profile)}});
  }
  text += table.Text();
}

// How far Winograd's method could move each layer's outputs.
Status AddWinogradBounds(const Runner& runner, const Program& program, std::string& text,
                         nlohmann::ordered_json& json) {
  const Result<Target> target = FindTarget(runner.program().target);
  if (!target.ok() || target->arithmetic.winograd.empty()) {
    return InvalidError("--winograd-bound: needs a --target that computes convolutions that way");
  }
  Table table({">step", ">worst codes", ">median channel", "layer"});
  json["winograd_bounds"] = nlohmann::ordered_json::array();
  for (const WinogradBound& bound : WinogradBounds(program)) {
    table.AddRow({std::to_string(bound.step), fmt::format("{}", bound.worst_codes),
                  fmt::format("{}", bound.median_codes), bound.name});
    json["winograd_bounds"].push_back({{"step", bound.step},
                                       {"name", bound.name},
                                       {"worst_codes", bound.worst_codes},
                                       {"median_channel_codes", bound.median_codes}});
  }
  if (table.rows() == 0) {
    text += fmt::format("Winograd: {}.\nThis model has none that could be.\n",
                        target->arithmetic.winograd);
    return OkStatus();
  }
  text += fmt::format(
      "Winograd: {}.\nIf it rounds transformed weights to whole steps (assumed) and is exact "
      "otherwise, a layer's outputs move by at most this many codes; what that does to later "
      "layers is not bounded:\n{}",
      target->arithmetic.winograd, table.Text());
  return OkStatus();
}

// The target's sentence when it would not load the model; else empty.
Result<std::string> TargetRefuses(const LoadedModel& model, const ModelOptions& options) {
  // What only the vendor's compiler makes runnable is an error of its own.
  if (options.target.empty() || model.program.has_value()) return std::string();
  DLPU_TRY(const Target target, FindTarget(options.target));
  DLPU_RETURN_IF_ERROR(RunnableHere(target, SummariseQuantization(model.graph).style));
  return RefusalOf(model, model.graph, target, "");
}

CommandResult Run(const Arguments& arguments) {
  DLPU_TRY(ModelOptions options, Parse(arguments.model));
  options.hashed = !arguments.json.empty();
  options.in_place = true;
  DLPU_TRY(LoadedModel model, LoadModel(options));
  if (!arguments.labels.empty()) {
    DLPU_TRY(model.labels, ReadLabels(arguments.labels));
  }
  DLPU_TRY(const std::string refusal, TargetRefuses(model, options));
  if (!refusal.empty()) {
    PrintNote(fmt::format("{} does not load {}: {}", options.target, model.path, refusal));
    return static_cast<int>(kExitNotLoadable);
  }
  DLPU_TRY(const std::unique_ptr<Runner> runner, LoadRunner(model, options));
  DLPU_TRY(std::vector<FilledInput> inputs, FillInputs(*runner, model, arguments.inputs));
  DLPU_RETURN_IF_ERROR(runner->Run());
  nlohmann::ordered_json json = {{"schema_version", kJsonSchemaVersion},
                                 {"model", model.path},
                                 {"sha256", model.sha256},
                                 {"target", runner->program().target},
                                 {"profile", ProfileName(runner->program().profile)},
                                 {"threads", runner->threads()},
                                 {"inputs", nlohmann::ordered_json::array()},
                                 {"outputs", nlohmann::ordered_json::array()}};
  std::string text;
  AddTarget(*runner, text, json);
  if (arguments.steps) AddSteps(*runner, text, json);
  if (arguments.winograd_bound) {
    // The runner has packed its weights; the bound wants them as they were.
    DLPU_TRY(const Program program, CompileModel(model, options));
    DLPU_RETURN_IF_ERROR(AddWinogradBounds(*runner, program, text, json));
  }
  for (const FilledInput& input : inputs) {
    json["inputs"].push_back({{"name", input.name}, {"source", input.source}});
    if (!input.note.empty()) PrintNote(fmt::format("input '{}': {}", input.name, input.note));
    if (input.source == "zeros") PrintNote(fmt::format("input '{}': all zeros", input.name));
  }
  for (size_t i = 0; i < runner->output_count(); ++i) {
    const Tensor& tensor = runner->output_tensor(i);
    nlohmann::ordered_json row = TensorJson(tensor);
    row["sha256"] = Sha256Hex(runner->output(i));
    text +=
        fmt::format("output {}  {}  {} {}  sha256 {}\n", i, tensor.name, DataTypeName(tensor.type),
                    ShapeText(tensor.shape), row["sha256"].get<std::string>());
    json["outputs"].push_back(std::move(row));
  }
  if (!arguments.output_dir.empty()) {
    DLPU_RETURN_IF_ERROR(WriteOutputs(*runner, arguments.output_dir));
  }
  DLPU_TRY(const std::vector<std::string> found, Interpreted(arguments, *runner, model, inputs));
  for (const std::string& line : found) text += "  " + line + "\n";
  json["found"] = found;
  PrintText(arguments.json, text);
  DLPU_RETURN_IF_ERROR(WriteJson(arguments.json, json));
  return static_cast<int>(kExitOk);
}

}  // namespace

void AddRunCommand(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  Command command(app, "run", "Run a model on files or a picture",
                  [arguments] { return Run(*arguments); });
  AddModelOptions(command, &arguments->model);
  AddTargetOption(command, &arguments->model);
  command.Flag("--steps", &arguments->steps, "One line for each step: engine, part, arithmetic");
  command.Flag("--winograd-bound", &arguments->winograd_bound,
               "How far Winograd's method could move the outputs of each 3x3 convolution");
  command.Option("--input", "[NAME=]FILE", &arguments->inputs.files,
                 "A .npy, raw or picture file for each input, in order or by name");
  AddPictureOptions(command, &arguments->inputs);
  command.Option("--output-dir", "DIR", &arguments->output_dir,
                 "Write each output as <position>_<name>.npy");
  command.Option("--task", "TASK", &arguments->task,
                 "What the outputs mean: auto (default), classify, detect, segment, pose, none");
  command.Option("--labels", "FILE", &arguments->labels, "Names of the classes, one a line");
  command.Option("--draw", "OUT.png", &arguments->draw, "Write the picture with what was found");
  command.Json(&arguments->json);
}

}  // namespace dlpu
