// SPDX-License-Identifier: Apache-2.0
// A child process that is talked to line by line, like a peer engine's timing loop. Owned by one
// thread; the destructor closes its input and waits for it.
#pragma once

#include <sys/types.h>

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"

namespace dlpu {

class LineProcess {
 public:
  // argv[0] is looked up in PATH; no shell. The child's stderr is discarded.
  static Result<std::unique_ptr<LineProcess>> Start(const std::vector<std::string>& argv);
  ~LineProcess();
  LineProcess(const LineProcess&) = delete;
  LineProcess& operator=(const LineProcess&) = delete;

  Status Write(const std::string& line);  // without the newline
  Result<std::string> Read();             // without the newline; an error when the child is gone

 private:
  LineProcess(pid_t pid, std::FILE* in, std::FILE* out) : pid_(pid), in_(in), out_(out) {}
  pid_t pid_;
  std::FILE* in_;
  std::FILE* out_;
};

}  // namespace dlpu
