// SPDX-License-Identifier: Apache-2.0
// dlpu convert: a model in another file format.
#include "app/convert.h"

#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "report/inspect.h"

namespace dlpu {
namespace {

struct Arguments {
  ModelArguments model;
  std::string output, json;
  bool keep_layout = false;
};

CommandResult RunConvert(const Arguments& arguments) {
  DLPU_TRY(ModelOptions options, Parse(arguments.model));
  options.keep_nchw = arguments.keep_layout;
  DLPU_TRY(const LoadedModel model, LoadModel(options));
  DLPU_TRY(const Conversion result, Convert(model, options, arguments.output));
  std::string text;
  for (const std::string& line : result.notes) text += line + "\n";
  text += fmt::format("{}: {} nodes, {} bytes\n", arguments.output, result.nodes, result.bytes);
  PrintText(arguments.json, text);
  const nlohmann::ordered_json json = {{"schema_version", kJsonSchemaVersion},
                                       {"model", model.path},
                                       {"sha256", model.sha256},
                                       {"output", arguments.output},
                                       {"bytes", result.bytes},
                                       {"nodes", result.nodes},
                                       {"transposes", result.transposes},
                                       {"between_convolutions", result.between_convolutions},
                                       {"turned_inputs", result.turned_inputs},
                                       {"turned_outputs", result.turned_outputs},
                                       {"notes", result.notes}};
  DLPU_RETURN_IF_ERROR(WriteJson(arguments.json, json));
  return static_cast<int>(kExitOk);
}

}  // namespace

void AddConvertCommand(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  Command command(app, "convert", "Write a model in another format: .onnx to .tflite, or back",
                  [arguments] { return RunConvert(*arguments); });
  AddModelOptions(command, &arguments->model);
  command.Option("-o,--output", "FILE", &arguments->output, "A .tflite or .onnx file");
  command.Flag("--keep-nchw,--keep-layout", &arguments->keep_layout,
               "Inputs and outputs keep the file's axis order");
  command.Json(&arguments->json);
}

}  // namespace dlpu
