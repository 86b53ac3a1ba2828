// SPDX-License-Identifier: Apache-2.0
// LOCAL_RESPONSE_NORMALIZATION over the channels of an NHWC picture; float32 only.
#include <fmt/format.h>

#include "kernels/normalization/normalization.h"
#include "ops/common.h"

namespace dlpu {
namespace {

Work CountWork(const OpContext& context) {
  const auto& attrs = context.attrs<LocalResponseNormalizationAttrs>();
  return ElementwiseWork(context, 2 * static_cast<int64_t>(attrs.radius) + 10);
}

Result<PreparedOp> Prepare(const PrepareContext& context) {
  const Tensor &input = context.input(0), &output = context.output(0);
  for (const Tensor* tensor : {&input, &output}) {
    if (tensor->type != DataType::kFloat32) return context.UnsupportedType(*tensor, "float32");
  }
  if (input.shape.size() != 4) {
    return context.Invalid(fmt::format("input {} must have 4 dimensions", ShapeText(input.shape)));
  }
  const auto& attrs = context.attrs<LocalResponseNormalizationAttrs>();
  NormalizationShape shape;
  shape.depth = input.shape[3];
  shape.rows = shape.depth == 0 ? 0 : ElementCount(input.shape) / shape.depth;
  const LocalResponseSpec spec{attrs.radius, attrs.bias, attrs.alpha, attrs.beta};
  PreparedOp op;
  op.run = [shape, spec](const RunArgs& args) {
    LocalResponseNormalize(shape, spec, args.in<float>(0), args.out<float>(0), args.pool);
    return OkStatus();
  };
  return op;
}

}  // namespace

const OpDef kLocalResponseNormalizationOp = {
    .op = Op::kLocalResponseNormalization,
    .arity = Arity{1, 1, 1, 1},
    .infer = InferSameAsInput,
    .quantize = QuantizeRule{.kind = QuantizeRule::Kind::kFloatOnly},
    .work = CountWork,
    .prepare = Prepare,
    .alias = Alias::kNone,
};

}  // namespace dlpu
