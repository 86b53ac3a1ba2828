// SPDX-License-Identifier: Apache-2.0
// GATHER_ND: slices of input 0 at the points in input 1, whose last axis holds coordinates.
#include <fmt/format.h>

#include <cstring>

#include "ops/gather.h"

namespace dlpu {
namespace {

constexpr TypeSet kTypes = kCommonTypes | Types(DataType::kFloat16, DataType::kBool);

// Length of one point; an error when it does not fit the input.
Result<int32_t> PointLength(const OpContext& context) {
  const Tensor &input = context.input(0), &indices = context.input(1);
  DLPU_RETURN_IF_ERROR(ExpectTypeIn(context, input, kTypes));
  if (input.shape.empty() || indices.shape.empty() ||
      indices.shape.back() > static_cast<int32_t>(input.shape.size())) {
    return context.Invalid(fmt::format("indices {} do not point into {}", ShapeText(indices.shape),
                                       ShapeText(input.shape)));
  }
  return indices.shape.back();
}

Result<std::vector<OutputSpec>> Infer(const OpContext& context) {
  DLPU_TRY(const int32_t length, PointLength(context));
  const Shape &input = context.input(0).shape, &indices = context.input(1).shape;
  std::vector<int64_t> extents(indices.begin(), indices.end() - 1);
  extents.insert(extents.end(), input.begin() + length, input.end());
  return OneOutput(context, context.input(0).type, extents);
}

Result<PreparedOp> Prepare(const PrepareContext& context) {
  DLPU_TRY(const int32_t length, PointLength(context));
  const Tensor &input = context.input(0), &indices = context.input(1);
  const std::vector<int64_t> in = Extents(input.shape), by = Extents(indices.shape);
  PointSpec spec{.extents = {in.begin(), in.begin() + length},
                 .count = ProductOf(by, 0, by.size() - 1),
                 .slice_elements = ProductOf(in, length, in.size())};
  DLPU_TRY(spec.index_type, IndexTypeOf(context, indices));
  PreparedOp op;
  op.row = "memcpy";
  op.run = [spec, bytes = ElementBytes(input),
            error = context.Invalid("an index is out of range")](const RunArgs& args) -> Status {
    const int64_t slice = spec.slice_elements * bytes;
    if (slice == 0) return OkStatus();
    for (int64_t i = 0; i < spec.count; ++i) {
      const int64_t from = PointOffset(spec, args.inputs[1], i);
      if (from < 0) return error;
      std::memcpy(args.outputs[0] + i * slice, args.inputs[0] + from * bytes,
                  static_cast<size_t>(slice));
    }
    return OkStatus();
  };
  return op;
}

}  // namespace

const OpDef kGatherNdOp = {
    .op = Op::kGatherNd,
    .arity = Arity{2, 2, 1, 1},
    .infer = Infer,
    .quantize = QuantizeRule{.kind = QuantizeRule::Kind::kSameAsInput},
    .work = MovementWork,
    .prepare = Prepare,
    .alias = Alias::kNone,
};

}  // namespace dlpu
