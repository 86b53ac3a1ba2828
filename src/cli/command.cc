// SPDX-License-Identifier: Apache-2.0
// The command line on CLI11, and the shared parts of the commands.
#include "cli/command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/file.h"

namespace dlpu {
namespace {

int g_exit_code = kExitUsage;  // of the one command that a process runs

}  // namespace

Command::Command(CLI::App& app, const std::string& name, const std::string& description,
                 std::function<CommandResult()> body)
    : app_(app.add_subcommand(name, description)) {
  app_->callback([body = std::move(body), name] {
    const CommandResult result = body();
    if (result.ok()) {
      g_exit_code = *result;
      return;
    }
    g_exit_code = kExitFailed;
    PrintNote(fmt::format("dlpu {}: {}", name, result.error().message));
  });
}

void Command::Positional(const std::string& name, std::string* value, const std::string& help,
                         bool required) {
  app_->add_option(name, *value, help)->required(required)->type_name("");
}

void Command::Positional(const std::string& name, std::vector<std::string>* values,
                         const std::string& help) {
  app_->add_option(name, *values, help)->type_name("");
}

void Command::Option(const std::string& flag, const std::string& type, std::string* value,
                     const std::string& help) {
  app_->add_option(flag, *value, help)->type_name(type);
}

void Command::Option(const std::string& flag, const std::string& type,
                     std::vector<std::string>* values, const std::string& help) {
  app_->add_option(flag, *values, help)->type_name(type)->allow_extra_args(false)->take_all();
}

void Command::Option(const std::string& flag, const std::string& type, std::vector<float>* values,
                     const std::string& help) {
  app_->add_option(flag, *values, help)->type_name(type)->delimiter(',');
}

void Command::Option(const std::string& flag, const std::string& type, int* value, int low,
                     int high, const std::string& help) {
  app_->add_option(flag, *value, help)->check(CLI::Range(low, high))->type_name(type);
}

void Command::Option(const std::string& flag, const std::string& type, double* value, double low,
                     double high, const std::string& help) {
  app_->add_option(flag, *value, help)->check(CLI::Range(low, high))->type_name(type);
}

void Command::Flag(const std::string& flag, bool* value, const std::string& help) {
  app_->add_flag(flag, *value, help);
}

void Command::Json(std::string* path) {
  Option("--json", "FILE|-", path, "Write the facts as JSON to FILE ('-': stdout, JSON only)");
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

void AddModelOptions(Command& command, ModelArguments* arguments) {
  ModelOptions& options = arguments->options;
  command.Positional("MODEL", &options.model,
                     "A .tflite file, the name of a pulled zoo model, or 'digits' (built in)");
  command.Option("--shape", "NAME=1,300,300,3", &arguments->shapes,
                 "Fix the shape of an input; may be repeated");
  command.Option("--cut-at", "OP_OR_LAYER", &options.cut_at,
                 "Leave out the first such op or layer and all that depends on it");
  command.Option("--profile", "NAME", &options.profile,
                 "Integer arithmetic: tflite-reference (default), tflite-builtin or xnnpack");
  command.Option("--threads", "N", &options.threads, 1, 256,
                 "Threads (default: one for each physical core)");
}

Result<ModelOptions> Parse(const ModelArguments& arguments) {
  ModelOptions options = arguments.options;
  DLPU_TRY(options.shapes, ParseShapes(arguments.shapes));
  return options;
}

int RunCommandLine(int argc, const char* const* argv) {
  CLI::App app("dlpu: neural networks for Axis camera accelerators, on a PC", "dlpu");
  app.require_subcommand(1);
  app.set_version_flag("--version", "dlpu " DLPU_VERSION);
#define DLPU_COMMAND(Name) Add##Name##Command(app);
#include "cli/commands.def"
#undef DLPU_COMMAND
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kExitOk : kExitUsage;
  }
  return g_exit_code;
}

}  // namespace dlpu
