// SPDX-License-Identifier: Apache-2.0
// QUANTIZE and DEQUANTIZE: reals to codes and back. Sources: LiteRT's reference kernels
// (quantize.h, dequantize.h). Pure functions; any thread.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/fixed_point.h"

namespace dlpu {

struct AffineQuantize {
  float scale = 1;
  int32_t zero = 0, low = 0, high = 0;

  // clamp(round_half_away(v / scale) + zero, low, high) with a binary32 division. NaN is taken as
  // 0; quotients beyond the codes saturate.
  int32_t operator()(float v) const {
    const float q = v / scale;
    const float bounded = std::min(std::max(q == q ? q : 0.0f, -131072.0f), 131072.0f);
    return std::min(std::max(RoundHalfAway(bounded) + zero, low), high);
  }
};

// scale * (code - zero), correctly rounded: both factors are exact for codes of 16 bits or fewer.
struct AffineDequantize {
  float scale = 1;
  int32_t zero = 0;

  float operator()(int32_t code) const { return scale * static_cast<float>(code - zero); }
};

}  // namespace dlpu
