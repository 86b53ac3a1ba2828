// SPDX-License-Identifier: Apache-2.0
// dlpu port: what every target does with a model.
#include "app/port.h"

#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "app/check_text.h"
#include "cli/choose_targets.h"
#include "cli/command.h"
#include "report/inspect.h"
#include "report/table.h"

namespace dlpu {
namespace {

struct Arguments {
  ModelArguments model;
  PortOptions port;
  std::string to = "all", image, json;
  bool findings = false;
};

std::string VerdictText(const PortRow& row) {
  switch (row.verdict) {
    case PortVerdict::kRuns:
      return "yes";
    case PortVerdict::kRunsWithFallback:
      return fmt::format("yes, {} ops on the CPU", row.check.cpu_ops);
    case PortVerdict::kPrepare:
      return "no";
    case PortVerdict::kRefused:
      return "refused";
  }
  return "";
}

// What the target's camera computes is known only for a model that it takes as it is.
bool TakenAsItIs(const PortRow& row) {
  return row.verdict == PortVerdict::kRuns || row.verdict == PortVerdict::kRunsWithFallback;
}

std::string ReportText(const PortReport& report, const LoadedModel& model, bool with_findings) {
  std::string text =
      fmt::format("{}: {}, {} ops\n\n", model.path, report.quantization, model.graph.nodes.size());
  const char* kNotAvailable = "n/a";
  Table table({"target", "takes", "as it is", "needs", "found", ">this PC", ">camera"});
  for (const PortRow& row : report.rows) {
    const bool shown = TakenAsItIs(row) && report.run.has_value();
    table.AddRow({row.target, row.takes, VerdictText(row), row.needs.empty() ? "-" : row.needs,
                  shown && report.run->is_picture ? report.run->summary : kNotAvailable,
                  shown ? DurationText(report.run->median_ms) : kNotAvailable, kNotAvailable});
  }
  text += table.Text();
  if (report.run.has_value()) {
    text += fmt::format("\nrun here as it is ({} thread{}, {}): {}\n", report.run->threads,
                        report.run->threads == 1 ? "" : "s", report.run->input,
                        DurationText(report.run->median_ms));
    for (const std::string& line : report.run->lines) text += "  " + line + "\n";
  } else {
    text += "\nnot run here: " + report.run_error + "\n";
  }
  for (const PortRow& row : report.rows) {
    if (with_findings) text += "\n" + CheckText(row.check, true);
  }
  text += "\nn/a: not computed by this version. --findings says why for each target.\n";
  return text;
}

nlohmann::ordered_json ReportJson(const PortReport& report, const LoadedModel& model) {
  using Json = nlohmann::ordered_json;
  Json json = {{"schema_version", kJsonSchemaVersion},
               {"model", model.path},
               {"sha256", model.sha256},
               {"quantization", report.quantization},
               {"targets", Json::array()}};
  for (const PortRow& row : report.rows) {
    Json item = {{"target", row.target},
                 {"device", row.device},
                 {"takes", row.takes},
                 {"verdict", PortVerdictName(row.verdict)},
                 {"needs", row.needs},
                 {"quantize", row.quantize},
                 {"dlpu_ops", row.check.dlpu_ops},
                 {"cpu_ops", row.check.cpu_ops},
                 {"unknown_ops", row.check.unknown_ops},
                 {"camera_ms", nullptr},
                 {"findings", Json::array()}};
    for (const Finding& finding : row.check.findings) {
      item["findings"].push_back(FindingJson(finding));
    }
    json["targets"].push_back(std::move(item));
  }
  if (!report.run.has_value()) {
    json["run"] = nullptr;
    json["run_error"] = report.run_error;
    return json;
  }
  json["run"] = {{"median_ms", report.run->median_ms},
                 {"threads", report.run->threads},
                 {"input", report.run->input},
                 {"found", report.run->lines},
                 {"output_sha256", report.run->output_sha256}};
  return json;
}

CommandResult RunPort(Arguments arguments) {
  DLPU_TRY(arguments.port.model, Parse(arguments.model));
  DLPU_TRY(const std::vector<Target> targets, ChooseTargets(arguments.to));
  DLPU_TRY(const LoadedModel model, LoadModel(arguments.port.model));
  if (!arguments.image.empty()) arguments.port.input.files = {arguments.image};
  DLPU_TRY(const PortReport report, Port(model, targets, arguments.port));
  PrintText(arguments.json, ReportText(report, model, arguments.findings));
  DLPU_RETURN_IF_ERROR(WriteJson(arguments.json, ReportJson(report, model)));
  // One target asked for by name: the exit code is its verdict.
  if (report.rows.size() == 1 && !TakenAsItIs(report.rows[0])) {
    return static_cast<int>(kExitNotLoadable);
  }
  return static_cast<int>(kExitOk);
}

}  // namespace

void AddPortCommand(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  Command command(app, "port", "Show what every target does with a model",
                  [arguments] { return RunPort(*arguments); });
  AddModelOptions(command, &arguments->model);
  command.Option("--to,--target", "T[,T..]|all", &arguments->to, "Targets (default: all)");
  command.Option("--image", "FILE", &arguments->image, "A picture to run the model on");
  command.Option("--draw", "OUT.png", &arguments->port.draw,
                 "Write the picture with what was found");
  command.Option("--mean", "X[,X,X]", &arguments->port.input.mean, "Pixel value that becomes 0");
  command.Option("--std", "X[,X,X]", &arguments->port.input.std, "Pixel values that become 1");
  command.Option("--resize", "HOW", &arguments->port.input.resize, "stretch, letterbox or crop");
  command.Flag("--findings", &arguments->findings, "Every finding, with its source");
  command.Json(&arguments->json);
}

}  // namespace dlpu
