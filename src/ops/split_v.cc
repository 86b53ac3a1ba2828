// SPDX-License-Identifier: Apache-2.0
// SPLIT_V: input 0 in parts of the sizes in input 1 (one may be -1: the rest) along the axis in
// input 2.
#include <fmt/format.h>

#include "ops/split.h"

namespace dlpu {
namespace {

Result<SplitGeometry> ComputeGeometry(const OpContext& context) {
  const Tensor& input = context.input(0);
  DLPU_RETURN_IF_ERROR(ExpectTypeIn(context, input, kCommonTypes));
  DLPU_TRY(const int64_t value, ConstantInt(context, 2));
  SplitGeometry g;
  DLPU_TRY(g.axis, NormaliseAxis(context, value, input.shape.size()));
  DLPU_TRY(g.sizes, context.ConstantInts(1));
  if (g.sizes.size() != context.output_count()) {
    return context.Invalid(
        fmt::format("{} sizes for {} outputs", g.sizes.size(), context.output_count()));
  }
  const int64_t extent = input.shape[g.axis];
  int64_t sum = 0;
  int64_t* rest = nullptr;
  for (int64_t& size : g.sizes) {
    if (size == -1 && rest == nullptr) {
      rest = &size;
    } else if (size < 0 || size > extent) {
      return context.Invalid(fmt::format("a part of {} of an extent of {}", size, extent));
    } else {
      sum += size;
    }
  }
  if (rest != nullptr && sum <= extent) {
    *rest = extent - sum;
    sum = extent;
  }
  if (sum != extent) {
    return context.Invalid(fmt::format("parts of {} together, the extent is {}", sum, extent));
  }
  return g;
}

}  // namespace

const OpDef kSplitVOp = {
    .op = Op::kSplitV,
    .arity = Arity{3, 3, 1, kAnyNumber},
    .infer = InferSplit<ComputeGeometry>,
    .quantize = QuantizeRule{.kind = QuantizeRule::Kind::kSameAsInput},
    .work = MovementWork,
    .prepare = PrepareSplitBy<ComputeGeometry>,
    .alias = Alias::kNone,
};

}  // namespace dlpu
