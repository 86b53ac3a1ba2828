// SPDX-License-Identifier: Apache-2.0
// Copying rows of 8-bit codes through a table: how CONCATENATION rescales a uint8 input. Pure
// functions; any thread.
#pragma once

#include <array>
#include <cstdint>

#include "base/threads.h"

namespace dlpu {

using CodeTable = std::array<uint8_t, 256>;

// The table of LiteRT's uint8 CONCATENATION for an input with another scale or zero point than
// the output: a = in_scale * (1 / out_scale) and b = -in_zero * a in binary32, then
// clamp(round_half_away(code * a + b) + out_zero, 0, 255).
CodeTable ConcatenationTable(float in_scale, int32_t in_zero, float out_scale, int32_t out_zero);

// out[r * out_stride + i] = table[in[r * width + i]] for rows x width codes.
void CopyRowsThroughTable(const CodeTable& table, const uint8_t* in, int64_t rows, int64_t width,
                          uint8_t* out, int64_t out_stride, ThreadPool& pool);

}  // namespace dlpu
