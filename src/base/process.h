// SPDX-License-Identifier: Apache-2.0
// Runs another program with an argument list (no shell, so nothing in an argument is interpreted)
// and waits for it. Any thread.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace dlpu {

struct ProcessResult {
  int exit_code = 0;   // 128 + the signal's number when a signal ended the program
  std::string output;  // what it wrote to stdout, at most the first MiB
  std::string errors;  // the same for stderr
};

// argv[0] is looked up in PATH. The program runs in folder `cwd` (the caller's, when empty) with
// empty stdin and the caller's environment. A program that is not installed is kNotFound; one that
// ran and failed is a result with its exit code.
Result<ProcessResult> RunProcess(const std::vector<std::string>& argv, const std::string& cwd = "");

}  // namespace dlpu
