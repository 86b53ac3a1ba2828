// SPDX-License-Identifier: Apache-2.0
// SLICE: size[d] elements from begin[d] on along each axis; a size of -1 goes to the end.
#include <fmt/format.h>

#include "ops/movement.h"

namespace dlpu {
namespace {

struct Range {
  std::vector<int64_t> begin, size;
};

Result<Range> ReadRange(const OpContext& context) {
  const Shape& shape = context.input(0).shape;
  Range range;
  DLPU_TRY(range.begin, context.ConstantInts(1));
  DLPU_TRY(range.size, context.ConstantInts(2));
  if (range.begin.size() != shape.size() || range.size.size() != shape.size()) {
    return context.Invalid(fmt::format("{} begins and {} sizes for {}", range.begin.size(),
                                       range.size.size(), ShapeText(shape)));
  }
  for (size_t d = 0; d < shape.size(); ++d) {
    const int64_t begin = range.begin[d];
    if (begin < 0 || begin > shape[d]) {
      return context.Invalid(
          fmt::format("begin {} of axis {} is outside {}", begin, d, ShapeText(shape)));
    }
    if (range.size[d] == -1) range.size[d] = shape[d] - begin;
    if (range.size[d] < 0 || range.size[d] > shape[d] - begin) {
      return context.Invalid(fmt::format("{} elements from {} on along axis {} do not fit {}",
                                         range.size[d], begin, d, ShapeText(shape)));
    }
  }
  return range;
}

Result<std::vector<OutputSpec>> Infer(const OpContext& context) {
  DLPU_TRY(const Range range, ReadRange(context));
  return OneOutput(context, context.input(0).type, range.size);
}

Result<PreparedOp> Prepare(const PrepareContext& context) {
  const Tensor& input = context.input(0);
  DLPU_RETURN_IF_ERROR(ExpectTypeIn(context, input, kMovableTypes));
  DLPU_TRY(const Range range, ReadRange(context));
  CopySpec spec{.element_bytes = ElementBytes(input),
                .extents = range.size,
                .in_strides = PackedStrides(Extents(input.shape)),
                .out_strides = PackedStrides(range.size)};
  for (size_t d = 0; d < range.begin.size(); ++d) {
    spec.in_offset += range.begin[d] * spec.in_strides[d];
  }
  return CopyStep({{StridedCopy(spec)}});
}

}  // namespace

const OpDef kSliceOp = {
    .op = Op::kSlice,
    .arity = Arity{3, 3, 1, 1},
    .infer = Infer,
    .quantize = QuantizeRule{.kind = QuantizeRule::Kind::kSameAsInput},
    .work = MovementWork,
    .prepare = Prepare,
    .alias = Alias::kNone,
};

}  // namespace dlpu
