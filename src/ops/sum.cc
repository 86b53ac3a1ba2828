// SPDX-License-Identifier: Apache-2.0
// SUM over a set of axes. Integers that are not codes wrap.
#include "ops/reduce.h"

namespace dlpu {
namespace {

Result<PreparedOp> Prepare(const PrepareContext& context) {
  DLPU_TRY(ReducePlan plan, ReadReduction(context));
  switch (context.input(0).type) {
    case DataType::kFloat32:
      return FoldInPlaceStep<float>(std::move(plan), SumFold<float>{}, 0.0f);
    case DataType::kInt32:
      return FoldInPlaceStep<int32_t>(std::move(plan), SumFold<int32_t>{}, 0);
    case DataType::kInt64:
      return FoldInPlaceStep<int64_t>(std::move(plan), SumFold<int64_t>{}, 0);
    case DataType::kUInt8:
    case DataType::kInt8:
    case DataType::kInt16:
      return PrepareQuantizedSum(context, /*mean=*/false);
    default:
      return context.UnsupportedType(context.input(0),
                                     "float32, int8, uint8, int16, int32 or int64");
  }
}

}  // namespace

const OpDef kSumOp = {
    .op = Op::kSum,
    .arity = Arity{2, 2, 1, 1},
    .infer = InferReduction,
    .quantize = QuantizeRule{},
    .work = ReductionWork,
    .prepare = Prepare,
    .alias = Alias::kNone,
};

}  // namespace dlpu
