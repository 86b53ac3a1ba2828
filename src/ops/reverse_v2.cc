// SPDX-License-Identifier: Apache-2.0
// REVERSE_V2: the input with some neighbouring axes walked backwards.
#include <fmt/format.h>

#include <algorithm>

#include "ops/movement.h"

namespace dlpu {
namespace {

constexpr size_t kMaxRank = 8;  // of LiteRT's kernel

Result<PreparedOp> Prepare(const PrepareContext& context) {
  const Tensor& input = context.input(0);
  DLPU_RETURN_IF_ERROR(ExpectTypeIn(context, input, kMovableTypes));
  if (context.input(1).type != DataType::kInt32) {
    return context.UnsupportedType(context.input(1), "int32");
  }
  const size_t rank = input.shape.size();
  if (rank > kMaxRank) return context.Unsupported(fmt::format("{} dimensions", rank));
  DLPU_TRY(std::vector<int64_t> axes, context.ConstantInts(1));
  for (int64_t& axis : axes) {
    DLPU_TRY(axis, NormaliseAxis(context, axis, rank));
  }
  std::sort(axes.begin(), axes.end());
  for (size_t i = 1; i < axes.size(); ++i) {
    if (axes[i] != axes[i - 1] + 1) {
      return context.Unsupported("axes that are not neighbours, or the same twice");
    }
  }
  CopySpec spec{.element_bytes = ElementBytes(input),
                .extents = Extents(input.shape),
                .in_strides = PackedStrides(Extents(input.shape)),
                .out_strides = PackedStrides(Extents(input.shape))};
  for (const int64_t axis : axes) {
    spec.in_offset += (spec.extents[axis] - 1) * spec.in_strides[axis];
    spec.in_strides[axis] = -spec.in_strides[axis];
  }
  return CopyStep({{StridedCopy(spec)}});
}

}  // namespace

const OpDef kReverseV2Op = {
    .op = Op::kReverseV2,
    .arity = Arity{2, 2, 1, 1},
    .infer = InferSameAsInput,
    .quantize = QuantizeRule{.kind = QuantizeRule::Kind::kSameAsInput},
    .work = MovementWork,
    .prepare = Prepare,
    .alias = Alias::kNone,
};

}  // namespace dlpu
