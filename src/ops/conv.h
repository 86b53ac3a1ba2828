// SPDX-License-Identifier: Apache-2.0
// What the convolution-like ops share: the effective scales of each output channel and the
// rounding that the arithmetic profile prescribes. Pure functions; any thread.
#pragma once

#include <vector>

#include "base/fixed_point.h"
#include "base/result.h"
#include "ops/op.h"

namespace dlpu {

// input scale * weight scale / output scale for each of `channels` output channels, with the
// operand widths of LiteRT: binary64 throughout for int8, a binary32 product for uint8, binary32
// throughout for XNNPACK. A single weight scale is repeated.
Result<std::vector<Requantization>> ConvRequantization(const OpContext& context, Profile profile,
                                                       const Tensor& input, const Tensor& weights,
                                                       const Tensor& output, int32_t channels);

// Rounding of int8 and uint8 CONV_2D in a profile.
Rounding ConvRounding(Profile profile);

// Bias checks shared by the quantized forms: int32, constant or computed, `channels` elements.
Status ExpectBias(const OpContext& context, size_t index, DataType type, int32_t channels);

}  // namespace dlpu
