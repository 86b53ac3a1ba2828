// SPDX-License-Identifier: Apache-2.0
// TOPK_V2: the k largest elements along the last axis and their positions. k is a constant.
#include <fmt/format.h>

#include "kernels/select/topk.h"
#include "ops/movement.h"

namespace dlpu {
namespace {

Result<int64_t> ReadK(const OpContext& context) {
  const Shape& shape = context.input(0).shape;
  if (shape.empty()) return context.Invalid("a scalar has no largest elements");
  if (context.input(1).type != DataType::kInt32) {
    return context.UnsupportedType(context.input(1), "int32");
  }
  DLPU_TRY(const int64_t k, ConstantInt(context, 1));
  if (k > shape.back()) {
    return context.Invalid(fmt::format("the {} largest of {} elements", k, shape.back()));
  }
  return std::max<int64_t>(k, 0);
}

Result<std::vector<OutputSpec>> Infer(const OpContext& context) {
  DLPU_TRY(const int64_t k, ReadK(context));
  Shape shape = context.input(0).shape;
  shape.back() = static_cast<int32_t>(k);
  const DataType index = context.output(1).type;
  if (index != DataType::kInt32 && index != DataType::kInt16) {
    return context.UnsupportedType(context.output(1), "int32 or int16");
  }
  return std::vector<OutputSpec>{{context.input(0).type, shape}, {index, shape}};
}

template <typename T, typename Index>
PreparedOp Step(int64_t rows, int64_t width, int64_t k, int threads) {
  PreparedOp op;
  op.scratch_bytes = width * threads * static_cast<int64_t>(sizeof(int32_t));
  op.run = [rows, width, k](const RunArgs& args) {
    if (k > 0) {
      TopK(args.in<T>(0), rows, width, k, args.out<T>(0), args.out<Index>(1),
           reinterpret_cast<int32_t*>(args.scratch), args.pool);
    }
    return OkStatus();
  };
  return op;
}

template <typename T>
Result<PreparedOp> PrepareFor(const PrepareContext& context) {
  DLPU_TRY(const int64_t k, ReadK(context));
  const std::vector<int64_t> extents = Extents(context.input(0).shape);
  const int64_t rows = ProductOf(extents, 0, extents.size() - 1);
  if (context.output(1).type == DataType::kInt16) {
    return Step<T, int16_t>(rows, extents.back(), k, context.threads);
  }
  return Step<T, int32_t>(rows, extents.back(), k, context.threads);
}

Result<PreparedOp> Prepare(const PrepareContext& context) {
  switch (context.input(0).type) {
    case DataType::kFloat32:
      return PrepareFor<float>(context);
    case DataType::kUInt8:
      return PrepareFor<uint8_t>(context);
    case DataType::kInt8:
      return PrepareFor<int8_t>(context);
    case DataType::kInt16:
      return PrepareFor<int16_t>(context);
    case DataType::kInt32:
      return PrepareFor<int32_t>(context);
    case DataType::kInt64:
      return PrepareFor<int64_t>(context);
    default:
      return context.UnsupportedType(context.input(0),
                                     "float32, int8, uint8, int16, int32 or int64");
  }
}

Work CountWork(const OpContext& context) {
  Work work = ElementwiseWork(context, 0);
  work.vector_ops = 2 * ElementCount(context.input(0).shape);
  return work;
}

}  // namespace

const OpDef kTopKV2Op = {
    .op = Op::kTopKV2,
    .arity = Arity{2, 2, 2, 2},
    .infer = Infer,
    .quantize = QuantizeRule{.kind = QuantizeRule::Kind::kSameAsInput},
    .work = CountWork,
    .prepare = Prepare,
    .alias = Alias::kNone,
};

}  // namespace dlpu
