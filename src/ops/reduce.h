// SPDX-License-Identifier: Apache-2.0
// What the reductions share: axes, shapes, folds and the requantization of sums and means. Pure
// functions; any thread.
#pragma once

#include <algorithm>
#include <limits>

#include "kernels/reduce/reduce.h"
#include "ops/movement.h"

namespace dlpu {

// The plan for reducing input 0 over the axes in input 1, a constant int32 list that may hold
// negative and repeated axes.
Result<ReducePlan> ReadReduction(const OpContext& context);
// The input's shape with the reduced axes gone, or of extent 1 when keep_dims is set.
Result<std::vector<OutputSpec>> InferReduction(const OpContext& context);
// One vector operation for each input element.
Work ReductionWork(const OpContext& context);

// Error unless both tensors are quantized with one scale each; int16 needs zero points of 0.
Status ExpectReducibleCodes(const OpContext& context);
// Error unless codes of at most 16 bits have one scale and zero point on both sides.
Status ExpectSameCodes(const OpContext& context);

// A step that folds codes or numbers of type In into Acc and stores finish(acc) as In. Where there
// is nothing to fold, every output is `empty`.
template <typename In, typename Acc, typename Fold, typename Finish>
PreparedOp FoldStep(ReducePlan plan, Fold fold, Finish finish, In empty) {
  PreparedOp op;
  op.scratch_bytes = plan.outputs * static_cast<int64_t>(sizeof(Acc));
  op.run = [plan = std::move(plan), fold, finish, empty](const RunArgs& args) {
    In* out = args.out<In>(0);
    if (plan.folded == 0) {
      std::fill(out, out + plan.outputs, empty);
      return OkStatus();
    }
    auto* acc = reinterpret_cast<Acc*>(args.scratch);
    Reduce(plan, fold, args.in<In>(0), acc, args.pool);
    for (int64_t i = 0; i < plan.outputs; ++i) out[i] = finish(acc[i]);
    return OkStatus();
  };
  return op;
}

// The same when the accumulator is the output itself.
template <typename T, typename Fold>
PreparedOp FoldInPlaceStep(ReducePlan plan, Fold fold, T empty) {
  PreparedOp op;
  op.run = [plan = std::move(plan), fold, empty](const RunArgs& args) {
    T* out = args.out<T>(0);
    if (plan.folded == 0) {
      std::fill(out, out + plan.outputs, empty);
    } else {
      Reduce(plan, fold, args.in<T>(0), out, args.pool);
    }
    return OkStatus();
  };
  return op;
}

// MEAN and SUM of codes: R2(sum - in_zero * n) + out_zero, clamped to the type. The multiplier is
// in_scale / out_scale; for a mean its significand is divided by n (LiteRT QuantizedMeanOrSum).
Result<PreparedOp> PrepareQuantizedSum(const PrepareContext& context, bool mean);

// prepare of REDUCE_MAX and REDUCE_MIN, which return one of the elements: make<T>(plan) is the step
// for elements of type T.
template <typename Make>
Result<PreparedOp> PrepareExtreme(const PrepareContext& context, const Make& make) {
  DLPU_TRY(ReducePlan plan, ReadReduction(context));
  DLPU_RETURN_IF_ERROR(ExpectSameCodes(context));
  switch (context.input(0).type) {
    case DataType::kFloat32:
      return make.template operator()<float>(std::move(plan));
    case DataType::kUInt8:
      return make.template operator()<uint8_t>(std::move(plan));
    case DataType::kInt8:
      return make.template operator()<int8_t>(std::move(plan));
    case DataType::kInt16:
      return make.template operator()<int16_t>(std::move(plan));
    case DataType::kInt32:
      return make.template operator()<int32_t>(std::move(plan));
    case DataType::kInt64:
      return make.template operator()<int64_t>(std::move(plan));
    case DataType::kBool:
      return make.template operator()<bool>(std::move(plan));
    default:
      return context.UnsupportedType(context.input(0),
                                     "float32, int8, uint8, int16, int32, int64 or bool");
  }
}

}  // namespace dlpu
