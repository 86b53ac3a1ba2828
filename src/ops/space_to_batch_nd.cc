// SPDX-License-Identifier: Apache-2.0
// SPACE_TO_BATCH_ND: pads the pictures and deals each block's pixels to as many pictures.
#include <fmt/format.h>

#include <array>
#include <cstring>
#include <memory>

#include "kernels/copy/pad.h"
#include "ops/batch_blocks.h"

namespace dlpu {

Result<BatchBlocks> ReadBatchBlocks(const OpContext& context) {
  const Tensor& input = context.input(0);
  DLPU_RETURN_IF_ERROR(ExpectTypeIn(context, input, kMovableTypes));
  const size_t rank = input.shape.size();
  if (rank != 3 && rank != 4) {
    return context.Unsupported(
        fmt::format("an input {}; the op takes 3 or 4 dimensions", ShapeText(input.shape)));
  }
  DLPU_TRY(const std::vector<int64_t> blocks, context.ConstantInts(1));
  DLPU_TRY(const std::vector<int64_t> margins, context.ConstantInts(2));
  if (blocks.size() != rank - 2 || margins.size() != 2 * (rank - 2)) {
    return context.Invalid(fmt::format("{} block sizes and {} margins for {} spatial dimensions",
                                       blocks.size(), margins.size(), rank - 2));
  }
  for (const int64_t block : blocks) {
    if (block < 1 || block > INT32_MAX) {
      return context.Invalid(fmt::format("a block size of {} is out of range", block));
    }
  }
  for (const int64_t margin : margins) {
    if (margin < 0 || margin > INT32_MAX) {
      return context.Invalid(fmt::format("a margin of {} is out of range", margin));
    }
  }
  BatchBlocks b;
  b.input = Extents(input.shape);
  b.block_h = blocks[0];
  b.top = margins[0];
  b.bottom = margins[1];
  if (rank == 3) {
    b.input.insert(b.input.begin() + 2, 1);
  } else {
    b.block_w = blocks[1];
    b.left = margins[2];
    b.right = margins[3];
  }
  return b;
}

std::vector<int64_t> WithRankOfInput(const OpContext& context, std::vector<int64_t> nhwc) {
  if (context.input(0).shape.size() == 3) nhwc.erase(nhwc.begin() + 2);
  return nhwc;
}

Status ExpectMovableCodes(const OpContext& context) {
  const Tensor &input = context.input(0), &output = context.output(0);
  if (!IsInteger(input.type) || BitsOf(input.type) > 16) return OkStatus();
  DLPU_RETURN_IF_ERROR(ExpectSameQuantization(context, input, output));
  if (input.type == DataType::kInt16 && input.quantization.zero0() != 0) {
    return context.Unsupported(fmt::format("int16 tensor '{}' needs zero point 0", input.name));
  }
  return OkStatus();
}

namespace {

Result<std::vector<int64_t>> OutputExtents(const OpContext& context, const BatchBlocks& b) {
  const int64_t h = b.input[1] + b.top + b.bottom, w = b.input[2] + b.left + b.right;
  if (h % b.block_h != 0 || w % b.block_w != 0) {
    return context.Invalid(fmt::format("padded pictures of {}x{} do not divide into {}x{} blocks",
                                       h, w, b.block_h, b.block_w));
  }
  // Overflow is impossible: the block divides the extent, or the picture is empty.
  const int64_t n = b.input[0] * std::min<int64_t>(b.block_h, INT32_MAX);
  DLPU_TRY(const Shape batch, CheckedShape(context, {n}));
  return std::vector<int64_t>{batch[0] * b.block_w, h / b.block_h, w / b.block_w, b.input[3]};
}

Result<std::vector<OutputSpec>> Infer(const OpContext& context) {
  DLPU_TRY(const BatchBlocks b, ReadBatchBlocks(context));
  DLPU_TRY(const std::vector<int64_t> extents, OutputExtents(context, b));
  return OneOutput(context, context.input(0).type, WithRankOfInput(context, extents));
}

Result<PreparedOp> Prepare(const PrepareContext& context) {
  DLPU_RETURN_IF_ERROR(ExpectMovableCodes(context));
  DLPU_TRY(const BatchBlocks b, ReadBatchBlocks(context));
  DLPU_TRY(const std::vector<int64_t> out, OutputExtents(context, b));
  const Tensor& input = context.input(0);
  const PadSpec padding{.element_bytes = ElementBytes(input),
                        .extents = b.input,
                        .before = {0, b.top, b.left, 0},
                        .after = {0, b.bottom, b.right, 0}};
  const int64_t n = b.input[0], c = b.input[3], h = out[1], w = out[2];
  const int64_t wide = w * b.block_w * c;
  const CopySpec deal{
      .element_bytes = ElementBytes(input),
      .extents = {b.block_h, b.block_w, n, h, w, c},
      .in_strides = {wide, c, h * b.block_h * wide, b.block_h * wide, b.block_w * c, 1},
      .out_strides = PackedStrides({b.block_h, b.block_w, n, h, w, c})};
  struct Plan {
    ConstantPad pad;
    StridedCopy deal;
    std::array<uint8_t, 8> zero{};
  };
  auto plan = std::make_shared<Plan>(Plan{ConstantPad(padding), StridedCopy(deal)});
  if (IsInteger(input.type) && BitsOf(input.type) <= 16 && input.quantization.present()) {
    const int32_t zero = context.output(0).quantization.zero0();
    std::memcpy(plan->zero.data(), &zero, sizeof(zero));
  }
  const bool padded = b.top + b.bottom + b.left + b.right > 0;
  PreparedOp op;
  op.row = "rows";
  if (padded) op.scratch_bytes = ProductOf(out, 0, out.size()) * ElementBytes(input);
  op.run = [plan, padded](const RunArgs& args) {
    const uint8_t* in = args.inputs[0];
    if (padded) {
      plan->pad.Run(in, plan->zero.data(), args.scratch, args.pool);
      in = args.scratch;
    }
    plan->deal.Run(in, args.outputs[0], args.pool);
    return OkStatus();
  };
  return op;
}

}  // namespace

const OpDef kSpaceToBatchNdOp = {
    .op = Op::kSpaceToBatchNd,
    .arity = Arity{3, 3, 1, 1},
    .infer = Infer,
    .quantize = QuantizeRule{.kind = QuantizeRule::Kind::kSameAsInput},
    .work = MovementWork,
    .prepare = Prepare,
    .alias = Alias::kNone,
};

}  // namespace dlpu
