// SPDX-License-Identifier: Apache-2.0
// Whole files in and out of memory, with errors that name the path and the remedy. Any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"

namespace dlpu {

// Reads a regular file of at most `max_bytes`. A missing file, a directory, an unreadable or a
// too large file is an error that says which.
Result<std::vector<uint8_t>> ReadFile(const std::string& path,
                                      uint64_t max_bytes = uint64_t{4} << 30);
Result<std::string> ReadTextFile(const std::string& path);

// Writes through a temporary file in the same folder, so a failure leaves the old file whole.
Status WriteFile(const std::string& path, std::span<const uint8_t> bytes);
Status WriteTextFile(const std::string& path, const std::string& text);

// Makes a folder and its parents; an existing one is fine.
Status MakeDirectory(const std::string& path);

}  // namespace dlpu
