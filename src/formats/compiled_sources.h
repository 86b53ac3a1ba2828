// SPDX-License-Identifier: Apache-2.0
// Which model a compiled file was made from: noted when `dlpu compile` makes one, looked up where
// the compiled file cannot run but its source can. By the file's content, in the user's own data
// folder. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "base/result.h"

namespace dlpu {

// Below $XDG_DATA_HOME, or ~/.local/share. kNotFound when neither is set.
Status RegisterSource(std::span<const uint8_t> compiled, const std::string& source_path);
// The absolute path of the source; nothing when none was noted.
std::optional<std::string> RegisteredSource(std::span<const uint8_t> compiled);

}  // namespace dlpu
