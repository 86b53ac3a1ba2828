// SPDX-License-Identifier: Apache-2.0
// What every command of the command line shares: exit codes, options, JSON output. One file for
// each command defines Add<Name>Command; commands.def lists them.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "app/model.h"
#include "base/result.h"

namespace dlpu {

enum ExitCode {
  kExitOk = 0,
  kExitFailed = 1,       // something went wrong; stderr says what
  kExitUsage = 2,        // the command line is wrong
  kExitFindings = 3,     // findings at or above --fail-on
  kExitGate = 4,         // an accuracy, latency or memory gate was not met
  kExitNotLoadable = 5,  // the target would refuse the model
};

// What a command returns: its exit code, or an error that becomes kExitFailed.
using CommandResult = Result<int>;

// Adds a subcommand whose body runs after parsing. The body owns the options it refers to.
CLI::App* AddCommand(CLI::App& app, const std::string& name, const std::string& description,
                     std::function<CommandResult()> body);

// Exit code of the command that ran, or kExitUsage when none did.
int LastExitCode();

// --json FILE|-.
void AddJsonOption(CLI::App* command, std::string* path);
// Writes the document when a path was given ("-" is stdout).
Status WriteJson(const std::string& path, const nlohmann::ordered_json& json);
// Prints text for people: to stdout, or nowhere when stdout carries the JSON.
void PrintText(const std::string& json_path, const std::string& text);
// Notes and progress for people, on stderr.
void PrintNote(const std::string& text);

// MODEL, --shape, --cut-at, --profile, --threads.
struct ModelArguments {
  ModelOptions options;
  std::vector<std::string> shapes;
};
void AddModelOptions(CLI::App* command, ModelArguments* arguments);
// The options with --shape parsed.
Result<ModelOptions> Parse(const ModelArguments& arguments);

#define DLPU_COMMAND(Name) void Add##Name##Command(CLI::App& app);
#include "cli/commands.def"
#undef DLPU_COMMAND

}  // namespace dlpu
