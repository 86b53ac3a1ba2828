// SPDX-License-Identifier: Apache-2.0
// PACK: inputs of one shape, stacked along a new axis.
#include <fmt/format.h>

#include "ops/movement.h"

namespace dlpu {
namespace {

constexpr TypeSet kTypes = kCommonTypes | Types(DataType::kUInt32);

Result<int> ReadAxis(const OpContext& context) {
  const auto& attrs = context.attrs<PackAttrs>();
  const Tensor& first = context.input(0);
  if (attrs.count != static_cast<int64_t>(context.input_count())) {
    return context.Invalid(
        fmt::format("packs {}, but has {} inputs", attrs.count, context.input_count()));
  }
  for (size_t i = 0; i < context.input_count(); ++i) {
    if (!context.has_input(i)) return context.Invalid(fmt::format("input {} is missing", i));
    const Tensor& input = context.input(i);
    DLPU_RETURN_IF_ERROR(ExpectTypeIn(context, input, kTypes));
    DLPU_RETURN_IF_ERROR(ExpectSameType(context, input, first));
    if (input.shape != first.shape) {
      return context.Invalid(
          fmt::format("shapes {} and {} differ", ShapeText(first.shape), ShapeText(input.shape)));
    }
  }
  return NormaliseAxis(context, attrs.axis, first.shape.size() + 1);
}

Result<std::vector<OutputSpec>> Infer(const OpContext& context) {
  DLPU_TRY(const int axis, ReadAxis(context));
  std::vector<int64_t> extents = Extents(context.input(0).shape);
  extents.insert(extents.begin() + axis, static_cast<int64_t>(context.input_count()));
  return OneOutput(context, context.input(0).type, extents);
}

Result<PreparedOp> Prepare(const PrepareContext& context) {
  DLPU_TRY(const int axis, ReadAxis(context));
  const Tensor& first = context.input(0);
  const std::vector<int64_t> extents = Extents(first.shape);
  const int64_t outer = ProductOf(extents, 0, axis);
  const int64_t inner = ProductOf(extents, axis, extents.size());
  const auto count = static_cast<int64_t>(context.input_count());
  std::vector<CopyJob> jobs;
  for (int64_t i = 0; i < count; ++i) {
    DLPU_RETURN_IF_ERROR(ExpectSameQuantization(context, context.input(i), context.output(0)));
    const CopySpec spec{.element_bytes = ElementBytes(first),
                        .extents = {outer, inner},
                        .in_strides = {inner, 1},
                        .out_strides = {count * inner, 1},
                        .out_offset = i * inner};
    jobs.push_back({StridedCopy(spec), static_cast<size_t>(i), 0});
  }
  return CopyStep(std::move(jobs));
}

}  // namespace

const OpDef kPackOp = {
    .op = Op::kPack,
    .arity = Arity{1, kAnyNumber, 1, 1},
    .infer = Infer,
    .quantize = QuantizeRule{.kind = QuantizeRule::Kind::kSameAsInput},
    .work = MovementWork,
    .prepare = Prepare,
    .alias = Alias::kNone,
};

}  // namespace dlpu
