// SPDX-License-Identifier: Apache-2.0
// Programs as files (.dlpu; the schema is program.fbs). A file is all that a program needs to run
// elsewhere: it names its target and the SHA-256 of the model it was made from, and ends with
// the beginning of its own SHA-256, so that a damaged one is told from a good one. Pure functions;
// any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "ir/program.h"

namespace dlpu {

// Version of the format that is written; others are refused.
inline constexpr uint32_t kProgramFileVersion = 1;

// Equal programs give equal bytes.
std::vector<uint8_t> WriteProgram(const Program& program);

// The program without work and memory plan: they are not in the file. LoadProgram (passes) makes
// them and checks what this function cannot, the shapes of steps; run nothing that it has not seen.
// Errors: no program file, cut off, damaged, another version, words this build does not know, or a
// program that breaks the invariants of graph.h. `name` is how they call the file.
Result<Program> ReadProgram(std::span<const uint8_t> bytes, const std::string& name);

// The body of a file with a fresh checksum behind it, for tests that damage files on purpose.
std::vector<uint8_t> SealProgram(std::span<const uint8_t> body);

}  // namespace dlpu
