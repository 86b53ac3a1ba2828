// SPDX-License-Identifier: Apache-2.0
// What SPLIT, SPLIT_V and UNPACK share: cutting a tensor into parts along one axis. Pure
// functions; any thread.
#pragma once

#include "ops/movement.h"

namespace dlpu {

// Part i is the sizes[i] indices of `axis` after those of the parts before it.
struct SplitGeometry {
  size_t input = 0;  // which input is cut
  int axis = 0;
  std::vector<int64_t> sizes;
};

// The outputs' types and shapes.
Result<std::vector<OutputSpec>> SplitOutputs(const OpContext& context, const SplitGeometry& g);
// One copy for each output.
Result<PreparedOp> PrepareSplit(const PrepareContext& context, const SplitGeometry& g);

// infer and prepare of an op whose parts kGeometry states.
template <Result<SplitGeometry> (*kGeometry)(const OpContext&)>
Result<std::vector<OutputSpec>> InferSplit(const OpContext& context) {
  DLPU_TRY(const SplitGeometry g, kGeometry(context));
  return SplitOutputs(context, g);
}
template <Result<SplitGeometry> (*kGeometry)(const OpContext&)>
Result<PreparedOp> PrepareSplitBy(const PrepareContext& context) {
  DLPU_TRY(const SplitGeometry g, kGeometry(context));
  return PrepareSplit(context, g);
}

}  // namespace dlpu
