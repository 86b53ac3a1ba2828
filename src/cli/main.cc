// SPDX-License-Identifier: Apache-2.0
// The dlpu program: finds the command and runs it.
#include "cli/command.h"

int main(int argc, char** argv) { return dlpu::RunCommandLine(argc, argv); }
