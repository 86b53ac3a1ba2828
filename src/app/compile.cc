// SPDX-License-Identifier: Apache-2.0
// Compiling a model for each target and writing what belongs to it.
#include "app/compile.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "app/check_price.h"
#include "app/compiled_file.h"
#include "app/refusal.h"
#include "base/file.h"
#include "base/sha256.h"
#include "formats/compiled_sources.h"
#include "formats/edgetpu_package.h"
#include "formats/onnx.h"
#include "formats/tflite.h"
#include "ir/program_file.h"
#include "ir/quantization_style.h"
#include "report/compile_report.h"
#include "report/inspect.h"

namespace dlpu {
namespace {

namespace fs = std::filesystem;

// The entry of a .tflite file's metadata that says what it was made from.
constexpr const char* kSourceKey = "dlpu_source_sha256";

// The graph that is compiled: as it was read unless the options change it.
Result<Graph> GraphToCompile(const LoadedModel& model, const ModelOptions& options) {
  Graph graph = model.graph;
  if (options.cut_at.empty() && options.shapes.empty()) return graph;
  if (!options.cut_at.empty()) DLPU_RETURN_IF_ERROR(CutAt(graph, options.cut_at));
  DLPU_RETURN_IF_ERROR(FixShapes(graph, options.shapes));
  DLPU_RETURN_IF_ERROR(InferAndFold(graph, Profile::kTfliteReference));
  RemoveDead(graph);
  return graph;
}

class TargetCompilation {
 public:
  TargetCompilation(const LoadedModel& model, const Graph& graph, const CompileRequest& request,
                    const Target& target, std::string prefix, CompiledTarget& result)
      : model_(model),
        graph_(graph),
        request_(request),
        target_(target),
        prefix_(std::move(prefix)),
        result_(result) {}

  Status Run() {
    result_.target = &target_;
    DLPU_RETURN_IF_ERROR(Place());
    if (!result_.refusal.empty()) return OkStatus();
    // The target's own partition may be overruled: its data is copied for that.
    Target changed = target_;
    if (request_.several_parts) changed.partition.order = "any";
    CompileOptions options = OptionsFor(changed);
    if (!request_.model.profile.empty()) {
      DLPU_TRY(options.profile, ParseProfile(request_.model.profile));
      options.cpu_profile = options.profile;
    }
    options.source_sha256 = model_.sha256;
    DLPU_RETURN_IF_ERROR(MakeFixedPoint());
    DLPU_TRY(Program program,
             Compile(fixed_point_ != nullptr ? fixed_point_->model.graph : graph_, options));
    AddLabels(model_, program);
    DLPU_RETURN_IF_ERROR(Write(prefix_ + ".dlpu", "the program for dlpu", WriteProgram(program)));
    DLPU_RETURN_IF_ERROR(WriteForCamera());
    if (request_.report) DLPU_RETURN_IF_ERROR(Report(program));
    return OkStatus();
  }

 private:
  Status Place() {
    result_.partition = PartitionGraph(graph_, target_, {.several_parts = request_.several_parts});
    if (request_.several_parts) ComparePartitions();
    DLPU_TRY(result_.refusal, RefusalOf(model_, graph_, target_, request_.os));
    if (!request_.several_parts) {
      result_.blockers = FindBlockers(graph_, target_, result_.partition);
    }
    if (target_.tiles.has_value()) {
      result_.tiles = PlanTiles(graph_, result_.partition, *target_.tiles);
    }
    if (target_.compiler.has_value() && !target_.compiler->mapped.empty()) {
      result_.mapping = ExpectedMapping(graph_, result_.partition, *target_.compiler);
    }
    return OkStatus();
  }

  bool StandsIn() const {
    return target_.fixed_point &&
           SummariseQuantization(graph_).style == QuantizationStyle::kFixedPoint;
  }

  // The integers of the virtual target, where the vendor's compiler chooses the camera's.
  Status MakeFixedPoint() {
    if (!target_.fixed_point || request_.calibration.empty() || StandsIn()) return OkStatus();
    DLPU_TRY(QuantizeSettings settings, SettingsFor(target_));
    DLPU_TRY(set_, FindCalibration(request_.calibration, settings.most_pictures));
    fixed_point_ = request_.fixed_point;
    if (fixed_point_ != nullptr) return OkStatus();
    settings.input = request_.input;
    settings.cut_at = request_.model.cut_at;
    settings.shapes = request_.model.shapes;
    DLPU_TRY(made_, MakeQuantizedModel(model_, settings, *set_, request_.model.threads,
                                       request_.progress));
    fixed_point_ = &*made_;
    result_.quantized = made_->report;
    result_.quantized->graph = {};
    return Write(prefix_ + ".recipe.toml", "how the fixed point was chosen",
                 {made_->recipe.begin(), made_->recipe.end()});
  }

