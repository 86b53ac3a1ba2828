// SPDX-License-Identifier: Apache-2.0
// RESHAPE: the same bytes under another shape. The shape comes from input 1 when there is one,
// else from the attribute; one extent may be -1.
#include <fmt/format.h>

#include "ops/movement.h"

namespace dlpu {
namespace {

Result<std::vector<OutputSpec>> Infer(const OpContext& context) {
  const Tensor& input = context.input(0);
  std::vector<int64_t> wanted;
  const auto& attribute = context.attrs<ReshapeAttrs>().new_shape;
  if (context.has_input(1) && context.input(1).is_constant) {
    DLPU_TRY(wanted, context.ConstantInts(1));
  } else if (!attribute.empty() || !context.has_input(1)) {
    wanted.assign(attribute.begin(), attribute.end());
    // Old converters write a scalar as [0].
    if (wanted.size() == 1 && wanted[0] == 0) wanted.clear();
  } else {
    DLPU_TRY(wanted, context.ConstantInts(1));
  }
  const int64_t count = ElementCount(input.shape);
  int64_t known = 1;
  int unknown = -1;
  Shape shape;
  for (size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i] == -1) {
      if (unknown >= 0) return context.Invalid("more than one extent of the new shape is -1");
      unknown = static_cast<int>(i);
    } else if (wanted[i] < 0 || wanted[i] > INT32_MAX) {
      return context.Invalid(fmt::format("extent {} of the new shape is out of range", wanted[i]));
    } else {
      known *= wanted[i];
      if (known > INT32_MAX) return context.Invalid("the new shape is too large");
    }
    shape.push_back(static_cast<int32_t>(wanted[i]));
  }
  if (unknown >= 0) {
    if (known == 0 || count % known != 0) {
      return context.Invalid(
          fmt::format("{} elements do not fit shape {}", count, ShapeText(shape)));
    }
    shape[unknown] = static_cast<int32_t>(count / known);
  }
  if (ElementCount(shape) != count) {
    return context.Invalid(
        fmt::format("{} does not reshape to {}", ShapeText(input.shape), ShapeText(shape)));
  }
  return std::vector<OutputSpec>{{input.type, shape}};
}

}  // namespace

const OpDef kReshapeOp = {
    .op = Op::kReshape,
    .arity = Arity{1, 2, 1, 1},
    .infer = Infer,
    .quantize = QuantizeRule{.kind = QuantizeRule::Kind::kSameAsInput},
    .work = MovementWork,
    .prepare = PrepareSameBytes,
    .alias = Alias::kInput0,
};

}  // namespace dlpu
