// SPDX-License-Identifier: Apache-2.0
// CUMSUM: running sums along an axis, forwards or in reverse, with or without the element itself.
#include "kernels/reduce/cumsum.h"

#include "ops/movement.h"

namespace dlpu {
namespace {

struct Geometry {
  int64_t outer, axis, inner;
};

template <typename T>
PreparedOp Step(Geometry g, CumsumAttrs attrs) {
  PreparedOp op;
  op.run = [g, attrs](const RunArgs& args) {
    Cumsum(args.in<T>(0), g.outer, g.axis, g.inner, attrs.exclusive, attrs.reverse, args.out<T>(0),
           args.pool);
    return OkStatus();
  };
  return op;
}

Result<PreparedOp> Prepare(const PrepareContext& context) {
  const Tensor& input = context.input(0);
  if (context.input(1).type != DataType::kInt32) {
    return context.UnsupportedType(context.input(1), "int32");
  }
  DLPU_TRY(const int64_t value, ConstantInt(context, 1));
  DLPU_TRY(const int axis, NormaliseAxis(context, value, input.shape.size()));
  const std::vector<int64_t> extents = Extents(input.shape);
  const Geometry g{ProductOf(extents, 0, axis), extents[axis],
                   ProductOf(extents, axis + 1, extents.size())};
  const auto& attrs = context.attrs<CumsumAttrs>();
  switch (input.type) {
    case DataType::kFloat32:
      return Step<float>(g, attrs);
    case DataType::kInt32:
      return Step<int32_t>(g, attrs);
    case DataType::kInt64:
      return Step<int64_t>(g, attrs);
    default:
      return context.UnsupportedType(input, "float32, int32 or int64");
  }
}

Work CountWork(const OpContext& context) { return ElementwiseWork(context, 1); }

}  // namespace

const OpDef kCumsumOp = {
    .op = Op::kCumsum,
    .arity = Arity{2, 2, 1, 1},
    .infer = InferSameAsInput,
    .quantize = QuantizeRule{.kind = QuantizeRule::Kind::kFloatOnly},
    .work = CountWork,
    .prepare = Prepare,
    .alias = Alias::kNone,
};

}  // namespace dlpu
