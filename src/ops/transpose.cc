// SPDX-License-Identifier: Apache-2.0
// TRANSPOSE: axis d of the output is axis perm[d] of the input.
#include <fmt/format.h>

#include "ops/movement.h"

namespace dlpu {
namespace {

constexpr size_t kMaxRank = 8;  // of LiteRT's kernel

Result<std::vector<int>> ReadPermutation(const OpContext& context) {
  const size_t rank = context.input(0).shape.size();
  if (rank > kMaxRank) {
    return context.Unsupported(
        fmt::format("an input of {} dimensions; the op takes {}", rank, kMaxRank));
  }
  DLPU_TRY(const std::vector<int64_t> values, context.ConstantInts(1));
  if (values.size() != rank) {
    return context.Invalid(
        fmt::format("a permutation of {} axes for an input of {}", values.size(), rank));
  }
  std::vector<int> axes;
  std::vector<bool> used(rank, false);
  for (const int64_t value : values) {
    DLPU_TRY(const int axis, NormaliseAxis(context, value, rank));
    if (used[axis]) return context.Invalid(fmt::format("axis {} occurs twice", axis));
    used[axis] = true;
    axes.push_back(axis);
  }
  return axes;
}

Result<std::vector<OutputSpec>> Infer(const OpContext& context) {
  DLPU_TRY(const std::vector<int> axes, ReadPermutation(context));
  std::vector<int64_t> extents;
  for (const int axis : axes) extents.push_back(context.input(0).shape[axis]);
  return OneOutput(context, context.input(0).type, extents);
}

Result<PreparedOp> Prepare(const PrepareContext& context) {
  const Tensor& input = context.input(0);
  DLPU_RETURN_IF_ERROR(ExpectTypeIn(context, input, kMovableTypes));
  DLPU_RETURN_IF_ERROR(ExpectSameType(context, context.output(0), input));
  DLPU_TRY(const std::vector<int> axes, ReadPermutation(context));
  const std::vector<int64_t> strides = PackedStrides(Extents(input.shape));
  CopySpec spec{
      .element_bytes = ElementBytes(input), .extents = {}, .in_strides = {}, .out_strides = {}};
  for (const int axis : axes) {
    spec.extents.push_back(input.shape[axis]);
    spec.in_strides.push_back(strides[axis]);
  }
  spec.out_strides = PackedStrides(spec.extents);
  return CopyStep({{StridedCopy(spec)}});
}

}  // namespace

const OpDef kTransposeOp = {
    .op = Op::kTranspose,
    .arity = Arity{2, 2, 1, 1},
    .infer = Infer,
    .quantize = QuantizeRule{.kind = QuantizeRule::Kind::kSameAsInput},
    .work = MovementWork,
    .prepare = Prepare,
    .alias = Alias::kNone,
};

}  // namespace dlpu
