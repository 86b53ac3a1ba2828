// SPDX-License-Identifier: Apache-2.0
// MEAN over a set of axes.
#include "ops/reduce.h"

namespace dlpu {
namespace {

template <typename T, typename Acc>
PreparedOp PlainMean(ReducePlan plan, T empty) {
  const Acc n = static_cast<Acc>(plan.folded);
  const auto finish = [n](Acc sum) { return static_cast<T>(sum / n); };  // integers truncate
  return FoldStep<T, Acc>(std::move(plan), SumFold<Acc>{}, finish, empty);
}

Result<PreparedOp> Prepare(const PrepareContext& context) {
  DLPU_TRY(ReducePlan plan, ReadReduction(context));
  // The original always starts from zero here, also when every axis is reduced.
  plan.all = false;
  switch (context.input(0).type) {
    case DataType::kFloat32:
      return PlainMean<float, float>(std::move(plan), std::numeric_limits<float>::quiet_NaN());
    case DataType::kInt32:
      return PlainMean<int32_t, int64_t>(std::move(plan), 0);
    case DataType::kInt64:
      return PlainMean<int64_t, int64_t>(std::move(plan), 0);
    case DataType::kUInt8:
    case DataType::kInt8:
    case DataType::kInt16:
      return PrepareQuantizedSum(context, /*mean=*/true);
    default:
      return context.UnsupportedType(context.input(0),
                                     "float32, int8, uint8, int16, int32 or int64");
  }
}

}  // namespace

const OpDef kMeanOp = {
    .op = Op::kMean,
    .arity = Arity{2, 2, 1, 1},
    .infer = InferReduction,
    .quantize = QuantizeRule{},
    .work = ReductionWork,
    .prepare = Prepare,
    .alias = Alias::kNone,
};

}  // namespace dlpu
