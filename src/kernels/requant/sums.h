// SPDX-License-Identifier: Apache-2.0
// Requantization of many sums by one multiplier, for the tables of codes that are made when a layer
// is prepared.
#pragma once

#include <cstdint>
#include <span>

#include "base/cpu.h"
#include "base/fixed_point.h"
#include "kernels/requant/requant.h"

namespace dlpu {

// codes[i] = low byte of Requantize(sums[i]) with `layer`'s rounding (kDouble or kDoubleUp), zero
// point and bounds; by vectors where `cpu` has them, with the same result. REQUIRES: codes has as
// many elements as sums; the bounds fit the output's type.
void RequantizeSums(const RequantLayer& layer, const QuantizedMultiplier& multiplier,
                    std::span<const int32_t> sums, uint8_t* codes, CpuFlags cpu);

}  // namespace dlpu