  // What forcing several parts costs, with what crosses between them.
  void ComparePartitions() {
    result_.one_part = PartitionGraph(graph_, target_);
    LoadedModel priced = model_;
    priced.graph = graph_;
    const std::optional<Pricer> pricer = Pricer::Make(priced, target_, {});
    if (!pricer.has_value()) return;
    result_.one_part_ms = pricer->Ms(graph_, *result_.one_part);
    result_.several_ms = pricer->Ms(graph_, *result_.one_part, result_.partition);
  }

  Status Write(const std::string& path, const std::string& what,
               const std::vector<uint8_t>& bytes) {
    DLPU_RETURN_IF_ERROR(WriteFile(path, bytes));
    result_.artifacts.push_back({path, what, Sha256Hex(bytes), static_cast<int64_t>(bytes.size())});
    return OkStatus();
  }

  Status WriteForCamera() {
    Graph traced = graph_;
    traced.metadata[kSourceKey].assign(model_.sha256.begin(), model_.sha256.end());
    DLPU_TRY(const std::vector<uint8_t> bytes, WriteTflite(traced));
    if (target_.compiler.has_value() && target_.compiler->program.empty()) return HandOver(bytes);
    const std::string path = prefix_ + ".tflite";
    const std::string what =
        target_.compiler ? "for " + target_.compiler->name : "for the camera: " + target_.device;
    DLPU_RETURN_IF_ERROR(Write(path, what, bytes));
    return target_.compiler.has_value() ? RunVendor(path) : OkStatus();
  }

  Status HandOver(const std::vector<uint8_t>& tflite) {
    if (StandsIn()) {
      result_.notes.push_back(fmt::format(
          "the integers are dlpu's own: nothing is written for {}, which wants the float "
          "model (dlpu compile FLOAT --target {} --calibration PHOTOS)",
          target_.compiler->name, target_.name));
      return OkStatus();
    }
    const bool as_it_is = std::ranges::find(target_.compiler->takes, model_.format) !=
                              target_.compiler->takes.end() &&
                          model_.format != "tflite";
    std::vector<uint8_t> file = tflite;
    std::string format = as_it_is ? model_.format : "tflite";
    if (as_it_is) {
      DLPU_TRY(file, ReadFile(model_.path));
    } else if (std::ranges::find(target_.compiler->takes, format) ==
               target_.compiler->takes.end()) {
      DLPU_TRY(file, WriteOnnx(graph_, false));
      format = "onnx";
      result_.notes.push_back(
          fmt::format("{} takes no .tflite: the folder has the model as .onnx, planar (NCHW)",
                      target_.compiler->name));
    }
    DLPU_TRY(Artifact folder, WriteHandOff({model_, graph_, target_, file, format,
                                            set_ ? &*set_ : nullptr, request_.input},
                                           prefix_ + "_handoff"));
    result_.artifacts.push_back(std::move(folder));
    result_.notes.push_back(fmt::format("only {} makes the file that the camera loads: {}",
                                        target_.compiler->name, target_.compiler->says));
    if (target_.fixed_point && !set_) {
      result_.notes.push_back(
          "the .dlpu is the float model, which does not run as the camera would: with "
          "--calibration "
          "PHOTOS it is fixed point, and the folder has calibration inputs");
    }
    if (as_it_is && !request_.model.cut_at.empty()) {
      result_.notes.push_back(
          "the handed-off model is the whole file: --cut-at changes the .dlpu only");
    }
    return OkStatus();
  }

  Status RunVendor(const std::string& path) {
    const TargetCompiler& compiler = *target_.compiler;
    if (!compiler.runtime_arguments.empty()) {
      DLPU_TRY(const FirmwareTable firmware, LoadFirmware());
      result_.runtime = RuntimeFor(firmware, request_.os);
    }
    VendorOptions options{.runtime = std::nullopt, .several_parts = request_.several_parts};
    if (result_.runtime.has_value()) options.runtime = result_.runtime->version;
    const std::string folder = fs::path(path).parent_path().string();
    Result<VendorRun> run =
        RunVendorCompiler(compiler, path, folder.empty() ? "." : folder, options);
    if (!run.ok() && run.error().code == ErrorCode::kNotFound) {
      result_.notes.push_back(
          fmt::format("{} is not installed ({} is not in PATH), and only it "
                      "makes the file that the camera loads: {}",
                      compiler.name, compiler.program, compiler.says));
      return OkStatus();
    }
    DLPU_TRY(result_.vendor, std::move(run));
    if (!result_.vendor->problem.empty()) {
      result_.notes.push_back(fmt::format("{} failed: {}", compiler.name, result_.vendor->problem));
      return OkStatus();
    }
    result_.differences = CompareMappings(result_.mapping, result_.vendor->mapping, compiler);
    DLPU_TRY(const std::vector<uint8_t> made, ReadFile(result_.vendor->output_path));
    CheckRuntime(made);
    // So that larod's virtual devices find it wherever the compiled file goes; a convenience.
    (void)RegisterSource(made, path);
    result_.artifacts.push_back({result_.vendor->output_path, "for the camera: " + target_.device,
                                 Sha256Hex(made), static_cast<int64_t>(made.size())});
    return OkStatus();
  }

