// SPDX-License-Identifier: Apache-2.0
// SHAPE: the extents of the input as a list.
#include <fmt/format.h>

#include <algorithm>

#include "ops/movement.h"

namespace dlpu {
namespace {

Result<std::vector<OutputSpec>> Infer(const OpContext& context) {
  const DataType type = context.attrs<OutputTypeAttrs>().output_type;
  if (type != DataType::kInt32 && type != DataType::kInt64) {
    return context.Unsupported(fmt::format("a shape of type {}", DataTypeName(type)));
  }
  return std::vector<OutputSpec>{{type, {static_cast<int32_t>(context.input(0).shape.size())}}};
}

Work CountWork(const OpContext&) { return {}; }

Result<PreparedOp> Prepare(const PrepareContext& context) {
  PreparedOp op;
  op.reads_constants = false;
  const bool wide = context.output(0).type == DataType::kInt64;
  op.run = [shape = context.input(0).shape, wide](const RunArgs& args) {
    if (wide) {
      std::copy(shape.begin(), shape.end(), args.out<int64_t>(0));
    } else {
      std::copy(shape.begin(), shape.end(), args.out<int32_t>(0));
    }
    return OkStatus();
  };
  return op;
}

}  // namespace

const OpDef kShapeOp = {
    .op = Op::kShape,
    .arity = Arity{1, 1, 1, 1},
    .infer = Infer,
    .quantize = QuantizeRule{.kind = QuantizeRule::Kind::kUntyped},
    .work = CountWork,
    .prepare = Prepare,
    .alias = Alias::kNone,
};

}  // namespace dlpu
