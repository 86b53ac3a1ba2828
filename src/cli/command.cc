// SPDX-License-Identifier: Apache-2.0
// The command line on CLI11, and the shared parts of the commands.
#include "cli/command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "app/tensor_input.h"
#include "base/file.h"
#include "base/nearest.h"
#include "cli/choose_targets.h"

namespace dlpu {
namespace {

int g_exit_code = kExitUsage;  // of the one command that a process runs

}  // namespace

CommandResult Misused(const std::string& command, const std::string& text) {
  PrintNote(fmt::format("dlpu {}: {}", command, text));
  return static_cast<int>(kExitUsage);
}

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
                     const std::string& help, Check check) {
  CLI::Option* option = app_->add_option(flag, *value, help)->type_name(type);
  if (check == nullptr) return;
  option->check([check](const std::string& text) {
    const Status status = check(text);
    return status.ok() ? std::string() : status.error().message;
  });
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

void Command::Option(const std::string& flag, const std::string& type, bool* given, double* value,
                     double low, double high, const std::string& help) {
  app_->add_option_function<std::vector<double>>(
          flag,
          [given, value](const std::vector<double>& values) {
            *given = true;
            if (!values.empty()) *value = values[0];
          },
          help)
      ->check(CLI::Range(low, high))
      ->type_name(type)
      ->expected(0, 1);
}

void Command::OptionalValue(const std::string& flag, const std::string& type, std::string* value,
                            const std::string& without, const std::string& help) {
  app_->add_option_function<std::string>(
          flag,
          [value, without](const std::string& given) { *value = given.empty() ? without : given; },
          help)
      ->expected(0, 1)
      ->type_name(type);
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
  command.Positional(
      "MODEL", &options.model,
      "A .tflite, .onnx or .dlpu file, the name of a pulled zoo model, or 'digits' (built in)");
  command.Option("--shape", "NAME=1,300,300,3", &arguments->shapes,
                 "Fix the shape of an input; may be repeated");
  command.Option("--cut-at", "OP_OR_LAYER", &options.cut_at,
                 "Leave out the first such op or layer and all that depends on it");
  command.Option("--profile", "NAME", &options.profile,
                 "Integer arithmetic: tflite-reference, tflite-builtin or xnnpack (default: the "
                 "target's, tflite-reference without one)",
                 IsProfile);
  command.Option("--threads", "N", &options.threads, 1, 256,
                 "Threads (default: one for each physical core)");
}

void AddTargetOption(Command& command, ModelArguments* arguments) {
  command.Option("--target", "T", &arguments->options.target,
                 "Compile for this target: its engines and its arithmetic", IsTarget);
}

void AddPictureOptions(Command& command, InputOptions* options) {
  command.Option("--mean", "X[,X,X]", &options->mean, "Pixel value that becomes 0");
  command.Option("--std", "X[,X,X]", &options->std, "Pixel values that become 1");
  command.Option("--resize", "HOW", &options->resize, "stretch, letterbox or crop");
  command.Flag("--bgr", &options->bgr, "The model's first channel is blue");
}

Result<ModelOptions> Parse(const ModelArguments& arguments) {
  ModelOptions options = arguments.options;
  DLPU_TRY(options.shapes, ParseShapes(arguments.shapes));
  return options;
}

namespace {

std::vector<const CLI::App*> SubcommandsOf(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App*) { return true; });
}

// Options of a command that have a flag ("--json"), and its positional arguments.
std::vector<const CLI::Option*> OptionsOf(const CLI::App& command, bool positional) {
  return command.get_options(
      [=](const CLI::Option* option) { return option->get_positional() == positional; });
}

std::string FlagsOf(const CLI::App& command) {
  std::string flags;
  for (const CLI::Option* option : OptionsOf(command, false)) {
    for (const std::string& name : option->get_lnames()) {
      flags += (flags.empty() ? "--" : " --") + name;
    }
  }
  return flags;
}

// A completion script for bash, which zsh reads as well (bashcompinit).
std::string CompletionScript(const CLI::App& app) {
  std::string names, cases;
  for (const CLI::App* command : SubcommandsOf(app)) {
    names += (names.empty() ? "" : " ") + command->get_name();
    cases += fmt::format("    {}) words='{}' ;;\n", command->get_name(), FlagsOf(*command));
  }
  return fmt::format(
      "# Completion for dlpu; put it where bash looks, or: source <(dlpu --completion)\n"
      "_dlpu() {{\n"
      "  local word=${{COMP_WORDS[COMP_CWORD]}} words\n"
      "  if [ \"$COMP_CWORD\" = 1 ]; then\n"
      "    COMPREPLY=($(compgen -W '{} --help --version' -- \"$word\"))\n"
      "    return\n"
      "  fi\n"
      "  case ${{COMP_WORDS[1]}} in\n{}"
      "  esac\n"
      "  case $word in\n"
      "    -*) COMPREPLY=($(compgen -W \"$words\" -- \"$word\")) ;;\n"
      "    *) COMPREPLY=($(compgen -f -- \"$word\")) ;;\n"
      "  esac\n"
      "}}\n"
      "complete -o filenames -F _dlpu dlpu\n",
      names, cases);
}

