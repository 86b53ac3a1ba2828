// SPDX-License-Identifier: Apache-2.0
// dlpu inspect: what a model is.
#include "report/inspect.h"

#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "app/compiled_file.h"
#include "app/metadata_text.h"
#include "base/sha256.h"
#include "cli/command.h"
#include "ir/text.h"
#include "report/table.h"

namespace dlpu {
namespace {

struct Arguments {
  ModelArguments model;
  std::string json;
  bool layers = false, memory = false, kernels = false, text = false;
};

using Json = nlohmann::ordered_json;

// What kind of file it is and which larod devices take it.
Status AddDevices(FileKind kind, std::string& text, Json& json) {
  DLPU_TRY(const std::vector<TakingDevice> devices, DevicesTaking(kind));
  text += fmt::format("kind         {}, for larod devices: {}\n", FileKindText(kind),
                      DevicesText(devices));
  json["kind"] = DeviceFormat(kind);
  json["devices"] = Json::array();
  for (const TakingDevice& device : devices) {
    json["devices"].push_back({{"device", device.device}, {"target", device.target}});
  }
  return OkStatus();
}

// A file of which dlpu reads no graph: CVflow, Vivante.
CommandResult InspectCameraFile(const Arguments& arguments, const ModelFile& file) {
  const std::string sha256 = Sha256Hex(file.bytes);
  std::string text = fmt::format("model        {}\nfile         {}, sha256 {}\n", file.path,
                                 BytesText(static_cast<int64_t>(file.bytes.size())), sha256);
  Json json = {{"schema_version", kJsonSchemaVersion},
               {"model", file.path},
               {"sha256", sha256},
               {"file_bytes", file.bytes.size()}};
  DLPU_RETURN_IF_ERROR(AddDevices(file.kind, text, json));
  if (file.kind == FileKind::kCvflow2 || file.kind == FileKind::kCvflow3) {
    DLPU_TRY(const CvflowBin bin, ReadCvflowBin(file.bytes, file.path));
    text += CvflowText(bin);
    json["cvflow"] = CvflowJson(bin);
  } else {
    text += "content      dlpu cannot read further: the format is not published\n";
  }
  PrintText(arguments.json, text);
  DLPU_RETURN_IF_ERROR(WriteJson(arguments.json, json));
  return static_cast<int>(kExitOk);
}

bool OnlyCamerasRead(FileKind kind) {
  return kind == FileKind::kCvflow2 || kind == FileKind::kCvflow3 || kind == FileKind::kVivanteNb ||
         kind == FileKind::kLarod;
}

CommandResult Inspect(const Arguments& arguments) {
  DLPU_TRY(ModelOptions options, Parse(arguments.model));
  DLPU_TRY(const ModelFile file, ReadModelFile(options.model));
  if (OnlyCamerasRead(file.kind)) return InspectCameraFile(arguments, file);
  DLPU_TRY(const LoadedModel model, LoadModel(file, options));
  if (arguments.text) {
    PrintText(arguments.json, PrintGraph(model.graph, {.max_constant_bytes = 64}));
    return static_cast<int>(kExitOk);
  }
  const SourceInfo source{model.path, model.sha256, model.bytes};
  DLPU_TRY(const std::vector<EdgeTpuPackage> packages, ReadEdgeTpuPackages(model.graph));
  const Result<Program> program = CompileModel(model, options);
  const Program* compiled = program.ok() ? &*program : nullptr;
  std::string text = InspectText(source, model.graph, compiled);
  Json json = InspectJson(source, model.graph, compiled);
  DLPU_RETURN_IF_ERROR(AddDevices(file.kind, text, json));
  text += MetadataText(model);
  json["metadata"] = MetadataJson(model);
  if (!packages.empty()) {
    text += EdgeTpuText(packages);
    json["edgetpu"] = EdgeTpuJson(packages);
  } else if (compiled == nullptr) {
    text += "not run by dlpu: " + program.error().message + "\n";
  }
  if (compiled != nullptr && arguments.layers) text += "\n" + LayersText(*compiled);
  if (compiled != nullptr && arguments.memory) text += "\n" + MemoryText(*compiled);
  if (compiled != nullptr && arguments.kernels) {
    DLPU_TRY(const std::unique_ptr<Runner> runner,
             Runner::Load(*compiled, {.threads = options.threads}));
    text += "\n" + KernelsText(*runner);
  }
  PrintText(arguments.json, text);
  DLPU_RETURN_IF_ERROR(WriteJson(arguments.json, json));
  return static_cast<int>(kExitOk);
}

}  // namespace

void AddInspectCommand(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  Command command(app, "inspect", "Show what a model is: inputs, outputs, ops, sizes",
                  [arguments] { return Inspect(*arguments); });
  AddModelOptions(command, &arguments->model);
  AddTargetOption(command, &arguments->model);
  command.Flag("--layers", &arguments->layers, "One line for each step");
  command.Flag("--memory", &arguments->memory, "The memory plan: tensors, lifetimes, offsets");
  command.Flag("--kernels", &arguments->kernels, "The kernel chosen for each step");
  command.Flag("--text", &arguments->text,
               "The graph as text, as read from the file; large constants as hashes");
  command.Json(&arguments->json);
}

}  // namespace dlpu
