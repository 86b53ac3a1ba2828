// SPDX-License-Identifier: Apache-2.0
// The main job's report as text and as JSON. Pure functions.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "app/port.h"

namespace dlpu {

// The table, the times on cameras, what to change and what that is worth; `findings`: also every
// finding of every target with its source.
std::string PortText(const PortReport& report, const LoadedModel& model, bool findings);

nlohmann::ordered_json PortJson(const PortReport& report, const LoadedModel& model);

}  // namespace dlpu
