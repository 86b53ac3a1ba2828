// SPDX-License-Identifier: Apache-2.0
// dlpu targets: what is known of each kind of camera processor.
#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "app/check_text.h"
#include "cli/command.h"
#include "report/inspect.h"
#include "report/table.h"
#include "target/target.h"

namespace dlpu {
namespace {

using Json = nlohmann::ordered_json;

struct Arguments {
  std::string name, json;
  bool markdown = false;
};

std::string Joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

Json TargetJson(const Target& target) {
  Json json = {{"target", target.name},
               {"title", target.title},
               {"dlpu", target.dlpu},
               {"device", target.device},
               {"formats", target.formats},
               {"camera_format", target.camera_format},
               {"quantization", target.quantization.need},
               {"weights", target.quantization.weights},
               {"profile", target.arithmetic.profile},
               {"coverage", target.coverage},
               {"ops", Json::array()},
               {"devices", Json::array()}};
  if (target.fixed_point.has_value()) {
    json["fixed_point"] = {{"wide_below_db", target.fixed_point->wide_below_db},
                           {"says", target.fixed_point->says},
                           {"source", target.fixed_point->fact.source},
                           {"confidence", ConfidenceName(target.fixed_point->fact.confidence)}};
  }
  for (const TargetOp& op : target.ops) json["ops"].push_back(op.name);
  for (const TargetDevice& device : target.devices) {
    json["devices"].push_back({{"name", device.name},
                               {"runs", device.runs},
                               {"engine", device.engine},
                               {"takes", device.takes},
                               {"source", device.fact.source},
                               {"confidence", ConfidenceName(device.fact.confidence)}});
  }
  return json;
}

std::string Sourced(const std::string& text, const Fact& fact) {
  return fmt::format("{} [{}: {}]\n", text, ConfidenceName(fact.confidence), fact.source);
}

std::string OneText(const Target& target) {
  std::string text = fmt::format("{} ({}), device {}\n{}\n\n", target.name, target.title,
                                 target.device, target.summary);
  text += Sourced("quantization: " + target.quantization.says, target.quantization.fact);
  if (target.fixed_point.has_value()) {
    text += Sourced("in its place here: " + target.fixed_point->says, target.fixed_point->fact);
  }
  if (target.compiler.has_value()) {
    text += Sourced(fmt::format("compiler: {}: {}", target.compiler->name, target.compiler->says),
                    target.compiler->fact);
  }
  text += Sourced("partition: " + target.partition.says, target.partition.fact);
  text += Sourced(
      fmt::format("arithmetic here: {}; {}", target.arithmetic.profile, target.arithmetic.says),
      target.arithmetic.fact);
  Table devices({"device", "runs", "engine", "takes", "known how"});
  for (const TargetDevice& device : target.devices) {
    devices.AddRow({device.name, device.runs, device.engine, Joined(device.takes),
                    std::string(ConfidenceName(device.fact.confidence))});
  }
  text += "\n" + devices.Text() + fmt::format("\nops on the DLPU: {}\n", target.coverage);
  for (const TargetOp& op : target.ops) {
    std::string line = "  " + op.name;
    for (const Condition& condition : op.conditions) line += "; " + condition.says;
    text += line + "\n";
  }
  for (const Condition& rule : target.node_rules) text += "every op: " + rule.says + "\n";
  for (const Condition& rule : target.rules) {
    text += fmt::format("{}: {}\n", AboutName(rule.about), rule.says);
  }
  return text;
}

CommandResult RunTargets(const Arguments& arguments) {
  if (arguments.markdown && arguments.name.empty()) {
    return InvalidError("--markdown writes the page of one target: name it");
  }
  DLPU_TRY(const std::vector<Target> targets, LoadTargets());
  if (!arguments.name.empty()) {
    DLPU_TRY(const Target target, FindTarget(targets, arguments.name));
    Json json = {{"schema_version", kJsonSchemaVersion}};
    json.update(TargetJson(target));
    PrintText(arguments.json, arguments.markdown ? TargetMarkdown(target) : OneText(target));
    DLPU_RETURN_IF_ERROR(WriteJson(arguments.json, json));
    return static_cast<int>(kExitOk);
  }
  Table table({"target", "DLPU", "takes", "quantization", "device"});
  Json json = {{"schema_version", kJsonSchemaVersion}, {"targets", Json::array()}};
  for (const Target& target : targets) {
    table.AddRow({target.name, target.dlpu, Joined(target.formats), target.quantization.need,
                  target.device});
    json["targets"].push_back(TargetJson(target));
  }
  PrintText(arguments.json, table.Text());
  DLPU_RETURN_IF_ERROR(WriteJson(arguments.json, json));
  return static_cast<int>(kExitOk);
}

}  // namespace

void AddTargetsCommand(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  Command command(app, "targets", "Show the kinds of camera processors and what they take",
                  [arguments] { return RunTargets(*arguments); });
  command.Positional("TARGET", &arguments->name, "One target in full", false);
  command.Flag("--markdown", &arguments->markdown, "The target's page of docs/targets");
  command.Json(&arguments->json);
}

}  // namespace dlpu
