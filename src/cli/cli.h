// SPDX-License-Identifier: Apache-2.0
// The whole command line as one function, so that tests can call it.
#pragma once

namespace dlpu {

// Parses and runs; returns the exit code (see ExitCode in command.h).
int RunCommandLine(int argc, const char* const* argv);

}  // namespace dlpu
