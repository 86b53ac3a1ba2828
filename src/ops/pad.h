// SPDX-License-Identifier: Apache-2.0
// What PAD, PADV2 and MIRROR_PAD share: their paddings. Pure functions; any thread.
#pragma once

#include "kernels/copy/pad.h"
#include "ops/movement.h"

namespace dlpu {

// The paddings of input 1, a constant of rank x 2, with the extents and element size of input 0.
Result<PadSpec> ReadPaddings(const OpContext& context);
// infer: the padded shape.
Result<std::vector<OutputSpec>> InferPad(const OpContext& context);
// prepare of PAD (input 2 absent: pads with the zero point) and PADV2 (input 2: the value).
Result<PreparedOp> PreparePad(const PrepareContext& context);

}  // namespace dlpu
