// SPDX-License-Identifier: Apache-2.0
// Finding, reading and loading models.
#include "app/model.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <sstream>
#include <utility>

#include "app/compiled_file.h"
#include "app/digits_model.h"
#include "app/import_onnx.h"
#include "base/cpu_unfused.h"
#include "base/file.h"
#include "base/sha256.h"
#include "formats/edgetpu_package.h"
#include "formats/tflite.h"

namespace dlpu {
namespace {

namespace fs = std::filesystem;

// The name under which a program's metadata holds the labels, one a line.
constexpr const char* kLabelsKey = "dlpu.labels";

// A program's steps as a graph, for all that only looks at models.
Graph GraphOf(const Program& program) {
  Graph graph;
  graph.name = program.name;
  graph.tensors = program.tensors;
  graph.inputs = program.inputs;
  graph.outputs = program.outputs;
  graph.metadata = program.metadata;
  for (const Step& step : program.steps) graph.nodes.push_back(step.node);
  return graph;
}

// A zoo entry describes the file; an ONNX input that was turned to NHWC is described as that.
Status ReadOnnxModel(const ModelFile& file, ModelOptions& options, LoadedModel& model) {
  OnnxImportOptions import;
  import.shapes = std::exchange(options.shapes, {});
  import.keep_nchw = options.keep_nchw;
  if (model.zoo.has_value()) import.picture = {model.zoo->input.height, model.zoo->input.width};
  DLPU_TRY(ImportedOnnx imported, ImportOnnx(file.bytes, file.path, import));
  model.graph = std::move(imported.graph);
  model.format = "onnx";
  if (model.zoo.has_value() && !imported.layout.nhwc_inputs.empty()) model.zoo->input.nchw = false;
  model.imported_layout = std::move(imported.layout);
  return OkStatus();
}

Status ReadGraph(const ModelFile& file, ModelOptions& options, LoadedModel& model) {
  switch (file.kind) {
    case FileKind::kTflite:
    case FileKind::kEdgeTpuTflite: {
      DLPU_TRY(model.graph, options.in_place ? ReadTfliteInPlace(file.bytes, file.path)
                                             : ReadTflite(file.bytes, file.path));
      return OkStatus();
    }
    case FileKind::kProgram: {
      DLPU_TRY(model.program, LoadProgram(file.bytes, file.path));
      model.graph = GraphOf(*model.program);
      return OkStatus();
    }
    case FileKind::kOnnx:
      return ReadOnnxModel(file, options, model);
    default:
      if (const std::string why = OnlyOnCamera(file.path, file.kind); !why.empty()) {
        return UnsupportedError(why);
      }
      return InvalidError(fmt::format("{}: is {}, not a model; give a .tflite, .onnx or .dlpu file",
                                      file.path, FileKindText(file.kind)));
  }
}

// A model runs without its metadata, so damage there is remembered, not returned.
void AddMetadata(std::span<const uint8_t> file, LoadedModel& model) {
  Result<std::optional<TfliteMetadata>> metadata = ReadTfliteMetadata(model.graph, file);
  if (!metadata.ok()) {
    model.metadata_error = metadata.error().message;
    return;
  }
  model.metadata = *std::move(metadata);
  const auto stored = model.graph.metadata.find(kLabelsKey);
  if (model.labels.empty() && stored != model.graph.metadata.end()) {
    model.labels = ParseLabels(std::string(stored->second.begin(), stored->second.end()));
  }
  if (!model.metadata.has_value() || !model.labels.empty()) return;
  if (const std::string* labels = model.metadata->OutputLabels()) {
    model.labels = ParseLabels(*labels);
  }
}

// Where a model's label files are: behind a .tflite file, inside a program.
std::span<const uint8_t> ArchiveOf(const ModelFile& file, const LoadedModel& model) {
  const auto stored = model.graph.metadata.find(kArchiveMetadata);
  if (!model.program.has_value() || stored == model.graph.metadata.end()) return file.bytes;
  return stored->second;
}

// A program made from a model of the zoo is read and shown like that model.
void AddZooModel(LoadedModel& model) {
  const auto zoo = LoadZoo();
  if (!zoo.ok()) return;
  for (const ZooModel& known : zoo->models) {
    if (known.file.sha256 == model.program->source_sha256) model.zoo = known;
  }
}

// Fills in what the zoo knows about the file that is meant; a name of its own becomes a path.
Status FindInZoo(const std::string& name_or_path, ModelFile& file) {
  const auto zoo = LoadZoo();
  if (!zoo.ok()) return OkStatus();
  const auto found = ZooFind(*zoo, name_or_path);
  if (!found.ok()) {
    // A path that does not exist keeps the plain message; a name gets the zoo's.
    const bool is_path = name_or_path.find_first_of("/.") != std::string::npos;
    return is_path ? OkStatus() : Status(found.error());
  }
  file.path = found->path;
  if (!found->entry.has_value()) return OkStatus();
  file.zoo = found->entry->model;
  if (found->entry->labels_path.empty()) return OkStatus();
  if (auto labels = ReadLabels(found->entry->labels_path); labels.ok()) {
    file.labels = *std::move(labels);
  }
  return OkStatus();
}

}  // namespace

Result<ModelFile> ReadModelFile(const std::string& name_or_path, bool recognized) {
  ModelFile file;
  file.path = name_or_path;
  std::error_code error;
  const fs::file_status status = fs::status(name_or_path, error);
  if (name_or_path == "digits" && !fs::exists(status)) {
    const auto builtin = DigitsModel();
    file.bytes = std::vector<uint8_t>(builtin.begin(), builtin.end());
    for (int i = 0; i < 10; ++i) file.labels.push_back(std::to_string(i));
  } else {
    // Most files are none of the zoo's, which their size tells.
    const bool foreign = fs::is_directory(status) || (fs::is_regular_file(status) &&
                                                      (!recognized || !MayBeOfZoo(name_or_path)));
    if (!foreign) DLPU_RETURN_IF_ERROR(FindInZoo(name_or_path, file));
    DLPU_TRY(file.bytes, MapFile(file.path));
  }
  file.kind = SniffFile(file.bytes);
  return file;
}

Result<LoadedModel> LoadModel(const ModelFile& file, ModelOptions& options) {
  LoadedModel model;
  model.path = file.path;
  model.zoo = file.zoo;
  model.labels = file.labels;
  model.bytes = static_cast<int64_t>(file.bytes.size());
  if (options.hashed) model.sha256 = Sha256Hex(file.bytes);
  DLPU_RETURN_IF_ERROR(ReadGraph(file, options, model));
  if (!model.imported_layout.has_value()) AddMetadata(ArchiveOf(file, model), model);
  if (model.program.has_value()) AddZooModel(model);
  return model;
}

Result<LoadedModel> LoadModel(const ModelFile& file) {
  ModelOptions options;
  return LoadModel(file, options);
}

Result<LoadedModel> LoadModel(ModelOptions& options) {
  DLPU_TRY(const ModelFile file, ReadModelFile(options.model, options.recognized));
  return LoadModel(file, options);
}

Result<LoadedModel> LoadModel(const std::string& name_or_path) {
  DLPU_TRY(const ModelFile file, ReadModelFile(name_or_path));
  return LoadModel(file);
}

Result<std::map<std::string, Shape>> ParseShapes(const std::vector<std::string>& entries) {
  std::map<std::string, Shape> shapes;
  for (const std::string& entry : entries) {
    const size_t equals = entry.rfind('=');
    Shape shape;
    std::istringstream numbers(equals == std::string::npos ? "" : entry.substr(equals + 1));
    for (std::string number; std::getline(numbers, number, ',');) {
      const bool digits =
          !number.empty() && number.size() < 9 &&
          std::all_of(number.begin(), number.end(), [](char c) { return c >= '0' && c <= '9'; });
      if (!digits || number == "0") {
        return InvalidError(fmt::format("--shape {}: '{}' is not an extent", entry, number));
      }
      shape.push_back(std::stoi(number));
    }
    if (equals == 0 || shape.empty()) {
      return InvalidError(fmt::format("--shape {}: write NAME=1,300,300,3", entry));
    }
    shapes[entry.substr(0, equals)] = shape;
  }
  return shapes;
}

Result<Profile> ParseProfile(const std::string& name) {
  if (name.empty()) return Profile::kTfliteReference;
  if (const std::optional<Profile> profile = ProfileFromName(name)) return *profile;
  return InvalidError(fmt::format(
      "there is no profile '{}'; give tflite-reference, tflite-builtin or xnnpack", name));
}

Status RunnableHere(const Target& target, QuantizationStyle style) {
  if (target.quantization.need != "compiler") return OkStatus();
  if (target.fixed_point && style == QuantizationStyle::kFixedPoint) return OkStatus();
  return UnsupportedError(fmt::format(
      "{} computes with the integers that {} chooses when it quantizes the model; `dlpu "
      "quantize MODEL --target {} --calibration PHOTOS -o OUT.tflite` chooses some in "
      "its place, and that file runs here; without --target the model runs as it is",
      target.title, target.compiler ? target.compiler->name : "the vendor's compiler",
      target.name));
}

namespace {

Result<Program> CompiledProgram(Program program, const LoadedModel& model,
                                const ModelOptions& options) {
  if (!options.shapes.empty() || !options.cut_at.empty()) {
    return InvalidError(fmt::format(
        "{}: is compiled; --shape and --cut-at need the model it was made from", model.path));
  }
  if (!options.target.empty()) {
    DLPU_TRY(const Target target, FindTarget(options.target));
    if (target.name != program.target) {
      return InvalidError(fmt::format(
          "{}: is compiled for {}; for {} compile the model it was made from (sha256 {})",
          model.path, program.target, target.name, program.source_sha256));
    }
  }
  if (options.profile.empty()) return program;
  DLPU_TRY(program.profile, ParseProfile(options.profile));
  for (Step& step : program.steps) step.profile = program.profile;
  return program;
}

// `graph` is the model's.
Result<Program> CompileGraph(Graph graph, const LoadedModel& model, const ModelOptions& options) {
  if (HasEdgeTpuNode(graph)) {
    return UnsupportedError(OnlyOnCamera(model.path, FileKind::kEdgeTpuTflite));
  }
  CompileOptions compile;
  std::optional<Target> target;
  if (!options.target.empty()) {
    DLPU_TRY(target, FindTarget(options.target));
    compile = OptionsFor(*target);
  }
  if (!options.profile.empty()) {
    DLPU_TRY(compile.profile, ParseProfile(options.profile));
    compile.cpu_profile = compile.profile;
  }
  compile.shapes = options.shapes;
  compile.cut_at = options.cut_at;
  compile.source_sha256 = model.sha256;
  DLPU_TRY(Program program, Compile(std::move(graph), compile));
  AddLabels(model, program);
  return program;
}

Result<std::unique_ptr<Runner>> LoadProgramRunner(Program program, const ModelOptions& options) {
  if (!program.target.empty()) {
    DLPU_TRY(const Target target, FindTarget(program.target));
    DLPU_RETURN_IF_ERROR(RunnableHere(target, SummariseQuantization(program).style));
  }
  return Runner::Load(std::move(program), RunnerOptionsOf(options));
}

}  // namespace

Result<Program> CompileModel(const LoadedModel& model, const ModelOptions& options) {
  if (model.program.has_value()) return CompiledProgram(*model.program, model, options);
  return CompileGraph(model.graph, model, options);
}

void AddLabels(const LoadedModel& model, Program& program) {
  if (model.labels.empty()) return;
  std::string text;
  for (const std::string& label : model.labels) text += label + "\n";
  program.metadata[kLabelsKey].assign(text.begin(), text.end());
}

RunnerOptions RunnerOptionsOf(const ModelOptions& options) {
  RunnerOptions result{.threads = options.threads};
  if (options.portable) result.cpu = UnfusedCpuFlags();
  return result;
}

Result<std::unique_ptr<Runner>> LoadRunner(const LoadedModel& model, const ModelOptions& options) {
  DLPU_TRY(Program program, CompileModel(model, options));
  return LoadProgramRunner(std::move(program), options);
}

Result<std::unique_ptr<Runner>> LoadRunner(LoadedModel&& model, const ModelOptions& options) {
  Graph graph = std::exchange(model.graph, {});
  std::optional<Program> compiled = std::exchange(model.program, std::nullopt);
  if (compiled.has_value()) {
    graph = {};
    DLPU_TRY(Program program, CompiledProgram(*std::move(compiled), model, options));
    return LoadProgramRunner(std::move(program), options);
  }
  DLPU_TRY(Program program, CompileGraph(std::move(graph), model, options));
  return LoadProgramRunner(std::move(program), options);
}

}  // namespace dlpu
