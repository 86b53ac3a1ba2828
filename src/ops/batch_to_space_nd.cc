// SPDX-License-Identifier: Apache-2.0
// BATCH_TO_SPACE_ND: gathers the pixels of each block from as many pictures, then crops.
#include <fmt/format.h>

#include <memory>

#include "ops/batch_blocks.h"

namespace dlpu {
namespace {

struct Geometry {
  BatchBlocks blocks;
  std::vector<int64_t> output;  // n, h, w, c
};

Result<Geometry> ComputeGeometry(const OpContext& context) {
  DLPU_TRY(BatchBlocks b, ReadBatchBlocks(context));
  const int64_t h = b.input[1] * b.block_h - b.top - b.bottom;
  const int64_t w = b.input[2] * b.block_w - b.left - b.right;
  // The batch divides by one block size after the other.
  if (b.input[0] % b.block_h != 0 || b.input[0] / b.block_h % b.block_w != 0) {
    return context.Invalid(fmt::format("a batch of {} does not divide into {}x{} blocks",
                                       b.input[0], b.block_h, b.block_w));
  }
  if (h < 0 || w < 0) return context.Invalid("the crops are larger than the picture");
  const std::vector<int64_t> output = {b.input[0] / b.block_h / b.block_w, h, w, b.input[3]};
  return Geometry{std::move(b), output};
}

Result<std::vector<OutputSpec>> Infer(const OpContext& context) {
  DLPU_TRY(const Geometry g, ComputeGeometry(context));
  return OneOutput(context, context.input(0).type, WithRankOfInput(context, g.output));
}

Result<PreparedOp> Prepare(const PrepareContext& context) {
  DLPU_RETURN_IF_ERROR(ExpectMovableCodes(context));
  DLPU_TRY(const Geometry g, ComputeGeometry(context));
  const BatchBlocks& b = g.blocks;
  const Tensor& input = context.input(0);
  const int64_t n = g.output[0], h = b.input[1], w = b.input[2], c = b.input[3];
  const int64_t wide = w * b.block_w * c;
  // First the whole picture, then the part of it that stays.
  const CopySpec gather{
      .element_bytes = ElementBytes(input),
      .extents = {b.block_h, b.block_w, n, h, w, c},
      .in_strides = PackedStrides({b.block_h, b.block_w, n, h, w, c}),
      .out_strides = {wide, c, h * b.block_h * wide, b.block_h * wide, b.block_w * c, 1}};
  const CopySpec crop{.element_bytes = ElementBytes(input),
                      .extents = g.output,
                      .in_strides = {h * b.block_h * wide, wide, c, 1},
                      .out_strides = PackedStrides(g.output),
                      .in_offset = b.top * wide + b.left * c};
  const bool cropped = b.top + b.bottom + b.left + b.right > 0;
  PreparedOp op;
  op.row = "rows";
  if (cropped) op.scratch_bytes = ByteCount(input.type, input.shape);
  auto copies = std::make_shared<const std::pair<StridedCopy, StridedCopy>>(gather, crop);
  op.run = [copies, cropped](const RunArgs& args) {
    uint8_t* whole = cropped ? args.scratch : args.outputs[0];
    copies->first.Run(args.inputs[0], whole, args.pool);
    if (cropped) copies->second.Run(whole, args.outputs[0], args.pool);
    return OkStatus();
  };
  return op;
}

}  // namespace

const OpDef kBatchToSpaceNdOp = {
    .op = Op::kBatchToSpaceNd,
    .arity = Arity{3, 3, 1, 1},
    .infer = Infer,
    .quantize = QuantizeRule{.kind = QuantizeRule::Kind::kSameAsInput},
    .work = MovementWork,
    .prepare = Prepare,
    .alias = Alias::kNone,
};

}  // namespace dlpu
