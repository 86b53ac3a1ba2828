// SPDX-License-Identifier: Apache-2.0
// dlpu check: what a target will do with a model, why, and what to change.
#include "app/check.h"

#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "app/check_text.h"
#include "cli/choose_targets.h"
#include "cli/command.h"
#include "report/inspect.h"

namespace dlpu {
namespace {

struct Arguments {
  std::string model, target, product, os, fail_on, json;
  bool all = false, run = false, notes = false, strict = false;
  double strict_percent = 0;
};

struct Judged {
  std::vector<CheckReport> reports;
  bool by_name = false;  // each target was asked for by its name
};

Result<Judged> JudgeAll(const Arguments& arguments, const LoadedModel& model) {
  CheckOptions options;
  options.os = arguments.os;
  options.run = arguments.run;
  Judged judged;
  std::vector<Target> targets;
  if (!arguments.product.empty()) {
    DLPU_TRY(ChosenProduct chosen, ChooseProduct(arguments.product));
    options.product = std::move(chosen.product);
    targets.push_back(std::move(chosen.target));
    judged.by_name = true;
  } else {
    const std::string names = arguments.all || arguments.target.empty() ? "all" : arguments.target;
    judged.by_name = names != "all";
    DLPU_TRY(targets, ChooseTargets(names));
  }
  for (const Target& target : targets) {
    DLPU_TRY(CheckReport report, Check(model, target, options));
    judged.reports.push_back(std::move(report));
  }
  return judged;
}

Result<std::optional<Severity>> FailOn(const std::string& word) {
  if (word.empty()) return std::optional<Severity>();
  for (const Severity severity : {Severity::kNote, Severity::kWarning, Severity::kError}) {
    if (word == SeverityName(severity)) return std::optional(severity);
  }
  return InvalidError(fmt::format("--fail-on {}: give error, warning or note", word));
}

// Refusal comes before findings: who asks for one target wants to know first whether it loads.
int ExitOf(const Judged& judged, const Arguments& arguments, std::optional<Severity> fail_on) {
  for (const CheckReport& report : judged.reports) {
    if (judged.by_name && report.verdict == CheckVerdict::kRefused) return kExitNotLoadable;
  }
  for (const CheckReport& report : judged.reports) {
    for (const Finding& finding : report.findings) {
      if (fail_on && finding.severity >= *fail_on) return kExitFindings;
    }
    if (arguments.strict && report.verdict != CheckVerdict::kRuns) return kExitFindings;
  }
  return kExitOk;
}

CommandResult RunCheck(const Arguments& arguments) {
  DLPU_TRY(const std::optional<Severity> fail_on, FailOn(arguments.fail_on));
  if (!arguments.product.empty() && (arguments.all || !arguments.target.empty())) {
    return InvalidError("--product names the target already: leave out --target and --all");
  }
  DLPU_TRY(const LoadedModel model, LoadModel(arguments.model));
  DLPU_TRY(const Judged judged, JudgeAll(arguments, model));
  nlohmann::ordered_json json = {
      {"schema_version", kJsonSchemaVersion}, {"model", model.path}, {"sha256", model.sha256}};
  std::string text;
  for (const CheckReport& report : judged.reports) {
    text += (text.empty() ? "" : "\n") + CheckText(report, arguments.notes);
    if (judged.reports.size() == 1) {
      json.update(CheckJson(report));
    } else {
      json["targets"].push_back(CheckJson(report));
    }
  }
  PrintText(arguments.json, text);
  DLPU_RETURN_IF_ERROR(WriteJson(arguments.json, json));
  return ExitOf(judged, arguments, fail_on);
}

}  // namespace

void AddCheckCommand(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  Command command(app, "check", "Show whether targets take a model, and what to change",
                  [arguments] { return RunCheck(*arguments); });
  command.Positional("MODEL", &arguments->model, "A file, a zoo model's name, or 'digits'");
  command.Option("--target", "T[,T..]|all", &arguments->target, "Targets (default: all)");
  command.Option("--product", "P", &arguments->product, "A product, such as Q1656");
  command.Flag("--all", &arguments->all, "All targets");
  command.Option("--os", "VERSION", &arguments->os, "AXIS OS version, such as 10.6");
  command.Flag("--run", &arguments->run, "Also run it, to see whether outputs depend on the input");
  command.Flag("--notes", &arguments->notes, "Show notes too");
  command.Option("--fail-on", "SEVERITY", &arguments->fail_on,
                 "Exit with 3 when there is an error, warning or note");
  command.Flag("--strict", &arguments->strict, "Exit with 3 when an op is off the DLPU");
  command.Json(&arguments->json);
}

}  // namespace dlpu
