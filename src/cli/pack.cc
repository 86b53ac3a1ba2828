// SPDX-License-Identifier: Apache-2.0
// dlpu pack: known answers to be tried on a camera.
#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "app/known_answers.h"
#include "cli/command.h"
#include "report/inspect.h"

namespace dlpu {
namespace {

struct Arguments {
  ModelArguments model;
  PackRequest request;
  std::string json;
};

CommandResult Run(Arguments& arguments) {
  DLPU_TRY(arguments.request.model, Parse(arguments.model));
  ModelOptions& options = arguments.request.model;
  if (options.target.empty()) {
    return InvalidError("--target: name the camera's processor, such as artpec8 or cpu");
  }
  DLPU_TRY(const LoadedModel model, LoadModel(options));
  DLPU_TRY(const PackSummary summary, WritePack(model, arguments.request));
  std::string text = fmt::format(
      "{}: {} samples, {} answers for {}; off by at most {} code{}\n"
      "next: copy the folder to the camera, there: sh run.sh{}; bring results back and\n"
      "      dlpu compare {} RESULTS\n",
      summary.folder, summary.samples, summary.outputs, summary.device, summary.tolerance_codes,
      summary.tolerance_codes == 1 ? "" : "s", summary.camera_file.empty() ? " COMPILED" : "",
      summary.folder);
  for (const std::string& note : summary.notes) PrintNote(note);
  PrintText(arguments.json, text);
  DLPU_RETURN_IF_ERROR(WriteJson(arguments.json, {{"schema_version", kJsonSchemaVersion},
                                                  {"model", model.path},
                                                  {"sha256", model.sha256},
                                                  {"folder", summary.folder},
                                                  {"device", summary.device},
                                                  {"camera_file", summary.camera_file},
                                                  {"samples", summary.samples},
                                                  {"answers", summary.outputs},
                                                  {"tolerance_codes", summary.tolerance_codes},
                                                  {"files", summary.files},
                                                  {"notes", summary.notes}}));
  return static_cast<int>(kExitOk);
}

}  // namespace

void AddPackCommand(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  arguments->request.folder = "known-answers";
  Command command(app, "pack", "Write inputs, expected answers and commands to try on a camera",
                  [arguments] { return Run(*arguments); });
  AddModelOptions(command, &arguments->model);
  AddTargetOption(command, &arguments->model);
  command.Option("--output,-o", "DIR", &arguments->request.folder,
                 "Folder to write (default: known-answers)");
  command.Option("--input", "FILE", &arguments->request.samples,
                 "A picture, .npy or raw file: one sample each; without any, noise");
  command.Option("--noise", "N", &arguments->request.noise, 1, 1000,
                 "Samples of noise when there is no --input (default: 3)");
  AddPictureOptions(command, &arguments->request.input);
  command.Json(&arguments->json);
}

}  // namespace dlpu
