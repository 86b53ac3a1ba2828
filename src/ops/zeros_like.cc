// SPDX-License-Identifier: Apache-2.0
// ZEROS_LIKE: zeros of the type and shape of the input.
#include <cstring>

#include "ops/unary.h"

namespace dlpu {
namespace {

Result<PreparedOp> Prepare(const PrepareContext& context) {
  const Tensor& input = context.input(0);
  if (input.type != DataType::kFloat32 && input.type != DataType::kInt32 &&
      input.type != DataType::kInt64) {
    return context.UnsupportedType(input, "float32, int32 or int64");
  }
  const auto bytes = static_cast<size_t>(ByteCount(input.type, input.shape));
  PreparedOp op;
  op.row = "fill";
  op.run = [bytes](const RunArgs& args) {
    if (bytes != 0) std::memset(args.outputs[0], 0, bytes);
    return OkStatus();
  };
  return op;
}

}  // namespace

const OpDef kZerosLikeOp = {
    .op = Op::kZerosLike,
    .arity = Arity{1, 1, 1, 1},
    .infer = InferSameAsInput,
    .quantize = QuantizeRule{.kind = QuantizeRule::Kind::kUntyped},
    .work = CountElements<1>,
    .prepare = Prepare,
    .alias = Alias::kNone,
};

}  // namespace dlpu
