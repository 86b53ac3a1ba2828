// SPDX-License-Identifier: Apache-2.0
// dlpu zoo: published models that dlpu knows, and fetching them.
#include "app/zoo.h"

#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "report/inspect.h"
#include "report/table.h"

namespace dlpu {
namespace {

struct Arguments {
  std::string action, json;
  std::vector<std::string> names;
};

CommandResult List(const Zoo& zoo, const Arguments& arguments) {
  DLPU_TRY(const std::vector<ZooEntry> entries, ZooList(zoo));
  Table table({"name", "task", "format", ">size", "licence", "here", "what it is"});
  nlohmann::ordered_json json = {{"schema_version", kJsonSchemaVersion},
                                 {"models", nlohmann::ordered_json::array()}};
  for (const ZooEntry& entry : entries) {
    const ZooModel& model = entry.model;
    table.AddRow({model.name, model.task, model.format,
                  BytesText(static_cast<int64_t>(model.file.bytes)), model.licence,
                  entry.present ? "yes" : "no", model.title});
    json["models"].push_back({{"name", model.name},
                              {"task", model.task},
                              {"format", model.format},
                              {"file_bytes", model.file.bytes},
                              {"sha256", model.file.sha256},
                              {"licence", model.licence},
                              {"package", model.package},
                              {"package_version", model.package_version},
                              {"registry", model.registry},
                              {"present", entry.present},
                              {"path", entry.present ? entry.model_path : ""}});
  }
  PrintText(arguments.json, table.Text());
  DLPU_RETURN_IF_ERROR(WriteJson(arguments.json, json));
  return static_cast<int>(kExitOk);
}

CommandResult Pull(const Zoo& zoo, const Arguments& arguments) {
  std::vector<ZooModel> models;
  for (const std::string& name : arguments.names) {
    if (name == "all") {
      models = zoo.models;
      break;
    }
    DLPU_TRY(ZooModel model, ZooFindModel(zoo, name));
    models.push_back(std::move(model));
  }
  if (models.empty()) return InvalidError("pull: name a model, or 'all' (dlpu zoo list)");
  ZooOptions options;
  options.progress = PrintNote;
  int failed = 0;
  const auto results = ZooPullAll(models, options);
  for (const Result<ZooPulled>& pulled : results) {
    if (!pulled.ok()) {
      PrintNote("dlpu zoo: " + pulled.error().message);
      ++failed;
      continue;
    }
    PrintText("",
              fmt::format("{}  {}  {}\n", pulled->entry.model.name,
                          pulled->fetched ? "fetched" : "already here", pulled->entry.model_path));
  }
  return static_cast<int>(failed == 0 ? kExitOk : kExitFailed);
}

CommandResult RunZoo(const Arguments& arguments) {
  DLPU_TRY(const Zoo zoo, LoadZoo());
  if (arguments.action == "list") return List(zoo, arguments);
  if (arguments.action == "pull") return Pull(zoo, arguments);
  return InvalidError(fmt::format("'{}' is not known; say list or pull", arguments.action));
}

}  // namespace

void AddZooCommand(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  Command command(app, "zoo", "List published models, or fetch some",
                  [arguments] { return RunZoo(*arguments); });
  command.Positional("ACTION", &arguments->action, "list or pull");
  command.Positional("NAME", &arguments->names, "Models to pull, or 'all'");
  command.Json(&arguments->json);
}

}  // namespace dlpu
