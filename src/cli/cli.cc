// SPDX-License-Identifier: Apache-2.0
// Puts the commands of commands.def together.
#include "cli/cli.h"

#include "cli/command.h"

namespace dlpu {

int RunCommandLine(int argc, const char* const* argv) {
  CLI::App app("dlpu: neural networks on Axis camera accelerators, on a PC", "dlpu");
  app.require_subcommand(1);
  app.set_version_flag("--version", "dlpu 0.1.0");
#define DLPU_COMMAND(Name) Add##Name##Command(app);
#include "cli/commands.def"
#undef DLPU_COMMAND
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kExitOk : kExitUsage;
  }
  return LastExitCode();
}

}  // namespace dlpu
