// SPDX-License-Identifier: Apache-2.0
// dlpu inspect: what a model is.
#include "report/inspect.h"

#include <memory>
#include <nlohmann/json.hpp>

#include "app/metadata_text.h"
#include "cli/command.h"
#include "ir/text.h"

namespace dlpu {
namespace {

struct Arguments {
  ModelArguments model;
  std::string json;
  bool layers = false, memory = false, kernels = false, text = false;
};

CommandResult Inspect(const Arguments& arguments) {
  DLPU_TRY(const ModelOptions options, Parse(arguments.model));
  DLPU_TRY(const LoadedModel model, LoadModel(options.model));
  if (arguments.text) {
    PrintText(arguments.json, PrintGraph(model.graph, {.max_constant_bytes = 64}));
    return static_cast<int>(kExitOk);
  }
  const SourceInfo source{model.path, model.sha256, model.bytes};
  CompileOptions compile;
  DLPU_TRY(compile.profile, ParseProfile(options.profile));
  compile.shapes = options.shapes;
  compile.cut_at = options.cut_at;
  const Result<Program> program = Compile(model.graph, compile);
  const Program* compiled = program.ok() ? &*program : nullptr;
  std::string text = InspectText(source, model.graph, compiled);
  text += MetadataText(model);
  if (compiled == nullptr) text += "not run by dlpu: " + program.error().message + "\n";
  if (compiled != nullptr && arguments.layers) text += "\n" + LayersText(*compiled);
  if (compiled != nullptr && arguments.memory) text += "\n" + MemoryText(*compiled);
  if (compiled != nullptr && arguments.kernels) {
    DLPU_TRY(const std::unique_ptr<Runner> runner,
             Runner::Load(*compiled, {.threads = options.threads}));
    text += "\n" + KernelsText(*runner);
  }
  PrintText(arguments.json, text);
  DLPU_RETURN_IF_ERROR(WriteJson(arguments.json, InspectJson(source, model.graph, compiled)));
  return static_cast<int>(kExitOk);
}

}  // namespace

void AddInspectCommand(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  Command command(app, "inspect", "Show what a model is: inputs, outputs, ops, sizes",
                  [arguments] { return Inspect(*arguments); });
  AddModelOptions(command, &arguments->model);
  command.Flag("--layers", &arguments->layers, "One line for each step");
  command.Flag("--memory", &arguments->memory, "The memory plan: tensors, lifetimes, offsets");
  command.Flag("--kernels", &arguments->kernels, "The kernel chosen for each step");
  command.Flag("--text", &arguments->text,
               "The graph as text, as read from the file; large constants as hashes");
  command.Json(&arguments->json);
}

}  // namespace dlpu
