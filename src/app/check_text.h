// SPDX-License-Identifier: Apache-2.0
// A check's report as text and as JSON. Pure functions.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "app/check.h"

namespace dlpu {

// "refused: 120 of 188 ops on the DLPU, 68 on the CPU, 137 parts".
std::string CheckSummary(const CheckReport& report);
// The summary and every finding; `notes` also those that are only notes.
std::string CheckText(const CheckReport& report, bool notes);

nlohmann::ordered_json FindingJson(const Finding& finding);
// Without schema version and model.
nlohmann::ordered_json CheckJson(const CheckReport& report);

// The conditions of a target as a page of documentation in Markdown, with a count of its rules.
std::string TargetMarkdown(const Target& target);

}  // namespace dlpu
