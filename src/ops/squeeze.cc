// SPDX-License-Identifier: Apache-2.0
// SQUEEZE: the same bytes without some extents of 1 (without all of them when none is named).
#include <fmt/format.h>

#include "ops/movement.h"

namespace dlpu {
namespace {

Result<std::vector<OutputSpec>> Infer(const OpContext& context) {
  const Tensor& input = context.input(0);
  const std::vector<int32_t>& dims = context.attrs<SqueezeAttrs>().dims;
  std::vector<bool> drop(input.shape.size(), false);
  for (size_t d = 0; d < drop.size(); ++d) drop[d] = dims.empty() && input.shape[d] == 1;
  for (const int32_t dim : dims) {
    DLPU_TRY(const int axis, NormaliseAxis(context, dim, input.shape.size()));
    if (input.shape[axis] != 1) {
      return context.Invalid(fmt::format("extent {} of {} is not 1", axis, ShapeText(input.shape)));
    }
    drop[axis] = true;
  }
  Shape shape;
  for (size_t d = 0; d < drop.size(); ++d) {
    if (!drop[d]) shape.push_back(input.shape[d]);
  }
  return std::vector<OutputSpec>{{input.type, shape}};
}

}  // namespace

const OpDef kSqueezeOp = {
    .op = Op::kSqueeze,
    .arity = Arity{1, 1, 1, 1},
    .infer = Infer,
    .quantize = QuantizeRule{.kind = QuantizeRule::Kind::kSameAsInput},
    .work = MovementWork,
    .prepare = PrepareSameBytes,
    .alias = Alias::kInput0,
};

}  // namespace dlpu
