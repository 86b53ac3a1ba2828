// SPDX-License-Identifier: Apache-2.0
// REDUCE_MAX: the largest element over a set of axes.
#include "ops/reduce.h"

namespace dlpu {
namespace {

template <typename T>
PreparedOp Step(ReducePlan plan) {
  return FoldInPlaceStep<T>(std::move(plan), MaximumFold<T>{}, std::numeric_limits<T>::lowest());
}

Result<PreparedOp> Prepare(const PrepareContext& context) {
  DLPU_TRY(ReducePlan plan, ReadReduction(context));
  DLPU_RETURN_IF_ERROR(ExpectSameCodes(context));
  switch (context.input(0).type) {
    case DataType::kFloat32:
      return Step<float>(std::move(plan));
    case DataType::kUInt8:
      return Step<uint8_t>(std::move(plan));
    case DataType::kInt8:
      return Step<int8_t>(std::move(plan));
    case DataType::kInt16:
      return Step<int16_t>(std::move(plan));
    case DataType::kInt32:
      return Step<int32_t>(std::move(plan));
    case DataType::kInt64:
      return Step<int64_t>(std::move(plan));
    case DataType::kBool:
      return Step<bool>(std::move(plan));
    default:
      return context.UnsupportedType(context.input(0),
                                     "float32, int8, uint8, int16, int32, int64 or bool");
  }
}

}  // namespace

const OpDef kReduceMaxOp = {
    .op = Op::kReduceMax,
    .arity = Arity{2, 2, 1, 1},
    .infer = InferReduction,
    .quantize = QuantizeRule{.kind = QuantizeRule::Kind::kSameAsInput},
    .work = ReductionWork,
    .prepare = Prepare,
    .alias = Alias::kNone,
};

}  // namespace dlpu
