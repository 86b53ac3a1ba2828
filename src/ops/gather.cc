// SPDX-License-Identifier: Apache-2.0
// GATHER: slices of input 0 along an axis, picked by the indices in input 1. An index out of range
// is an error when the model runs.
#include "ops/gather.h"

#include <fmt/format.h>

namespace dlpu {

Result<IndexType> IndexTypeOf(const OpContext& context, const Tensor& indices) {
  switch (indices.type) {
    case DataType::kInt16:
      return IndexType::kInt16;
    case DataType::kInt32:
      return IndexType::kInt32;
    case DataType::kInt64:
      return IndexType::kInt64;
    default:
      return context.UnsupportedType(indices, "int16, int32 or int64");
  }
}

namespace {

constexpr TypeSet kTypes = kCommonTypes | Types(DataType::kFloat16, DataType::kBool);

struct Geometry {
  int axis = 0, batch_dims = 0;
  std::vector<int64_t> output;
};

Result<Geometry> ComputeGeometry(const OpContext& context) {
  const Tensor &input = context.input(0), &indices = context.input(1);
  const auto& attrs = context.attrs<GatherAttrs>();
  DLPU_RETURN_IF_ERROR(ExpectTypeIn(context, input, kTypes));
  Geometry g;
  DLPU_TRY(g.axis, NormaliseAxis(context, attrs.axis, input.shape.size()));
  const auto index_rank = static_cast<int64_t>(indices.shape.size());
  int64_t batch_dims = attrs.batch_dims;
  if (batch_dims < 0) batch_dims += index_rank;
  if (batch_dims < 0 || batch_dims > g.axis || batch_dims > index_rank) {
    return context.Invalid(fmt::format("{} batch dimensions (axis {}, indices {})",
                                       attrs.batch_dims, g.axis, ShapeText(indices.shape)));
  }
  g.batch_dims = static_cast<int>(batch_dims);
  for (int d = 0; d < g.batch_dims; ++d) {
    if (input.shape[d] != indices.shape[d]) {
      return context.Invalid(fmt::format("{} and indices {} differ in batch dimension {}",
                                         ShapeText(input.shape), ShapeText(indices.shape), d));
    }
  }
  g.output.assign(input.shape.begin(), input.shape.begin() + g.axis);
  g.output.insert(g.output.end(), indices.shape.begin() + g.batch_dims, indices.shape.end());
  g.output.insert(g.output.end(), input.shape.begin() + g.axis + 1, input.shape.end());
  return g;
}

Result<std::vector<OutputSpec>> Infer(const OpContext& context) {
  DLPU_TRY(const Geometry g, ComputeGeometry(context));
  return OneOutput(context, context.input(0).type, g.output);
}

Result<PreparedOp> Prepare(const PrepareContext& context) {
  DLPU_TRY(const Geometry g, ComputeGeometry(context));
  const Tensor &input = context.input(0), &indices = context.input(1);
  const std::vector<int64_t> in = Extents(input.shape), by = Extents(indices.shape);
  GatherSpec spec{.batch = ProductOf(in, 0, g.batch_dims),
                  .outer = ProductOf(in, g.batch_dims, g.axis),
                  .axis = in[g.axis],
                  .count = ProductOf(by, g.batch_dims, by.size()),
                  .slice_bytes = ProductOf(in, g.axis + 1, in.size()) * ElementBytes(input)};
  DLPU_TRY(spec.index_type, IndexTypeOf(context, indices));
  PreparedOp op;
  op.row = "memcpy";
  op.run = [spec,
            error = context.Invalid("an index is out of range")](const RunArgs& args) -> Status {
    const int64_t bad = Gather(spec, args.inputs[0], args.inputs[1], args.outputs[0], args.pool);
    if (bad < 0) return OkStatus();
    const int64_t index = ReadIndex(args.inputs[1], spec.index_type, bad);
    return InvalidError(
        fmt::format("{}: index {} at {}, the axis has {}", error.message, index, bad, spec.axis));
  };
  return op;
}

}  // namespace

const OpDef kGatherOp = {
    .op = Op::kGather,
    .arity = Arity{2, 2, 1, 1},
    .infer = Infer,
    .quantize = QuantizeRule{.kind = QuantizeRule::Kind::kSameAsInput},
    .work = MovementWork,
    .prepare = Prepare,
    .alias = Alias::kNone,
};

}  // namespace dlpu
