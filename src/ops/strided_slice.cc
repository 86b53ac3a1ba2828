// SPDX-License-Identifier: Apache-2.0
// STRIDED_SLICE: begin:end:stride along each axis, NumPy style, with TensorFlow's five masks.
#include <fmt/format.h>

#include <algorithm>

#include "ops/movement.h"

namespace dlpu {
namespace {

constexpr size_t kMaxIndices = 31;  // the masks are 32-bit

// One axis of the input (or a new one of extent 1): elements first, first + step, ..., `count`.
struct SliceAxis {
  int64_t extent = 1;
  int64_t first = 0, step = 1, count = 1;
  bool is_new = false, shrink = false;
};

struct Indices {
  std::vector<int64_t> begin, end, strides;
};

Result<Indices> ReadIndices(const OpContext& context) {
  Indices indices;
  std::vector<int64_t>* lists[] = {&indices.begin, &indices.end, &indices.strides};
  for (size_t i = 0; i < 3; ++i) {
    if (context.input(i + 1).type != DataType::kInt32) {
      return context.UnsupportedType(context.input(i + 1), "int32");
    }
    DLPU_TRY(*lists[i], context.ConstantInts(i + 1));
    if (lists[i]->size() != indices.begin.size()) {
      return context.Invalid("begin, end and strides differ in length");
    }
  }
  if (indices.begin.size() > kMaxIndices) {
    return context.Unsupported(
        fmt::format("{} indices, at most {} fit the masks", indices.begin.size(), kMaxIndices));
  }
  return indices;
}

// begin, end and stride of one input axis, clamped to it.
Result<SliceAxis> SliceOne(const OpContext& context, int64_t extent, int64_t begin, int64_t end,
                           int64_t stride, bool whole_begin, bool whole_end, bool shrink) {
  if (stride == 0 || stride == INT32_MIN) {
    return context.Invalid(fmt::format("a stride of {} is not possible", stride));
  }
  const bool forward = stride > 0;
  const auto clamp = [&](int64_t i) {
    if (i < 0) i += extent;
    return std::clamp<int64_t>(i, forward ? 0 : -1, forward ? extent : extent - 1);
  };
  SliceAxis axis{.extent = extent, .step = stride, .shrink = shrink};
  axis.first = clamp(begin);
  if (whole_begin) axis.first = forward ? 0 : extent - 1;
  if (shrink) {
    if (!forward || axis.first >= extent) {
      return context.Invalid(fmt::format("index {} (stride {}) of an extent of {} is out of range",
                                         begin, stride, extent));
    }
    return axis;
  }
  if (context.attrs<StridedSliceAttrs>().offset) end += axis.first;
  int64_t last = clamp(end);
  if (whole_end) last = forward ? extent : -1;
  const int64_t span = forward ? last - axis.first : axis.first - last;
  const int64_t step = forward ? stride : -stride;
  axis.count = span > 0 ? (span + step - 1) / step : 0;
  return axis;
}

// The axes of the result in order. An entry of the index lists stands for one axis, for a new one
// (new_axis_mask) or for several whole ones (ellipsis_mask, which wins over new_axis_mask); axes
// after the last entry are whole.
Result<std::vector<SliceAxis>> ComputeAxes(const OpContext& context) {
  const auto& attrs = context.attrs<StridedSliceAttrs>();
  const Shape& input = context.input(0).shape;
  DLPU_TRY(const Indices indices, ReadIndices(context));
  const auto bit = [](int32_t mask, size_t i) { return (mask >> i & 1) != 0; };
  const auto entries = static_cast<int64_t>(indices.begin.size());
  int64_t added = 0;
  for (size_t i = 0; i < indices.begin.size(); ++i) {
    if (!bit(attrs.ellipsis_mask, i) && bit(attrs.new_axis_mask, i)) ++added;
  }
  const auto rank = static_cast<int64_t>(input.size());
  std::vector<SliceAxis> axes;
  size_t next = 0;  // axis of the input
  bool had_ellipsis = false;
  for (size_t i = 0; i < indices.begin.size(); ++i) {
    if (bit(attrs.ellipsis_mask, i)) {
      if (had_ellipsis) return context.Invalid("more than one ellipsis");
      had_ellipsis = true;
      const int64_t whole = rank - (entries - 1 - added);
      if (whole < 1) return context.Unsupported("an ellipsis that stands for no axis");
      for (int64_t k = 0; k < whole; ++k, ++next) {
        axes.push_back({.extent = input[next], .count = input[next]});
      }
    } else if (bit(attrs.new_axis_mask, i)) {
      axes.push_back({.is_new = true});
    } else {
      if (next >= input.size()) {
        return context.Invalid(fmt::format("{} indices for {}", entries, ShapeText(input)));
      }
      DLPU_TRY(const SliceAxis axis,
               SliceOne(context, input[next], indices.begin[i], indices.end[i], indices.strides[i],
                        bit(attrs.begin_mask, i), bit(attrs.end_mask, i),
                        bit(attrs.shrink_axis_mask, i)));
      axes.push_back(axis);
      ++next;
    }
  }
  for (; next < input.size(); ++next) {
    axes.push_back({.extent = input[next], .count = input[next]});
  }
  return axes;
}

Result<std::vector<OutputSpec>> Infer(const OpContext& context) {
  DLPU_TRY(const std::vector<SliceAxis> axes, ComputeAxes(context));
  std::vector<int64_t> extents;
  for (const SliceAxis& axis : axes) {
    if (!axis.shrink) extents.push_back(axis.count);
  }
  return OneOutput(context, context.input(0).type, extents);
}

Result<PreparedOp> Prepare(const PrepareContext& context) {
  const Tensor& input = context.input(0);
  DLPU_RETURN_IF_ERROR(ExpectTypeIn(context, input, kMovableTypes));
  DLPU_TRY(const std::vector<SliceAxis> axes, ComputeAxes(context));
  std::vector<int64_t> extents;
  for (const SliceAxis& axis : axes) extents.push_back(axis.extent);
  const std::vector<int64_t> strides = PackedStrides(extents);
  CopySpec spec{
      .element_bytes = ElementBytes(input), .extents = {}, .in_strides = {}, .out_strides = {}};
  for (size_t d = 0; d < axes.size(); ++d) {
    spec.extents.push_back(axes[d].count);
    spec.in_strides.push_back(axes[d].step * strides[d]);
    spec.in_offset += axes[d].first * strides[d];
  }
  spec.out_strides = PackedStrides(spec.extents);
  return CopyStep({{StridedCopy(spec)}});
}

}  // namespace

const OpDef kStridedSliceOp = {
    .op = Op::kStridedSlice,
    .arity = Arity{4, 4, 1, 1},
    .infer = Infer,
    .quantize = QuantizeRule{.kind = QuantizeRule::Kind::kSameAsInput},
    .work = MovementWork,
    .prepare = Prepare,
    .alias = Alias::kNone,
};

}  // namespace dlpu
