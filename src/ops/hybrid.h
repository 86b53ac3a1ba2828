// SPDX-License-Identifier: Apache-2.0
// What dynamic-range layers share: float32 activations, int8 weights. Pure functions; any thread.
#pragma once

#include <vector>

#include "kernels/hybrid/hybrid.h"
#include "ops/conv.h"

namespace dlpu {

// True when the layer has float32 input and int8 or int4 weights.
bool IsHybrid(const OpContext& context);

// float32 output and a float32 bias of `channels` as input 2; constant quantized weights with
// scales along `channel_axis`.
Status ExpectHybrid(const OpContext& context, int channel_axis, int32_t channels);

// The weights' scales: one, or one for each channel that is not like all others.
std::vector<float> HybridScales(const Tensor& weights);

// Steps that run the kernel from input 0 to output 0.
PreparedOp RunHybridConv(const PrepareContext& context, const HybridConvSpec& spec);
PreparedOp RunHybridDepthwise(const PrepareContext& context, const HybridDepthwiseSpec& spec);

}  // namespace dlpu