// Text in a man page: a leading dot or quote and backslashes would be commands.
std::string Roff(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || c == '-') out += '\\';
    out += c;
  }
  return !out.empty() && (out[0] == '.' || out[0] == '\'') ? "\\&" + out : out;
}

std::string ManPage(const CLI::App& app) {
  std::string page = fmt::format(
      ".TH DLPU 1 \"\" \"dlpu {}\"\n.SH NAME\ndlpu \\- {}\n.SH SYNOPSIS\n.B dlpu\nCOMMAND "
      "[ARGUMENTS]\n",
      DLPU_VERSION, Roff("neural networks for camera accelerators, on a PC"));
  page += ".SH COMMANDS\n";
  for (const CLI::App* command : SubcommandsOf(app)) {
    page += fmt::format(".SS dlpu {}", command->get_name());
    for (const CLI::Option* option : OptionsOf(*command, true)) {
      page += " " + Roff(option->get_name(true));
    }
    page += "\n" + Roff(command->get_description()) + ".\n";
    for (const CLI::Option* option : OptionsOf(*command, false)) {
      const std::string type = option->get_type_size() == 0 ? "" : " " + option->get_type_name();
      page += fmt::format(".TP\n.B {}{}\n{}\n", Roff(option->get_name(false, true)), Roff(type),
                          Roff(option->get_description()));
    }
  }
  page +=
      ".SH EXIT STATUS\n0 ok, 1 failed, 2 usage, 3 findings at or above \\-\\-fail\\-on, 4 a "
      "gate not met, 5 not loadable on the target.\n";
  return page;
}

std::vector<std::string> CommandNames(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : SubcommandsOf(app)) names.push_back(command->get_name());
  return names;
}

// What is wrong with `words`, which `command` (`called` so, the program or one of its commands)
// does not take.
std::string NotTakenText(const CLI::App& command, const std::string& called,
                         const std::vector<std::string>& words) {
  const std::string help = called + " --help";
  const auto flag = std::find_if(words.begin(), words.end(),
                                 [](const std::string& word) { return word.rfind('-', 0) == 0; });
  if (flag != words.end()) {
    const std::string name = flag->substr(0, flag->find('='));
    std::vector<std::string> names;
    for (const CLI::Option* option : OptionsOf(command, false)) {
      for (const std::string& known : option->get_lnames()) names.push_back("--" + known);
    }
    return fmt::format("{}: there is no option {}{}; {} lists all", called, name,
                       DidYouMean(name, names), help);
  }
  const std::vector<std::string> commands = CommandNames(command);
  if (!commands.empty()) {
    return fmt::format("{}: there is no command '{}'{}; {} lists all", called, words[0],
                       DidYouMean(words[0], commands), help);
  }
  return fmt::format("{}: '{}' is one argument too many; {} says what it takes", called, words[0],
                     help);
}

}  // namespace

int RunCommandLine(int argc, const char* const* argv) {
  CLI::App app("dlpu: neural networks for Axis camera accelerators, on a PC", "dlpu");
  app.require_subcommand(1);
  // Both are made from the definitions that --help shows.
  app.add_flag_callback(
      "--completion",
      [&app] {
        PrintText("", CompletionScript(app));
        throw CLI::Success();
      },
      "Print a completion script for bash and zsh");
  app.add_flag_callback(
      "--man",
      [&app] {
        PrintText("", ManPage(app));
        throw CLI::Success();
      },
      "Print the man page");
  app.set_version_flag("--version", "dlpu " DLPU_VERSION);
#define DLPU_COMMAND(Name) Add##Name##Command(app);
#include "cli/commands.def"
#undef DLPU_COMMAND
  if (argc < 2) {
    PrintNote(app.help());
    return kExitUsage;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ExtrasError&) {
    const CLI::App& command = *app.get_subcommands()[0];
    PrintNote(NotTakenText(command, "dlpu " + command.get_name(), app.remaining(true)));
    return kExitUsage;
  } catch (const CLI::RequiredError& error) {
    if (!app.get_subcommands().empty()) return app.exit(error), kExitUsage;
    PrintNote(NotTakenText(app, "dlpu", {argv[1]}));
    return kExitUsage;
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kExitOk : kExitUsage;
  }
  return g_exit_code;
}

}  // namespace dlpu
