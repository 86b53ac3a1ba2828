// SPDX-License-Identifier: Apache-2.0
// AVERAGE_POOL_2D: input NHWC, output N, out_h, out_w, C with the input's codes.
#include "ops/pool.h"

namespace dlpu {
namespace {

template <typename T>
Result<PreparedOp> PrepareTyped(const PrepareContext& context) {
  PreparedOp op;
  if constexpr (std::is_same_v<T, float>) {
    DLPU_TRY(const PoolSpecFloat spec, MakePoolSpecFloat(context));
    op.run = [spec](const RunArgs& args) {
      AveragePool(spec, args.in<T>(0), args.out<T>(0), args.scratch, args.pool);
      return OkStatus();
    };
  } else {
    DLPU_TRY(const PoolSpecInt spec, MakePoolSpecInt(context));
    op.scratch_bytes = AveragePoolScratchBytes(spec.channels, context.threads);
    op.run = [spec](const RunArgs& args) {
      AveragePool(spec, args.in<T>(0), args.out<T>(0), args.scratch, args.pool);
      return OkStatus();
    };
  }
  return op;
}

Result<PreparedOp> Prepare(const PrepareContext& context) {
  switch (context.input(0).type) {
    case DataType::kFloat32:
      return PrepareTyped<float>(context);
    case DataType::kUInt8:
      return PrepareTyped<uint8_t>(context);
    case DataType::kInt8:
      return PrepareTyped<int8_t>(context);
    case DataType::kInt16:
      return PrepareTyped<int16_t>(context);
    default:
      return context.UnsupportedType(context.input(0), "float32, int8, uint8 or int16");
  }
}

}  // namespace

const OpDef kAveragePool2dOp = {
    .op = Op::kAveragePool2d,
    .arity = Arity{1, 1, 1, 1},
    .infer = InferPool,
    .quantize = QuantizeRule{.kind = QuantizeRule::Kind::kSameAsInput},
    .work = PoolWork,
    .prepare = Prepare,
    .alias = Alias::kNone,
};

}  // namespace dlpu
