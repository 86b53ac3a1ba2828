// SPDX-License-Identifier: Apache-2.0
// SPLIT: input 1 in equal parts along the axis that input 0 holds.
#include "ops/split.h"

#include <fmt/format.h>

namespace dlpu {

Result<std::vector<OutputSpec>> SplitOutputs(const OpContext& context, const SplitGeometry& g) {
  const Tensor& input = context.input(g.input);
  std::vector<OutputSpec> outputs;
  for (const int64_t size : g.sizes) {
    std::vector<int64_t> extents = Extents(input.shape);
    extents[g.axis] = size;
    DLPU_TRY(Shape shape, CheckedShape(context, extents));
    outputs.push_back({input.type, std::move(shape)});
  }
  return outputs;
}

Result<PreparedOp> PrepareSplit(const PrepareContext& context, const SplitGeometry& g) {
  const Tensor& input = context.input(g.input);
  const std::vector<int64_t> extents = Extents(input.shape);
  const int64_t outer = ProductOf(extents, 0, g.axis);
  const int64_t inner = ProductOf(extents, g.axis + 1, extents.size());
  std::vector<CopyJob> jobs;
  int64_t offset = 0;
  for (size_t i = 0; i < g.sizes.size(); ++i) {
    DLPU_RETURN_IF_ERROR(ExpectSameType(context, context.output(i), input));
    const int64_t width = g.sizes[i] * inner;
    const CopySpec spec{.element_bytes = ElementBytes(input),
                        .extents = {outer, width},
                        .in_strides = {extents[g.axis] * inner, 1},
                        .out_strides = {width, 1},
                        .in_offset = offset};
    jobs.push_back({StridedCopy(spec), g.input, i});
    offset += width;
  }
  return CopyStep(std::move(jobs));
}

namespace {

Result<SplitGeometry> ComputeGeometry(const OpContext& context) {
  const Tensor& input = context.input(1);
  DLPU_RETURN_IF_ERROR(ExpectTypeIn(context, input, kCommonTypes));
  DLPU_TRY(const int64_t value, ConstantInt(context, 0));
  SplitGeometry g;
  g.input = 1;
  DLPU_TRY(g.axis, NormaliseAxis(context, value, input.shape.size()));
  const int64_t count = context.attrs<SplitAttrs>().count;
  if (count != static_cast<int64_t>(context.output_count())) {
    return context.Invalid(
        fmt::format("splits into {}, but has {} outputs", count, context.output_count()));
  }
  const int32_t extent = input.shape[g.axis];
  if (extent % count != 0) {
    return context.Invalid(
        fmt::format("axis {} of {} does not divide by {}", g.axis, ShapeText(input.shape), count));
  }
  g.sizes.assign(static_cast<size_t>(count), extent / count);
  return g;
}

}  // namespace

const OpDef kSplitOp = {
    .op = Op::kSplit,
    .arity = Arity{2, 2, 1, kAnyNumber},
    .infer = InferSplit<ComputeGeometry>,
    .quantize = QuantizeRule{.kind = QuantizeRule::Kind::kSameAsInput},
    .work = MovementWork,
    .prepare = PrepareSplitBy<ComputeGeometry>,
    .alias = Alias::kNone,
};

}  // namespace dlpu
