// SPDX-License-Identifier: Apache-2.0
// BROADCAST_TO: the input repeated along its extents of 1 until it has the shape in input 1.
#include <fmt/format.h>

#include "ops/repeat.h"

namespace dlpu {
namespace {

constexpr size_t kMaxRank = 8;  // of LiteRT's kernel

Result<std::vector<int64_t>> ReadShape(const OpContext& context) {
  const Shape& shape = context.input(0).shape;
  DLPU_TRY(std::vector<int64_t> wanted, context.ConstantInts(1));
  const auto refuse = [&] {
    return context.Invalid(
        fmt::format("{} does not broadcast to {} extents", ShapeText(shape), wanted.size()));
  };
  if (wanted.size() > kMaxRank || wanted.size() < shape.size()) return refuse();
  const size_t added = wanted.size() - shape.size();
  for (size_t d = 0; d < shape.size(); ++d) {
    if (shape[d] != 1 && shape[d] != wanted[added + d]) return refuse();
  }
  return wanted;
}

Result<std::vector<OutputSpec>> Infer(const OpContext& context) {
  DLPU_TRY(const std::vector<int64_t> extents, ReadShape(context));
  return OneOutput(context, context.input(0).type, extents);
}

Result<PreparedOp> Prepare(const PrepareContext& context) {
  DLPU_TRY(std::vector<int64_t> repeats, ReadShape(context));
  const Shape& shape = context.input(0).shape;
  const size_t added = repeats.size() - shape.size();
  for (size_t d = 0; d < shape.size(); ++d) {
    if (shape[d] != 1) repeats[added + d] = 1;
  }
  return PrepareRepeat(context, repeats);
}

}  // namespace

const OpDef kBroadcastToOp = {
    .op = Op::kBroadcastTo,
    .arity = Arity{2, 2, 1, 1},
    .infer = Infer,
    .quantize = QuantizeRule{.kind = QuantizeRule::Kind::kSameAsInput},
    .work = MovementWork,
    .prepare = Prepare,
    .alias = Alias::kNone,
};

}  // namespace dlpu
