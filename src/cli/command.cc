// SPDX-License-Identifier: Apache-2.0
// Shared parts of the commands.
#include "cli/command.h"

#include <fmt/format.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/file.h"

namespace dlpu {
namespace {

int g_exit_code = kExitUsage;  // of the one command that a process runs

}  // namespace

int LastExitCode() { return g_exit_code; }

CLI::App* AddCommand(CLI::App& app, const std::string& name, const std::string& description,
                     std::function<CommandResult()> body) {
  CLI::App* command = app.add_subcommand(name, description);
  command->callback([body = std::move(body), name] {
    const CommandResult result = body();
    if (result.ok()) {
      g_exit_code = *result;
      return;
    }
    g_exit_code = kExitFailed;
    PrintNote(fmt::format("dlpu {}: {}", name, result.error().message));
  });
  return command;
}

void AddJsonOption(CLI::App* command, std::string* path) {
  command->add_option("--json", *path, "Write the facts as JSON to FILE ('-': stdout, JSON only)")
      ->type_name("FILE|-");
}

Status WriteJson(const std::string& path, const nlohmann::ordered_json& json) {
  if (path.empty()) return OkStatus();
  // Names of layers may hold any bytes; what is not UTF-8 is replaced, never an exception.
  const std::string text =
      json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + '\n';
  if (path == "-") {
    std::fwrite(text.data(), 1, text.size(), stdout);
    return OkStatus();
  }
  return WriteTextFile(path, text);
}

void PrintText(const std::string& json_path, const std::string& text) {
  if (json_path != "-") std::fwrite(text.data(), 1, text.size(), stdout);
}

void PrintNote(const std::string& text) { std::fprintf(stderr, "%s\n", text.c_str()); }

void AddModelOptions(CLI::App* command, ModelArguments* arguments) {
  ModelOptions& options = arguments->options;
  command
      ->add_option("MODEL", options.model,
                   "A .tflite file, the name of a pulled zoo model, or 'digits' (built in)")
      ->required();
  command->add_option("--shape", arguments->shapes, "Fix the shape of an input; may be repeated")
      ->type_name("NAME=1,300,300,3")
      ->take_all();
  command
      ->add_option("--cut-at", options.cut_at,
                   "Leave out the first such op or layer and all that depends on it")
      ->type_name("OP_OR_LAYER");
  command
      ->add_option("--profile", options.profile,
                   "Integer arithmetic: tflite-reference, tflite-builtin or xnnpack")
      ->capture_default_str();
  command->add_option("--threads", options.threads, "Threads (default: one for each physical core)")
      ->check(CLI::Range(1, 256));
}

Result<ModelOptions> Parse(const ModelArguments& arguments) {
  ModelOptions options = arguments.options;
  DLPU_TRY(options.shapes, ParseShapes(arguments.shapes));
  return options;
}

}  // namespace dlpu
