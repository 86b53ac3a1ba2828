// SPDX-License-Identifier: Apache-2.0
// Shapes, cost and specification of pooling.
#include "ops/pool.h"

#include <fmt/format.h>

namespace dlpu {
namespace {

struct PoolWindows {
  WindowExtent y, x;
};

Result<PoolWindows> ComputePoolWindows(const OpContext& context) {
  const Shape& input = context.input(0).shape;
  const auto& attrs = context.attrs<PoolAttrs>();
  if (input.size() != 4) {
    return context.Invalid(fmt::format("input {} must have 4 dimensions", ShapeText(input)));
  }
  PoolWindows windows;
  DLPU_TRY(windows.y, ComputeWindow(context, attrs.padding, input[1], attrs.filter_h,
                                    attrs.stride_h, 1, "height"));
  DLPU_TRY(windows.x, ComputeWindow(context, attrs.padding, input[2], attrs.filter_w,
                                    attrs.stride_w, 1, "width"));
  return windows;
}

template <typename Spec>
Result<Spec> MakeSpec(const OpContext& context) {
  DLPU_TRY(const PoolWindows windows, ComputePoolWindows(context));
  const Shape& input = context.input(0).shape;
  const auto& attrs = context.attrs<PoolAttrs>();
  Spec spec;
  spec.batch = input[0];
  spec.in_h = input[1];
  spec.in_w = input[2];
  spec.channels = input[3];
  spec.out_h = windows.y.output;
  spec.out_w = windows.x.output;
  spec.filter_h = attrs.filter_h;
  spec.filter_w = attrs.filter_w;
  spec.stride_h = attrs.stride_h;
  spec.stride_w = attrs.stride_w;
  spec.pad_top = windows.y.pad_before;
  spec.pad_left = windows.x.pad_before;
  return spec;
}

}  // namespace

Result<std::vector<OutputSpec>> InferPool(const OpContext& context) {
  DLPU_TRY(const PoolWindows windows, ComputePoolWindows(context));
  const Tensor& input = context.input(0);
  return std::vector<OutputSpec>{
      {input.type, {input.shape[0], windows.y.output, windows.x.output, input.shape[3]}}};
}

Work PoolWork(const OpContext& context) {
  const auto& attrs = context.attrs<PoolAttrs>();
  return ElementwiseWork(context, static_cast<int64_t>(attrs.filter_h) * attrs.filter_w);
}

Result<PoolSpecInt> MakePoolSpecInt(const OpContext& context) {
  const Tensor &input = context.input(0), &output = context.output(0);
  if (output.type != input.type) return context.UnsupportedType(output, DataTypeName(input.type));
  DLPU_TRY(PoolSpecInt spec, MakeSpec<PoolSpecInt>(context));
  DLPU_RETURN_IF_ERROR(ExpectPerTensorQuantization(context, output));
  DLPU_TRY(const CodeRange range,
           QuantizedActivationRange(context, context.attrs<PoolAttrs>().activation, output));
  spec.low = range.low;
  spec.high = range.high;
  return spec;
}

Result<PoolSpecFloat> MakePoolSpecFloat(const OpContext& context) {
  const Tensor& output = context.output(0);
  if (output.type != DataType::kFloat32) return context.UnsupportedType(output, "float32");
  DLPU_TRY(PoolSpecFloat spec, MakeSpec<PoolSpecFloat>(context));
  DLPU_TRY(const FloatRange range,
           FloatActivationRange(context, context.attrs<PoolAttrs>().activation));
  spec.low = range.low;
  spec.high = range.high;
  return spec;
}

}  // namespace dlpu
