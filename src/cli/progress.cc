// SPDX-License-Identifier: Apache-2.0
// Stages on stderr.
#include "cli/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

namespace dlpu {

void StageProgress::Show(int done, int total, const std::string& what) {
  if (isatty(STDERR_FILENO) != 0) {
    fmt::print(stderr, "\r\033[K{}: {} of {}{}", what, done, total, done >= total ? "\n" : "");
  } else if (what != stage_) {
    fmt::print(stderr, "{} ({})\n", what, total);
  }
  stage_ = what;
}

}  // namespace dlpu
