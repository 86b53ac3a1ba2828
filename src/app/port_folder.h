// SPDX-License-Identifier: Apache-2.0
// The folder that `dlpu port --out` leaves: for each target what goes to the camera, the report,
// the picture with what was found, and a README.txt with the next steps.
#pragma once

#include <string>
#include <vector>

#include "app/compile.h"
#include "app/port.h"
#include "base/result.h"

namespace dlpu {

// Compiles the model for every target that takes it and writes, into `folder` (made when it is
// missing), <target>/..., report.txt, report.json and README.txt. Returns the paths of the files.
// REQUIRES: `targets` are those of the report, in its order.
Result<std::vector<std::string>> WritePortFolder(const LoadedModel& model, const PortReport& report,
                                                 const std::vector<Target>& targets,
                                                 const PortOptions& options,
                                                 const std::string& folder);

// The text of README.txt. `compiled` is parallel to the report's rows; a row that was not compiled
// has no artifacts.
std::string PortReadme(const LoadedModel& model, const PortReport& report,
                       const std::vector<Target>& targets,
                       const std::vector<CompiledTarget>& compiled, const std::string& folder);

}  // namespace dlpu
