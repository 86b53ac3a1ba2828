// SPDX-License-Identifier: Apache-2.0
// Conversions between number types as CAST has them. Pure functions; any thread.
#pragma once

#include <cstdint>
#include <limits>
#include <type_traits>

namespace dlpu {

// Real to integer: toward zero, saturating; NaN gives the largest value. To bool: whether not 0.
// Integers wrap. Source: LiteRT 2.2 (cast.cc).
template <typename To, typename From>
To ConvertNumber(From value) {
  if constexpr (std::is_same_v<To, bool>) {
    return value != From{0};
  } else if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>) {
    constexpr To kLowest = std::numeric_limits<To>::lowest(),
                 kHighest = std::numeric_limits<To>::max();
    // 2^bits is exact in binary32 and binary64, kHighest may not be.
    constexpr From kBeyond = static_cast<From>(kHighest / 2 + 1) * 2;
    if (!(value < kBeyond)) return kHighest;  // NaN too
    if (value <= static_cast<From>(kLowest)) return kLowest;
    return static_cast<To>(value);
  } else {
    return static_cast<To>(value);
  }
}

}  // namespace dlpu
