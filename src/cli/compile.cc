// SPDX-License-Identifier: Apache-2.0
// dlpu compile: the files that each target wants of a model.
#include "app/compile.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/choose_targets.h"
#include "cli/command.h"
#include "cli/progress.h"
#include "report/compile_report.h"
#include "report/inspect.h"
#include "report/table.h"

namespace dlpu {
namespace {

using Json = nlohmann::ordered_json;

// What --compile-report without a file name stands for.
constexpr const char* kBeside = "beside";

struct Arguments {
  ModelArguments model;
  CompileRequest request;
  std::string targets, json, report;
};

std::string VendorText(const CompiledTarget& compiled) {
  if (!compiled.vendor.has_value()) return "";
  const VendorRun& run = *compiled.vendor;
  std::string text = fmt::format("  ran {}\n", run.command);
  if (!run.version.empty()) text += "  " + run.version + "\n";
  if (!run.problem.empty()) return text;
  if (compiled.differences.empty()) {
    text += "  its mapping is what dlpu said, op by op\n";
  }
  for (const MappingDifference& difference : compiled.differences) {
    text += fmt::format("  its mapping differs: {} {} on the DLPU, dlpu said {}\n",
                        difference.theirs, difference.op, difference.ours);
  }
  if (run.cached_bytes.has_value() && compiled.tiles.has_value()) {
    text += fmt::format("  parameters cached: {}, dlpu said {}\n",
                        BytesText(static_cast<int64_t>(*run.cached_bytes)),
                        BytesText(compiled.tiles->cached_bytes));
  }
  return text;
}

std::string TargetText(const CompiledTarget& compiled, const Graph& graph) {
  const Target& target = *compiled.target;
  if (!compiled.refusal.empty())
    return fmt::format("{}: refused: {}\n", target.name, compiled.refusal);
  std::string text = fmt::format("{}: {}\n", target.name, PartitionSummary(compiled.partition));
  if (compiled.one_part.has_value()) {
    text += fmt::format("  its own way: {}\n", PartitionSummary(*compiled.one_part));
  }
  if (compiled.several_ms.has_value() && compiled.one_part_ms.has_value()) {
    const double several = *compiled.several_ms, one = *compiled.one_part_ms;
    text += fmt::format("  predicted {}, its own way {}: several parts are {}\n",
                        DurationText(several), DurationText(one),
                        several > one   ? "slower"
                        : several < one ? "faster"
                                        : "as fast");
  }
  if (compiled.quantized.has_value()) {
    text +=
        fmt::format("  fixed point ({}): {}", ConfidenceName(target.fixed_point->fact.confidence),
                    QuantizeText(*compiled.quantized));
  }
  for (const Artifact& artifact : compiled.artifacts) {
    text += fmt::format(
        "  {}  {}{}\n", artifact.path, artifact.what,
        artifact.sha256.empty()
            ? ""
            : fmt::format(", {}, sha256 {}", BytesText(artifact.bytes), artifact.sha256));
  }
  if (compiled.runtime.has_value()) {
    text += fmt::format("  runtime version {} (AXIS OS {}) and newer\n", compiled.runtime->version,
                        compiled.runtime->os);
  }
  text += VendorText(compiled);
  for (const std::string& note : compiled.notes) text += "  note: " + note + "\n";
  // The first blockers are those to look at; the report has them all.
  constexpr size_t kShown = 3;
  const size_t shown = std::min(kShown, compiled.blockers.size());
  for (size_t i = 0; i < shown; ++i) text += "  " + BlockersText(graph, {compiled.blockers[i]});
  if (shown < compiled.blockers.size()) {
    text += fmt::format("  and {} more blockers: --compile-report lists them\n",
                        compiled.blockers.size() - shown);
  }
  return text;
}

Json TargetJsonOf(const CompiledTarget& compiled, const Graph& graph) {
  const Target& target = *compiled.target;
  Json json = {{"target", target.name},
               {"loadable", compiled.refusal.empty()},
               {"refusal", compiled.refusal}};
  json.update(PartitionJson(graph, target, compiled.partition, compiled.blockers));
  if (compiled.one_part.has_value()) {
    json["one_part"] = PartitionJson(graph, target, *compiled.one_part, {});
    json["predicted_ms"] = compiled.several_ms ? Json(*compiled.several_ms) : Json(nullptr);
    json["one_part"]["predicted_ms"] =
        compiled.one_part_ms ? Json(*compiled.one_part_ms) : Json(nullptr);
  }
  if (compiled.tiles.has_value()) json["tiles"] = TilesJson(*compiled.tiles, *target.tiles);
  json["mapping"] = Json::array();
  for (const MappingRow& row : compiled.mapping) {
    json["mapping"].push_back({{"op", row.op}, {"count", row.count}, {"status", row.status}});
  }
  json["artifacts"] = Json::array();
  for (const Artifact& artifact : compiled.artifacts) {
    json["artifacts"].push_back({{"path", artifact.path},
                                 {"what", artifact.what},
                                 {"bytes", artifact.bytes},
                                 {"sha256", artifact.sha256}});
  }
  json["fixed_point"] = compiled.quantized ? QuantizeJson(*compiled.quantized) : Json(nullptr);
  json["notes"] = compiled.notes;
  json["min_runtime"] = compiled.runtime ? Json(compiled.runtime->version) : Json(nullptr);
  json["vendor"] = nullptr;
  if (compiled.vendor.has_value()) {
    json["vendor"] = {
        {"command", compiled.vendor->command},
        {"version", compiled.vendor->version},
        {"exit_code", compiled.vendor->exit_code},
        {"problem", compiled.vendor->problem},
        {"mapping_equal",
         compiled.vendor->problem.empty() ? Json(compiled.differences.empty()) : Json(nullptr)},
        {"differences", Json::array()}};
    for (const MappingDifference& difference : compiled.differences) {
      json["vendor"]["differences"].push_back(
          {{"op", difference.op}, {"dlpu", difference.ours}, {"vendor", difference.theirs}});
    }
  }
  return json;
}

CommandResult RunCompile(Arguments arguments) {
  CompileRequest& request = arguments.request;
  DLPU_TRY(request.model, Parse(arguments.model));
  DLPU_TRY(request.targets, ChooseTargets(arguments.targets));
  request.report = !arguments.report.empty();
  if (arguments.report != kBeside) request.report_path = arguments.report;
  if (!request.report_path.empty() && request.targets.size() != 1) {
    return InvalidError("--compile-report FILE: is for one target; without FILE each has its own");
  }
  if (!request.calibration.empty() && std::ranges::none_of(request.targets, [](const Target& t) {
        return t.fixed_point.has_value();
      })) {
    return InvalidError(
        "--calibration: is for targets whose vendor's compiler quantizes (CV25, CV75); for others "
        "quantize first: dlpu quantize MODEL --target T --calibration PHOTOS");
  }
  DLPU_TRY(const LoadedModel model, LoadModel(request.model));
  request.progress = [stages = StageProgress()](int done, int total,
                                                const std::string& what) mutable {
    stages.Show(done, total, what);
  };
  DLPU_TRY(const CompileOutcome outcome, CompileForTargets(model, request));
  std::string text;
  Json json = {
      {"schema_version", kJsonSchemaVersion}, {"model", model.path}, {"sha256", model.sha256}};
  bool all_refused = true;
  for (const CompiledTarget& compiled : outcome.targets) {
    all_refused = all_refused && !compiled.refusal.empty();
    text += TargetText(compiled, outcome.graph);
    if (!compiled.report.empty()) text += "\n" + compiled.report + "\n";
    if (outcome.targets.size() == 1) {
      json.update(TargetJsonOf(compiled, outcome.graph));
    } else {
      json["targets"].push_back(TargetJsonOf(compiled, outcome.graph));
    }
  }
  PrintText(arguments.json, text);
  DLPU_RETURN_IF_ERROR(WriteJson(arguments.json, json));
  return static_cast<int>(all_refused ? kExitNotLoadable : kExitOk);
}

}  // namespace

void AddCompileCommand(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  Command command(app, "compile", "Write the files that targets want of a model",
                  [arguments] { return RunCompile(*arguments); });
  AddModelOptions(command, &arguments->model);
  command.Option("--target", "T[,T..]|all", &arguments->targets, "Targets to compile for",
                 AreTargets);
  command.Option("-o,--output", "OUT", &arguments->request.output,
                 "Folder for the files (default: .); for one target also a .dlpu or .tflite file");
  command.OptionalValue("--compile-report", "[FILE]", &arguments->report, kBeside,
                        "Report on mapping, parameters and memory, with pictures (.svg)");
  command.Option("--calibration", "DIR|FILE", &arguments->request.calibration,
                 "CV25, CV75: pictures that make the program fixed point and fill the hand-off");
  AddPictureOptions(command, &arguments->request.input);
  command.Option("--os", "V", &arguments->request.os,
                 "AXIS OS release the files must load on (default: any that is known)");
  command.Flag("--several-parts", &arguments->request.several_parts,
               "Force a target that runs one part of a model to take several");
  command.Json(&arguments->json);
}

}  // namespace dlpu