  // The compiled file itself says which runtime it needs.
  void CheckRuntime(const std::vector<uint8_t>& file) {
    const Result<Graph> graph = ReadTflite(file, result_.vendor->output_path);
    if (!graph.ok() || !result_.runtime.has_value()) return;
    const Result<std::vector<EdgeTpuPackage>> packages = ReadEdgeTpuPackages(*graph);
    if (!packages.ok()) return;
    for (const EdgeTpuPackage& package : *packages) {
      const int needs = package.min_runtime_version.value_or(0);
      if (needs <= result_.runtime->version) continue;
      result_.notes.push_back(fmt::format(
          "{} needs runtime {}, and AXIS OS {} has {}: it does not load there",
          result_.vendor->output_path, needs, result_.runtime->os, result_.runtime->version));
    }
  }

  Status Report(const Program& program) {
    std::string text = fmt::format("{} for {}\nmade from {} (sha256 {})\n\n", program.name,
                                   target_.title, model_.path, model_.sha256);
    text += PartitionText(graph_, target_, result_.partition);
    if (!result_.blockers.empty()) text += "\n" + BlockersText(graph_, result_.blockers);
    if (result_.tiles) text += "\n" + TilesText(graph_, *result_.tiles, *target_.tiles);
    text += "\nmemory by tensor and time:\n" + MemoryText(program);
    result_.report = text;
    const std::string path =
        request_.report_path.empty() ? prefix_ + ".report.txt" : request_.report_path;
    const std::string stem = fs::path(path).replace_extension().string();
    const auto bytes = [](const std::string& s) {
      return std::vector<uint8_t>(s.begin(), s.end());
    };
    DLPU_RETURN_IF_ERROR(Write(path, "the report", bytes(text)));
    DLPU_RETURN_IF_ERROR(Write(stem + ".partition.svg", "the partition as a picture",
                               bytes(PartitionSvg(graph_, target_, result_.partition))));
    return Write(stem + ".memory.svg", "the memory plan as a picture", bytes(MemorySvg(program)));
  }

  const LoadedModel& model_;
  const Graph& graph_;
  const CompileRequest& request_;
  const Target& target_;
  const std::string prefix_;
  CompiledTarget& result_;
  std::optional<CalibrationSet> set_;
  std::optional<QuantizedModel> made_;
  const QuantizedModel* fixed_point_ = nullptr;  // null: the graph is compiled as it is
};

// Where a target's files go, without their endings.
Result<std::string> PrefixFor(const LoadedModel& model, const CompileRequest& request,
                              const Target& target) {
  const fs::path output = request.output;
  const std::string ending = output.extension().string();
  if (ending == ".dlpu" || ending == ".tflite") {
    if (request.targets.size() != 1) {
      return InvalidError(
          fmt::format("-o {}: several targets need a folder, not a file", request.output));
    }
    if (output.has_parent_path()) {
      DLPU_RETURN_IF_ERROR(MakeDirectory(output.parent_path().string()));
    }
    return (output.parent_path() / output.stem()).string();
  }
  DLPU_RETURN_IF_ERROR(MakeDirectory(request.output));
  return (output / fmt::format("{}_{}", fs::path(model.path).stem().string(), target.name))
      .string();
}

}  // namespace

Result<CompileOutcome> CompileForTargets(const LoadedModel& model, const CompileRequest& request) {
  if (model.program.has_value()) {
    return InvalidError(
        fmt::format("{}: is compiled already, for {}; give the model it was made "
                    "from (sha256 {})",
                    model.path, model.program->target, model.program->source_sha256));
  }
  if (HasEdgeTpuNode(model.graph)) {
    return UnsupportedError(OnlyOnCamera(model.path, FileKind::kEdgeTpuTflite));
  }
  CompileOutcome outcome;
  DLPU_TRY(outcome.graph, GraphToCompile(model, request.model));
  for (const Target& target : request.targets) {
    DLPU_TRY(const std::string prefix, PrefixFor(model, request, target));
    // Never over the model itself.
    std::error_code error;
    if (fs::equivalent(prefix + ".tflite", model.path, error)) {
      return InvalidError(
          fmt::format("-o {}: {} would overwrite the model", request.output, prefix + ".tflite"));
    }
    CompiledTarget compiled;
    DLPU_RETURN_IF_ERROR(
        TargetCompilation(model, outcome.graph, request, target, prefix, compiled).Run());
    outcome.targets.push_back(std::move(compiled));
  }
  return outcome;
}

}  // namespace dlpu
