// SPDX-License-Identifier: Apache-2.0
// What SPACE_TO_BATCH_ND and BATCH_TO_SPACE_ND share: their block sizes and margins. Pure
// functions; any thread.
#pragma once

#include "ops/movement.h"

namespace dlpu {

// Pictures of 3 (NHC) or 4 (NHWC) dimensions, seen as NHWC.
struct BatchBlocks {
  std::vector<int64_t> input;  // n, h, w, c of input 0
  int64_t block_h = 1, block_w = 1;
  int64_t top = 0, bottom = 0, left = 0, right = 0;  // paddings or crops
};
// Inputs 1 and 2 are constants: a block size and a pair of margins for each spatial dimension.
Result<BatchBlocks> ReadBatchBlocks(const OpContext& context);
// The extents of NHWC with as many dimensions as input 0 has.
std::vector<int64_t> WithRankOfInput(const OpContext& context, std::vector<int64_t> nhwc);
// Equal scales, and no zero point in int16.
Status ExpectMovableCodes(const OpContext& context);

}  // namespace dlpu
