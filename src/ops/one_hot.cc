// SPDX-License-Identifier: Apache-2.0
// ONE_HOT: along a new axis of `depth` (a constant), input 2 where the position is the index and
// input 3 elsewhere.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "ops/gather.h"

namespace dlpu {
namespace {

constexpr TypeSet kTypes = Types(DataType::kFloat32, DataType::kInt32, DataType::kInt64,
                                 DataType::kInt8, DataType::kUInt8, DataType::kBool);

struct Geometry {
  std::vector<int64_t> output;
  int64_t outer, depth, inner;
};

Result<Geometry> ComputeGeometry(const OpContext& context) {
  const Shape& indices = context.input(0).shape;
  DLPU_TRY(const int64_t depth, ConstantInt(context, 1));
  if (context.input(1).type != DataType::kInt32 || depth < 0) {
    return context.Invalid(
        fmt::format("a depth of {} ({})", depth, DataTypeName(context.input(1).type)));
  }
  for (const size_t i : {2, 3}) {
    DLPU_RETURN_IF_ERROR(ExpectTypeIn(context, context.input(i), kTypes));
    DLPU_RETURN_IF_ERROR(ExpectSameType(context, context.input(i), context.input(2)));
    if (ElementCount(context.input(i).shape) != 1) {
      return context.Invalid(fmt::format("'{}' is not one value", context.input(i).name));
    }
  }
  int64_t axis = context.attrs<PackAttrs>().axis;
  if (axis == -1) axis = static_cast<int64_t>(indices.size());
  if (axis < 0 || axis > static_cast<int64_t>(indices.size())) {
    return context.Invalid(fmt::format("axis {} for indices {}", axis, ShapeText(indices)));
  }
  Geometry g{Extents(indices), 0, depth, 0};
  g.outer = ProductOf(g.output, 0, static_cast<size_t>(axis));
  g.inner = ProductOf(g.output, static_cast<size_t>(axis), g.output.size());
  g.output.insert(g.output.begin() + axis, depth);
  return g;
}

Result<std::vector<OutputSpec>> Infer(const OpContext& context) {
  DLPU_TRY(const Geometry g, ComputeGeometry(context));
  return OneOutput(context, context.input(2).type, g.output);
}

template <typename T>
PreparedOp Step(const Geometry& g, IndexType type) {
  PreparedOp op;
  op.run = [outer = g.outer, depth = g.depth, inner = g.inner, type](const RunArgs& args) {
    const T on = args.in<T>(2)[0], off = args.in<T>(3)[0];
    T* out = args.out<T>(0);
    std::fill(out, out + outer * depth * inner, off);
    for (int64_t o = 0; o < outer; ++o) {
      for (int64_t i = 0; i < inner; ++i) {
        const int64_t hot = ReadIndex(args.inputs[0], type, o * inner + i);
        if (hot >= 0 && hot < depth) out[(o * depth + hot) * inner + i] = on;
      }
    }
    return OkStatus();
  };
  return op;
}

Result<PreparedOp> Prepare(const PrepareContext& context) {
  DLPU_TRY(const Geometry g, ComputeGeometry(context));
  DLPU_TRY(const IndexType type, IndexTypeOf(context, context.input(0)));
  if (type == IndexType::kInt16) {
    return context.UnsupportedType(context.input(0), "int32 or int64");
  }
  switch (ElementBytes(context.input(2))) {
    case 1:
      return Step<uint8_t>(g, type);
    case 4:
      return Step<uint32_t>(g, type);
    default:
      return Step<uint64_t>(g, type);
  }
}

}  // namespace

const OpDef kOneHotOp = {
    .op = Op::kOneHot,
    .arity = Arity{4, 4, 1, 1},
    .infer = Infer,
    .quantize = QuantizeRule{.kind = QuantizeRule::Kind::kUntyped},
    .work = MovementWork,
    .prepare = Prepare,
    .alias = Alias::kNone,
};

}  // namespace dlpu
