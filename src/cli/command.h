// SPDX-License-Identifier: Apache-2.0
// What every command of the command line shares: exit codes, options, JSON output. One file for
// each command defines Add<Name>Command; commands.def lists them. The option parser is hidden in
// command.cc, because its header takes long to compile.
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "app/model.h"
#include "base/result.h"

namespace CLI {
class App;
}

namespace dlpu {

struct InputOptions;  // app/tensor_input.h

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

// For options that contradict each other: says so on stderr; kExitUsage.
CommandResult Misused(const std::string& command, const std::string& text);

// A subcommand being described. Values that options write to must outlive parsing: the body, which
// runs afterwards, owns them.
class Command {
 public:
  // Adds a subcommand to the program.
  Command(CLI::App& app, const std::string& name, const std::string& description,
          std::function<CommandResult()> body);

  void Positional(const std::string& name, std::string* value, const std::string& help,
                  bool required = true);
  void Positional(const std::string& name, std::vector<std::string>* values,
                  const std::string& help);
  // What an option's value must be; what it says of another makes the command line wrong.
  using Check = Status (*)(const std::string& value);
  // `type` is what --help shows for the value.
  void Option(const std::string& flag, const std::string& type, std::string* value,
              const std::string& help, Check check = nullptr);
  // The value may be left out; it is `without` then.
  void OptionalValue(const std::string& flag, const std::string& type, std::string* value,
                     const std::string& without, const std::string& help);
  // May be repeated.
  void Option(const std::string& flag, const std::string& type, std::vector<std::string>* values,
              const std::string& help);
  // Comma-separated.
  void Option(const std::string& flag, const std::string& type, std::vector<float>* values,
              const std::string& help);
  // In [low, high].
  void Option(const std::string& flag, const std::string& type, int* value, int low, int high,
              const std::string& help);
  void Option(const std::string& flag, const std::string& type, double* value, double low,
              double high, const std::string& help);
  // A flag that may be followed by a value; `given` tells whether the flag was there.
  void Option(const std::string& flag, const std::string& type, bool* given, double* value,
              double low, double high, const std::string& help);
  void Flag(const std::string& flag, bool* value, const std::string& help);
  // --json FILE|-.
  void Json(std::string* path);

 private:
  CLI::App* app_;
};

// Writes the document when a path was given ("-" is stdout).
Status WriteJson(const std::string& path, const nlohmann::ordered_json& json);
// Prints text for people: to stdout, or nowhere when stdout carries the JSON.
void PrintText(const std::string& json_path, const std::string& text);
// Notes and progress for people, on stderr.
void PrintNote(const std::string& text);

// MODEL, --shape, --cut-at, --profile, --threads; where it is added, --target.
struct ModelArguments {
  ModelOptions options;
  std::vector<std::string> shapes;
};
void AddModelOptions(Command& command, ModelArguments* arguments);
// --target T: compile for that target.
void AddTargetOption(Command& command, ModelArguments* arguments);
// --mean, --std, --resize, --bgr: how pictures become the model's input.
void AddPictureOptions(Command& command, InputOptions* options);
// The options with --shape parsed.
Result<ModelOptions> Parse(const ModelArguments& arguments);

// Parses and runs; the exit code.
int RunCommandLine(int argc, const char* const* argv);

#define DLPU_COMMAND(Name) void Add##Name##Command(CLI::App& app);
#include "cli/commands.def"
#undef DLPU_COMMAND

}  // namespace dlpu
