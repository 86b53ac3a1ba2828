// SPDX-License-Identifier: Apache-2.0
// The one place that ends the process: a broken assumption of our own code.
#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace dlpu {

void CheckFailed(const char* file, int line, const char* condition) {
  std::fprintf(stderr, "%s:%d: internal check failed: %s\n", file, line, condition);
  std::abort();
}

}  // namespace dlpu
