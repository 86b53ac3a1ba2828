// SPDX-License-Identifier: Apache-2.0
// SHA-256 of bytes as 64 lower-case hexadecimal digits (libcrypto). Any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace dlpu {

std::string Sha256Hex(std::span<const uint8_t> bytes);

}  // namespace dlpu
