// SPDX-License-Identifier: Apache-2.0
// Activations that a target does not run, or runs slowly, as other ops: exactly or nearly. Nobody
// gets one without asking for it; app/structure.cc measures what each changes. Any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "ir/graph.h"
#include "passes/rewrite.h"

namespace dlpu {

struct Replacement {
  std::string_view name;  // of what is replaced: "hard-swish"
  std::string_view form;  // by what: "relu6"
  bool exact = false;     // the same function, but for the rounding of floats
  std::string_view says;  // the new formula
};

// All there are; of one name the first is what the name alone stands for.
const std::vector<Replacement>& Replacements();

// "hard-swish", or "hard-swish=relu" for a form of it; an error lists what there is.
Result<Replacement> ParseReplacement(const std::string& text);
std::string ReplacementText(const Replacement& replacement);  // "hard-swish=relu6"

// Replaces every such op of float32 tensors. What cannot be replaced is left with the reason.
Rewrites ReplaceOps(Graph& graph, const Replacement& replacement);

}  // namespace dlpu
