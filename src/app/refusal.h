// SPDX-License-Identifier: Apache-2.0
// Why a target does not take a model, for the commands that would otherwise go on: the first error
// that check finds, so that all commands agree. Any thread.
#pragma once

#include <string>

#include "app/model.h"
#include "base/result.h"
#include "target/target.h"

namespace dlpu {

// In the camera's words where they are known; empty when the target takes the model. `graph` is the
// model as it is to be compiled. `os`: an AXIS OS release, or empty.
Result<std::string> RefusalOf(const LoadedModel& model, const Graph& graph, const Target& target,
                              const std::string& os);

}  // namespace dlpu
