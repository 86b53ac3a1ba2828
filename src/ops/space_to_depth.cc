// SPDX-License-Identifier: Apache-2.0
// SPACE_TO_DEPTH: each block of pixels becomes one pixel with all their channels.
#include <fmt/format.h>

#include "ops/block.h"

namespace dlpu {

Result<BlockGeometry> ComputeBlocks(const OpContext& context, bool to_depth) {
  const Tensor& input = context.input(0);
  const int64_t block = context.attrs<BlockAttrs>().block_size;
  DLPU_RETURN_IF_ERROR(ExpectTypeIn(context, input,
                                    Types(DataType::kFloat32, DataType::kUInt8, DataType::kInt8,
                                          DataType::kInt32, DataType::kInt64)));
  const Shape& s = input.shape;
  const bool fits =
      s.size() == 4 && block > 0 && block < 65536 &&
      (to_depth ? s[1] % block == 0 && s[2] % block == 0 : s[3] % (block * block) == 0);
  if (!fits) {
    return context.Invalid(
        fmt::format("blocks of {} do not fit an input of {}", block, ShapeText(s)));
  }
  if (to_depth) return BlockGeometry{s[0], s[1] / block, s[2] / block, s[3], block};
  return BlockGeometry{s[0], s[1], s[2], s[3] / (block * block), block};
}

Result<PreparedOp> PrepareBlocks(const PrepareContext& context, bool to_depth) {
  DLPU_TRY(const BlockGeometry g, ComputeBlocks(context, to_depth));
  const int64_t b = g.block, deep = b * b * g.c, wide = g.w * b * g.c;
  // Axes: batch, y, row in the block, x, column in the block with its channels.
  const std::vector<int64_t> depth = {g.h * g.w * deep, g.w * deep, b * g.c, deep, 1};
  const std::vector<int64_t> space = {g.h * b * wide, b * wide, wide, b * g.c, 1};
  const CopySpec spec{.element_bytes = ElementBytes(context.input(0)),
                      .extents = {g.n, g.h, b, g.w, b * g.c},
                      .in_strides = to_depth ? space : depth,
                      .out_strides = to_depth ? depth : space};
  return CopyStep({{StridedCopy(spec)}});
}

namespace {

Result<std::vector<OutputSpec>> Infer(const OpContext& context) {
  DLPU_TRY(const BlockGeometry g, ComputeBlocks(context, true));
  return OneOutput(context, context.input(0).type, {g.n, g.h, g.w, g.block * g.block * g.c});
}

Result<PreparedOp> Prepare(const PrepareContext& context) { return PrepareBlocks(context, true); }

}  // namespace

const OpDef kSpaceToDepthOp = {
    .op = Op::kSpaceToDepth,
    .arity = Arity{1, 1, 1, 1},
    .infer = Infer,
    .quantize = QuantizeRule{.kind = QuantizeRule::Kind::kSameAsInput},
    .work = MovementWork,
    .prepare = Prepare,
    .alias = Alias::kNone,
};

}  // namespace dlpu
