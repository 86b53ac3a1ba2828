// SPDX-License-Identifier: Apache-2.0
// dlpu check: what a target will do with a model, why, and what to change.
#include "app/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>

#include "app/check_file.h"
#include "app/check_text.h"
#include "app/fix.h"
#include "base/file.h"
#include "cli/choose_targets.h"
#include "cli/command.h"
#include "formats/tflite.h"
#include "report/inspect.h"

namespace dlpu {
namespace {

struct Arguments {
  std::string model, target, product, os, fail_on, fix, fix_only, json;
  std::vector<std::string> shapes;
  bool all = false, run = false, notes = false, strict = false;
  double strict_percent = -1;  // negative: no op may be off the DLPU
};

struct Judged {
  std::vector<Target> targets;
  CheckOptions options;
  std::vector<CheckReport> reports;  // one for each target
  bool by_name = false;              // each target was asked for by its name
};

Result<Judged> JudgeAll(const Arguments& arguments, const LoadedModel& model) {
  Judged judged;
  CheckOptions& options = judged.options;
  std::vector<Target>& targets = judged.targets;
  options.os = arguments.os;
  options.run = arguments.run;
  DLPU_TRY(options.targets, LoadTargets());
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

// Whether more is off the DLPU than `percent` of the time allows; a negative one allows no op. What
// has no predicted time is judged by its ops.
bool OffTheDlpu(const CheckReport& report, double percent) {
  if (report.verdict == CheckVerdict::kRuns) return false;
  if (percent < 0 || report.verdict != CheckVerdict::kRunsWithFallback || !report.time) return true;
  return 100 * report.time->cpu_share > percent;
}

std::vector<std::string> Words(const std::string& list) {
  std::vector<std::string> words;
  std::istringstream stream(list);
  for (std::string word; std::getline(stream, word, ',');) words.push_back(word);
  return words;
}

// Writes the fixed model and adds what became of it.
Status FixTo(const Arguments& arguments, const LoadedModel& model, const Judged& judged,
             std::string& text, nlohmann::ordered_json& json) {
  if (judged.targets.size() != 1) {
    return InvalidError("--fix: name the one --target or --product to fix the model for");
  }
  const Target& target = judged.targets[0];
  DLPU_TRY(const FixReport fixed, Fix(model, target, {.only = Words(arguments.fix_only)}));
  DLPU_TRY(const std::vector<uint8_t> bytes, WriteTflite(fixed.graph));
  DLPU_RETURN_IF_ERROR(WriteFile(arguments.fix, bytes));
  LoadedModel better = model;
  better.graph = fixed.graph;
  DLPU_TRY(const CheckReport report, Check(better, target, judged.options));
  const bool too_new = std::any_of(report.findings.begin(), report.findings.end(),
                                   [](const Finding& f) { return f.rule == "op-version"; });
  text += fmt::format("\n{}{}: {}\n", FixText(fixed, too_new), arguments.fix, CheckSummary(report));
  json["fix"] = FixJson(fixed);
  json["fix"]["path"] = arguments.fix;
  json["fix"]["check"] = CheckJson(report);
  return OkStatus();
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
    if (arguments.strict && OffTheDlpu(report, arguments.strict_percent)) return kExitFindings;
  }
  return kExitOk;
}

// What is wrong with the options together; empty when nothing is.
std::string Contradiction(const Arguments& arguments) {
  if (!arguments.product.empty() && (arguments.all || !arguments.target.empty())) {
    return "--product names the target already: leave out --target and --all";
  }
  if (arguments.all && !arguments.target.empty()) {
    return "--target and --all contradict each other: leave out one";
  }
  if (arguments.fix.empty() && !arguments.fix_only.empty()) {
    return "--fix-only says what --fix OUT does: give --fix OUT too";
  }
  return "";
}

CommandResult RunCheck(const Arguments& arguments) {
  const std::string wrong = Contradiction(arguments);
  if (!wrong.empty()) return Misused("check", wrong);
  DLPU_TRY(const std::optional<Severity> fail_on, FailOn(arguments.fail_on));
  DLPU_TRY(const auto shapes, ParseShapes(arguments.shapes));
  DLPU_TRY(const LoadedModel model, LoadForCheck(arguments.model, shapes));
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
  if (!arguments.fix.empty()) {
    DLPU_RETURN_IF_ERROR(FixTo(arguments, model, judged, text, json));
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
  command.Option("--target", "T[,T..]|all", &arguments->target, "Targets (default: all)",
                 AreTargets);
  command.Option("--product", "P", &arguments->product, "A product, such as Q1656", IsProduct);
  command.Flag("--all", &arguments->all, "All targets");
  command.Option("--os", "VERSION", &arguments->os, "AXIS OS version, such as 10.6");
  command.Option("--shape", "NAME=1,3,300,300", &arguments->shapes,
                 "Shape of an input that an ONNX model leaves open");
  command.Flag("--run", &arguments->run, "Also run it, to see whether outputs depend on the input");
  command.Flag("--notes", &arguments->notes, "Show notes too");
  command.Option("--fail-on", "SEVERITY", &arguments->fail_on,
                 "Exit with 3 when there is an error, warning or note");
  command.Option("--strict", "[PERCENT]", &arguments->strict, &arguments->strict_percent, 0, 100,
                 "Exit with 3 when an op, or more than PERCENT of the time, is off the DLPU");
  command.Option("--fix", "OUT", &arguments->fix,
                 "Write the model with every exact rewrite that helps the target, proved equal");
  command.Option("--fix-only", "KIND[,..]", &arguments->fix_only,
                 "Only these rewrites: cut-post-processing, split-head, fold-pads, "
                 "fold-transposes, fold-reshapes, lower-versions");
  command.Json(&arguments->json);
}

}  // namespace dlpu
