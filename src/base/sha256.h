// SPDX-License-Identifier: Apache-2.0
// SHA-256 (FIPS 180-4) of bytes as 64 lower-case hexadecimal digits. Any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace dlpu {

// With the CPU's instructions for it where it has them.
std::string Sha256Hex(std::span<const uint8_t> bytes);
// The same without.
std::string PortableSha256Hex(std::span<const uint8_t> bytes);

}  // namespace dlpu
