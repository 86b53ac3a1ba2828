// SPDX-License-Identifier: Apache-2.0
// TILE: the input repeated along each axis as often as input 1 says.
#include <fmt/format.h>

#include "ops/repeat.h"

namespace dlpu {

Result<PreparedOp> PrepareRepeat(const PrepareContext& context,
                                 const std::vector<int64_t>& repeats) {
  const Tensor& input = context.input(0);
  DLPU_RETURN_IF_ERROR(ExpectTypeIn(context, input, kMovableTypes));
  DLPU_RETURN_IF_ERROR(ExpectSameType(context, context.output(0), input));
  std::vector<int64_t> extents = Extents(input.shape);
  extents.insert(extents.begin(), repeats.size() - extents.size(), 1);
  const std::vector<int64_t> strides = PackedStrides(extents);
  CopySpec spec{
      .element_bytes = ElementBytes(input), .extents = {}, .in_strides = {}, .out_strides = {}};
  for (size_t d = 0; d < extents.size(); ++d) {
    spec.extents.insert(spec.extents.end(), {repeats[d], extents[d]});
    spec.in_strides.insert(spec.in_strides.end(), {0, strides[d]});
  }
  spec.out_strides = PackedStrides(spec.extents);
  return CopyStep({{StridedCopy(spec)}});
}

namespace {

Result<std::vector<int64_t>> ReadRepeats(const OpContext& context) {
  DLPU_TRY(std::vector<int64_t> repeats, context.ConstantInts(1));
  const size_t rank = context.input(0).shape.size();
  if (repeats.size() != rank) {
    return context.Invalid(
        fmt::format("{} multipliers for an input of {} dimensions", repeats.size(), rank));
  }
  for (const int64_t repeat : repeats) {
    if (repeat < 0 || repeat > INT32_MAX) {
      return context.Invalid(fmt::format("multiplier {} is out of range", repeat));
    }
  }
  return repeats;
}

Result<std::vector<OutputSpec>> Infer(const OpContext& context) {
  DLPU_TRY(std::vector<int64_t> extents, ReadRepeats(context));
  for (size_t d = 0; d < extents.size(); ++d) extents[d] *= context.input(0).shape[d];
  return OneOutput(context, context.input(0).type, extents);
}

Result<PreparedOp> Prepare(const PrepareContext& context) {
  DLPU_TRY(const std::vector<int64_t> repeats, ReadRepeats(context));
  return PrepareRepeat(context, repeats);
}

}  // namespace

const OpDef kTileOp = {
    .op = Op::kTile,
    .arity = Arity{2, 2, 1, 1},
    .infer = Infer,
    .quantize = QuantizeRule{.kind = QuantizeRule::Kind::kSameAsInput},
    .work = MovementWork,
    .prepare = Prepare,
    .alias = Alias::kNone,
};

}  // namespace dlpu
