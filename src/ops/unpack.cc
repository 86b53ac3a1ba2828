// SPDX-License-Identifier: Apache-2.0
// UNPACK: one output for each index of an axis, without that axis.
#include <fmt/format.h>

#include "ops/split.h"

namespace dlpu {
namespace {

constexpr TypeSet kTypes =
    Types(DataType::kFloat32, DataType::kFloat16, DataType::kUInt8, DataType::kInt8,
          DataType::kInt16, DataType::kInt32, DataType::kBool);

Result<SplitGeometry> ComputeGeometry(const OpContext& context) {
  const Tensor& input = context.input(0);
  const auto& attrs = context.attrs<PackAttrs>();
  DLPU_RETURN_IF_ERROR(ExpectTypeIn(context, input, kTypes));
  if (ElementCount(input.shape) == 0) return context.Invalid("an empty input");
  SplitGeometry g;
  DLPU_TRY(g.axis, NormaliseAxis(context, attrs.axis, input.shape.size()));
  const int32_t extent = input.shape[g.axis];
  if (attrs.count != extent || static_cast<int64_t>(context.output_count()) != extent) {
    return context.Invalid(fmt::format("an extent of {}, but {} parts and {} outputs", extent,
                                       attrs.count, context.output_count()));
  }
  g.sizes.assign(static_cast<size_t>(extent), 1);
  return g;
}

Result<std::vector<OutputSpec>> Infer(const OpContext& context) {
  DLPU_TRY(const SplitGeometry g, ComputeGeometry(context));
  DLPU_TRY(std::vector<OutputSpec> outputs, SplitOutputs(context, g));
  for (OutputSpec& output : outputs) output.shape.erase(output.shape.begin() + g.axis);
  return outputs;
}

Result<PreparedOp> Prepare(const PrepareContext& context) {
  DLPU_TRY(const SplitGeometry g, ComputeGeometry(context));
  for (size_t i = 0; i < context.output_count(); ++i) {
    DLPU_RETURN_IF_ERROR(ExpectSameQuantization(context, context.input(0), context.output(i)));
  }
  return PrepareSplit(context, g);
}

}  // namespace

const OpDef kUnpackOp = {
    .op = Op::kUnpack,
    .arity = Arity{1, 1, 1, kAnyNumber},
    .infer = Infer,
    .quantize = QuantizeRule{.kind = QuantizeRule::Kind::kSameAsInput},
    .work = MovementWork,
    .prepare = Prepare,
    .alias = Alias::kNone,
};

}  // namespace dlpu
