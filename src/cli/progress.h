// SPDX-License-Identifier: Apache-2.0
// How far a long command is, on stderr: a line that is overwritten where a person watches, else one
// line for each stage as it begins. One thread at a time.
#pragma once

#include <string>

namespace dlpu {

class StageProgress {
 public:
  // `done` of `total` steps of the stage called `what`.
  void Show(int done, int total, const std::string& what);

 private:
  std::string stage_;
};

}  // namespace dlpu
