// SPDX-License-Identifier: Apache-2.0
// Bytes as text: hexadecimal and base64 (RFC 4648, with padding). Pure functions; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace dlpu {

// Two lower-case digits a byte.
std::string HexOf(std::span<const uint8_t> bytes);
std::string Base64Of(std::span<const uint8_t> bytes);
// Nothing when the text is not of that form. Hexadecimal digits may be of either case.
std::optional<std::vector<uint8_t>> BytesFromHex(std::string_view text);
std::optional<std::vector<uint8_t>> BytesFromBase64(std::string_view text);

}  // namespace dlpu
