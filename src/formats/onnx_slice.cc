// SPDX-License-Identifier: Apache-2.0
// Rules that cut, join and pad tensors, and that move blocks between channels and space.
#include <fmt/format.h>

#include <algorithm>

#include "formats/onnx_builder.h"

namespace dlpu {
namespace {

struct Cut {
  int64_t begin = 0, end = 0, step = 1;
  int32_t count = 0;  // elements that are left
};

// One axis of a slice as NumPy clamps it.
Cut MakeCut(int64_t start, int64_t end, int64_t step, int64_t extent) {
  const int64_t low = step > 0 ? 0 : -1, high = step > 0 ? extent : extent - 1;
  const auto clamp = [&](int64_t at) {
    return std::clamp(at < 0 ? std::max(at + extent, low) : at, low, high);
  };
  Cut cut{clamp(start), clamp(end), step, 0};
  const int64_t span = step > 0 ? cut.end - cut.begin : cut.begin - cut.end;
  const int64_t stride = step > 0 ? step : -step;
  if (span > 0) cut.count = static_cast<int32_t>((span + stride - 1) / stride);
  return cut;
}

TensorId EmitCuts(OnnxBuilder& b, TensorId x, const std::vector<Cut>& cuts) {
  const Shape shape = b.shape(x);
  std::vector<int32_t> begin, size, end, step;
  int32_t end_mask = 0;
  bool plain = true, whole = true;
  for (size_t d = 0; d < cuts.size(); ++d) {
    const Cut& c = cuts[d];
    plain = plain && (c.step == 1 || c.count <= 1);
    whole = whole && c.count == shape[d] && c.step == 1;
    begin.push_back(c.count == 0 ? 0 : static_cast<int32_t>(c.begin));
    size.push_back(c.count);
    step.push_back(static_cast<int32_t>(std::clamp<int64_t>(c.step, -shape[d] - 1, shape[d] + 1)));
    end.push_back(static_cast<int32_t>(c.end));
    if (c.end < 0) end_mask |= 1 << d;  // down to the first element
  }
  if (whole) return x;
  TensorId y = kNoTensor;
  if (plain || std::count(size.begin(), size.end(), 0) > 0) {
    y = b.Emit(Op::kSlice, {x, b.IntList(begin), b.IntList(size)});
  } else {
    y = b.Emit(Op::kStridedSlice, {x, b.IntList(begin), b.IntList(end), b.IntList(step)},
               StridedSliceAttrs{.end_mask = end_mask});
  }
  if (y != kNoTensor) b.graph().tensors[y].quantization = b.tensor(x).quantization;
  return y;
}

Status Slice(OnnxBuilder& b) {
  const TensorId x = b.in(0);
  const Shape shape = b.shape(x);
  const bool inputs = b.opset() >= 10;
  const std::vector<int64_t> starts = inputs ? b.ConstantInts(b.in(1)) : b.Ints("starts");
  const std::vector<int64_t> ends = inputs ? b.ConstantInts(b.in(2)) : b.Ints("ends");
  std::vector<int64_t> axes, steps;
  if (inputs && b.has(3)) axes = b.ConstantInts(b.in(3));
  if (!inputs) axes = b.Ints("axes");
  if (inputs && b.has(4)) steps = b.ConstantInts(b.in(4));
  if (!b.status().ok()) return b.status();
  if (axes.empty()) {
    for (size_t d = 0; d < starts.size(); ++d) axes.push_back(static_cast<int64_t>(d));
  }
  steps.resize(axes.size(), 1);
  if (starts.size() != axes.size() || ends.size() != axes.size()) {
    return b.Invalid("starts, ends and axes differ in length");
  }
  std::vector<Cut> cuts;
  for (const int32_t extent : shape) cuts.push_back({0, extent, 1, extent});
  for (size_t i = 0; i < axes.size(); ++i) {
    const int32_t axis = b.Axis(axes[i], shape.size());
    if (!b.status().ok()) return b.status();
    if (steps[i] == 0) return b.Invalid("a step of 0");
    const int64_t step = std::clamp<int64_t>(steps[i], INT32_MIN, INT32_MAX);
    cuts[axis] = MakeCut(starts[i], ends[i], step, shape[axis]);
  }
  return b.Set(EmitCuts(b, x, cuts));
}

Status Split(OnnxBuilder& b) {
  const TensorId x = b.in(0);
  const Shape shape = b.shape(x);
  const int32_t axis = b.Axis(b.Int("axis", 0), shape.size());
  std::vector<int64_t> sizes = b.has(1) ? b.ConstantInts(b.in(1)) : b.Ints("split");
  if (!b.status().ok()) return b.status();
  const auto count = static_cast<int64_t>(b.node().outputs.size());
  const int64_t extent = shape[axis];
  if (sizes.empty()) {  // equal parts, the last one smaller
    const int64_t parts = b.Int("num_outputs", count);
    if (parts < 1 || parts != count) return b.Invalid(fmt::format("{} parts", parts));
    const int64_t part = (extent + parts - 1) / parts;
    for (int64_t i = 0; i < parts; ++i) {
      sizes.push_back(std::clamp<int64_t>(extent - i * part, 0, part));
    }
  }
  int64_t sum = 0;
  for (const int64_t size : sizes) {
    if (size < 0 || size > extent) return b.Invalid(fmt::format("a part of {}", size));
    sum += size;
  }
  if (sum != extent || static_cast<int64_t>(sizes.size()) != count) {
    return b.Invalid(
        fmt::format("{} parts of together {} of an extent of {}", sizes.size(), sum, extent));
  }
  if (count == 1) return b.Set(x);
  const std::vector<DataType> types(sizes.size(), b.type(x));
  const Quantization q = b.tensor(x).quantization;
  const bool equal =
      std::all_of(sizes.begin(), sizes.end(), [&](int64_t s) { return s == sizes[0]; });
  std::vector<TensorId> parts;
  const SplitAttrs attrs{static_cast<int32_t>(count)};
  if (equal && sizes[0] > 0) {
    parts = b.EmitMany(Op::kSplit, {b.IntScalar(axis), x}, attrs, types, q);
  } else {
    const std::vector<int32_t> list(sizes.begin(), sizes.end());
    parts = b.EmitMany(Op::kSplitV, {x, b.IntList(list), b.IntScalar(axis)}, attrs, types, q);
  }
  for (size_t i = 0; i < parts.size(); ++i) DLPU_RETURN_IF_ERROR(b.Set(i, parts[i]));
  return b.status();
}

Status Concat(OnnxBuilder& b) {
  std::vector<TensorId> inputs;
  for (size_t i = 0; i < b.input_count(); ++i) {
    if (b.has(i)) inputs.push_back(b.in(i));
  }
  if (inputs.empty()) return b.Invalid("no inputs");
  const int32_t axis = b.Axis(b.Int("axis", 1), b.rank(inputs[0]));
  if (inputs.size() == 1) return b.Set(inputs[0]);
  return b.Set(b.Emit(Op::kConcatenation, inputs, ConcatenationAttrs{.axis = axis}));
}

struct Pads {
  std::vector<int64_t> before, after;
};

Pads ReadPads(OnnxBuilder& b, size_t rank) {
  std::vector<int64_t> list = b.opset() >= 11 ? b.ConstantInts(b.in(1)) : b.Ints("pads");
  std::vector<int64_t> axes;
  if (b.has(3)) axes = b.ConstantInts(b.in(3));
  Pads pads{std::vector<int64_t>(rank, 0), std::vector<int64_t>(rank, 0)};
  if (axes.empty()) {
    for (size_t d = 0; d < rank; ++d) axes.push_back(static_cast<int64_t>(d));
  }
  if (!b.status().ok()) return pads;
  if (list.size() != axes.size() * 2) {
    b.Fail(b.Invalid(fmt::format("{} pads for {} axes", list.size(), axes.size())));
    return pads;
  }
  for (size_t i = 0; i < axes.size(); ++i) {
    const int32_t axis = b.Axis(axes[i], rank);
    if (!b.status().ok()) return pads;
    pads.before[axis] = list[i];
    pads.after[axis] = list[i + axes.size()];
    if (std::max(std::abs(list[i]), std::abs(list[i + axes.size()])) > (1 << 22)) {
      b.Fail(b.Invalid("a padding of over 2^22"));
      return pads;
    }
  }
  return pads;
}

// Edge, reflect and wrap padding along one axis: which element of the input each output shows.
TensorId GatherPadding(OnnxBuilder& b, TensorId x, int32_t axis, int64_t before, int64_t after,
                       const std::string& mode) {
  const int64_t n = b.shape(x)[axis];
  std::vector<int32_t> index;
  for (int64_t at = -before; at < n + after; ++at) {
    int64_t from = std::clamp<int64_t>(at, 0, n - 1);
    if (mode == "wrap") from = ((at % n) + n) % n;
    if (mode == "reflect" && n > 1) {
      const int64_t period = 2 * (n - 1);
      from = ((at % period) + period) % period;
      if (from >= n) from = period - from;
    }
    index.push_back(static_cast<int32_t>(from));
  }
  return b.Emit(Op::kGather, {x, b.IntList(index)}, GatherAttrs{.axis = axis});
}

// Negative padding cuts.
TensorId CutNegative(OnnxBuilder& b, TensorId x, Pads& pads) {
  const Shape shape = b.shape(x);
  std::vector<Cut> cuts;
  for (size_t d = 0; d < shape.size(); ++d) {
    const int64_t begin = std::max<int64_t>(0, -pads.before[d]);
    const int64_t end = shape[d] - std::max<int64_t>(0, -pads.after[d]);
    cuts.push_back(
        {begin, std::max(begin, end), 1, static_cast<int32_t>(std::max<int64_t>(0, end - begin))});
    pads.before[d] = std::max<int64_t>(0, pads.before[d]);
    pads.after[d] = std::max<int64_t>(0, pads.after[d]);
  }
  return EmitCuts(b, x, cuts);
}

Status Pad(OnnxBuilder& b) {
  TensorId x = b.in(0);
  const size_t rank = b.rank(x);
  Pads pads = ReadPads(b, rank);
  const std::string mode = b.String("mode", "constant");
  if (!b.status().ok()) return b.status();
  x = CutNegative(b, x, pads);
  if (mode != "constant") {
    for (size_t d = 0; d < rank && b.status().ok(); ++d) {
      if (pads.before[d] == 0 && pads.after[d] == 0) continue;
      if (b.shape(x)[d] < 1) return b.Invalid("padding of an empty axis");
      x = GatherPadding(b, x, static_cast<int32_t>(d), pads.before[d], pads.after[d], mode);
    }
    return b.Set(x);
  }
  std::vector<int32_t> list;
  bool any = false;
  for (size_t d = 0; d < rank; ++d) {
    list.push_back(static_cast<int32_t>(pads.before[d]));
    list.push_back(static_cast<int32_t>(pads.after[d]));
    any = any || pads.before[d] != 0 || pads.after[d] != 0;
  }
  if (!any) return b.Set(x);
  const TensorId amounts = b.IntConstant(list, {static_cast<int32_t>(rank), 2});
  float value = b.Float("value", 0);
  if (b.opset() >= 11 && b.has(2)) {
    const std::vector<float> values = b.ConstantFloats(b.in(2));
    if (!values.empty()) value = values[0];
  }
  if (value == 0) return b.Set(b.Emit(Op::kPad, {x, amounts}));
  return b.Set(b.Emit(Op::kPadV2, {x, amounts, b.Scalar(b.type(x), value)}));
}

bool ExpectBlocks(OnnxBuilder& b, int64_t block) {
  if (b.rank(b.in(0)) != 4) {
    b.Fail(b.Unsupported(fmt::format("input {}", ShapeText(b.shape(b.in(0))))));
  } else if (block < 1 || block > 4096) {
    b.Fail(b.Invalid(fmt::format("a block size of {}", block)));
  }
  return b.status().ok();
}

Status SpaceToDepth(OnnxBuilder& b) {
  const int64_t block = b.Int("blocksize", 1);
  if (!ExpectBlocks(b, block)) return b.status();
  TensorId y = b.Emit(Op::kSpaceToDepth, {b.Transpose(b.in(0), kNchwToNhwc)},
                      BlockAttrs{static_cast<int32_t>(block)});
  if (b.String("mode", "DCR") == "CRD") {
    const int64_t channels = b.shape(b.in(0))[1], squares = block * block;
    std::vector<int32_t> index;
    for (int64_t c = 0; c < channels; ++c) {
      for (int64_t at = 0; at < squares; ++at) {
        index.push_back(static_cast<int32_t>(at * channels + c));
      }
    }
    y = b.Emit(Op::kGather, {y, b.IntList(index)}, GatherAttrs{.axis = 3});
  }
  return b.Set(b.Transpose(y, kNhwcToNchw));
}

// DEPTH_TO_SPACE takes channels as (block row, block column, channel), which is ONNX's DCR. For
// CRD, as a pixel shuffle has it, the channels are brought into that order first.
Status DepthToSpace(OnnxBuilder& b) {
  const int64_t block = b.Int("blocksize", 1);
  if (!ExpectBlocks(b, block)) return b.status();
  TensorId x = b.Transpose(b.in(0), kNchwToNhwc);
  const int64_t channels = b.shape(b.in(0))[1], squares = block * block;
  if (channels % squares != 0) {
    return b.Invalid(fmt::format("{} channels do not divide by {}", channels, squares));
  }
  if (b.String("mode", "DCR") == "CRD") {
    std::vector<int32_t> index;
    for (int64_t at = 0; at < squares; ++at) {
      for (int64_t c = 0; c < channels / squares; ++c) {
        index.push_back(static_cast<int32_t>(c * squares + at));
      }
    }
    x = b.Emit(Op::kGather, {x, b.IntList(index)}, GatherAttrs{.axis = 3});
  }
  const TensorId y = b.Emit(Op::kDepthToSpace, {x}, BlockAttrs{static_cast<int32_t>(block)});
  return b.Set(b.Transpose(y, kNhwcToNchw));
}

constexpr OnnxRow kRows[] = {
    {"Concat", Concat, "CONCATENATION"},
    {"DepthToSpace", DepthToSpace, "DEPTH_TO_SPACE; GATHER before it in CRD mode"},
    {"Pad", Pad, "PAD, PADV2; GATHER in the other modes"},
    {"Slice", Slice, "SLICE, STRIDED_SLICE"},
    {"SpaceToDepth", SpaceToDepth, "SPACE_TO_DEPTH; GATHER after it in CRD mode"},
    {"Split", Split, "SPLIT, SPLIT_V"},
};

}  // namespace

std::span<const OnnxRow> OnnxSliceRows() { return kRows; }

}  // namespace dlpu
