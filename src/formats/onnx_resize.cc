// SPDX-License-Identifier: Apache-2.0
// Rules of resizing. Where LiteRT's op reads the same elements with the same weights it is used;
// otherwise each axis is a GATHER (nearest) or a product with a constant matrix.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "formats/onnx_builder.h"
#include "formats/onnx_resample.h"

namespace dlpu {
namespace {

constexpr int64_t kMaxExtent = 1 << 20;

struct Plan {
  ResampleMode mode;
  std::vector<ResampleAxis> axes;  // one for each dimension
  float outside = 0;               // extrapolation_value
};

// The axes that scales and sizes speak of.
std::vector<int32_t> ReadAxes(OnnxBuilder& b, size_t rank) {
  std::vector<int32_t> axes;
  for (const int64_t axis : b.Ints("axes")) axes.push_back(b.Axis(axis, rank));
  if (axes.empty()) axes = IdentityPermutation(rank);
  return axes;
}

void SetScales(OnnxBuilder& b, const std::vector<float>& scales, const std::vector<int32_t>& axes,
               Plan& plan) {
  if (scales.size() != axes.size()) {
    b.Fail(b.Invalid(fmt::format("{} scales for {} axes", scales.size(), axes.size())));
    return;
  }
  for (size_t i = 0; i < axes.size(); ++i) {
    ResampleAxis& axis = plan.axes[axes[i]];
    // Before it is cut to whole elements; scales are float32, so 0.6 times 5 must stay 3.
    const double extent = std::floor(static_cast<double>(scales[i] * static_cast<float>(axis.in)));
    if (!(scales[i] > 0) || !(extent <= kMaxExtent)) {
      b.Fail(b.Invalid(fmt::format("a scale of {}", scales[i])));
      return;
    }
    axis.scale = static_cast<double>(scales[i]);
    axis.out = static_cast<int32_t>(extent);
  }
}

void SetSizes(OnnxBuilder& b, const std::vector<int64_t>& sizes, const std::vector<int32_t>& axes,
              Plan& plan) {
  if (sizes.size() != axes.size()) {
    b.Fail(b.Invalid(fmt::format("{} sizes for {} axes", sizes.size(), axes.size())));
    return;
  }
  for (const int64_t size : sizes) {
    if (size < 1 || size > kMaxExtent) {
      b.Fail(b.Invalid(fmt::format("a size of {}", size)));
      return;
    }
  }
  const std::string policy = b.String("keep_aspect_ratio_policy", "stretch");
  double common = policy == "not_larger" ? 1e30 : 0;
  for (size_t i = 0; i < axes.size(); ++i) {
    const double scale = static_cast<double>(sizes[i]) / std::max(1, plan.axes[axes[i]].in);
    common = policy == "not_larger" ? std::min(common, scale) : std::max(common, scale);
  }
  for (size_t i = 0; i < axes.size(); ++i) {
    ResampleAxis& axis = plan.axes[axes[i]];
    axis.out = static_cast<int32_t>(sizes[i]);
    axis.scale = static_cast<double>(sizes[i]) / std::max(1, axis.in);
    if (policy == "stretch") continue;
    axis.scale = common;
    axis.out =
        static_cast<int32_t>(std::clamp<int64_t>(std::llround(common * axis.in), 1, kMaxExtent));
  }
}

void ReadRoi(OnnxBuilder& b, const std::vector<int32_t>& axes, Plan& plan) {
  if (plan.mode.coordinates != "tf_crop_and_resize" || !b.has(1)) return;
  const std::vector<float> roi = b.ConstantFloats(b.in(1));
  if (!b.status().ok() || roi.size() != axes.size() * 2) return;
  for (size_t i = 0; i < axes.size(); ++i) {
    plan.axes[axes[i]].roi_begin = static_cast<double>(roi[i]);
    plan.axes[axes[i]].roi_end = static_cast<double>(roi[i + axes.size()]);
  }
}

void ReadMode(OnnxBuilder& b, Plan& plan) {
  const bool old = b.node().op == "Upsample" || b.opset() < 11;
  ResampleMode& mode = plan.mode;
  mode.mode = b.String("mode", "nearest");
  if (mode.mode == "bilinear") mode.mode = "linear";
  mode.coordinates = old ? "asymmetric" : b.String("coordinate_transformation_mode", "half_pixel");
  mode.nearest = old ? "floor" : b.String("nearest_mode", "round_prefer_floor");
  mode.cubic_a = static_cast<double>(b.Float("cubic_coeff_a", -0.75f));
  mode.exclude_outside = b.Int("exclude_outside", 0) != 0;
  mode.antialias = b.Int("antialias", 0) != 0;
  plan.outside = b.Float("extrapolation_value", 0);
  if (mode.mode != "nearest" && mode.mode != "linear" && mode.mode != "cubic") {
    b.Fail(b.Unsupported(fmt::format("mode {}", mode.mode)));
  }
}

Plan ReadPlan(OnnxBuilder& b) {
  Plan plan;
  const Shape shape = b.shape(b.in(0));
  for (const int32_t extent : shape) plan.axes.push_back({extent, extent, 1, 0, 1});
  ReadMode(b, plan);
  const std::vector<int32_t> axes = ReadAxes(b, shape.size());
  if (!b.status().ok()) return plan;
  if (b.HasAttribute("scales")) {
    SetScales(b, b.node().attributes.at("scales").floats, axes, plan);
  } else if (b.node().op == "Upsample" || b.opset() < 11) {
    SetScales(b, b.ConstantFloats(b.in(1)), axes, plan);
  } else if (b.has(3) && ElementCount(b.shape(b.in(3))) > 0) {
    SetSizes(b, b.ConstantInts(b.in(3)), axes, plan);
  } else if (b.has(2)) {
    SetScales(b, b.ConstantFloats(b.in(2)), axes, plan);
  } else {
    b.Fail(b.Invalid("neither scales nor sizes"));
  }
  ReadRoi(b, axes, plan);
  return plan;
}

// The spatial axes of a picture when nothing else changes: 2 and 3 (NCHW) or 1 and 2 (NHWC).
int SpatialAxis(const std::vector<bool>& changed) {
  if (changed.size() != 4 || changed[0]) return -1;
  if (!changed[1]) return 2;
  return changed[3] ? -1 : 1;
}

// LiteRT's op, when one of its variants does the same; kNoTensor otherwise.
TensorId EmitResize(OnnxBuilder& b, TensorId x, const Plan& plan, int first) {
  if (plan.mode.mode == "cubic") return kNoTensor;
  const bool nearest = plan.mode.mode == "nearest";
  const ResampleAxis &h = plan.axes[first], &w = plan.axes[first + 1];
  const auto rows = OnnxRows(plan.mode, h), columns = OnnxRows(plan.mode, w);
  for (const auto& [align, half] : {std::pair{false, true}, {false, false}, {true, false}}) {
    if (!SameRows(rows, TfliteRows(nearest, align, half, h)) ||
        !SameRows(columns, TfliteRows(nearest, align, half, w))) {
      continue;
    }
    const TensorId size = b.IntList({h.out, w.out});
    const TensorId nhwc = first == 2 ? b.Transpose(x, kNchwToNhwc) : x;
    const TensorId y = b.Emit(nearest ? Op::kResizeNearestNeighbor : Op::kResizeBilinear,
                              {nhwc, size}, ResizeAttrs{align, half});
    return first == 2 ? b.Transpose(y, kNhwcToNchw) : y;
  }
  return kNoTensor;
}

// The elements that make each element of an axis, when each is one of the axis itself.
std::optional<std::vector<int32_t>> Picked(const std::vector<ResampleRow>& rows) {
  std::vector<int32_t> index;
  for (const ResampleRow& row : rows) {
    if (row.size() != 1 || row[0].weight != 1) return std::nullopt;
    index.push_back(row[0].index);
  }
  return index;
}

// The rows as a matrix [out, in], and what the elements outside the axis are.
struct AxisMatrix {
  std::vector<float> matrix, bias;
  bool has_bias = false;
};

AxisMatrix MatrixOf(const std::vector<ResampleRow>& rows, const Plan& plan, const ResampleAxis& a) {
  AxisMatrix m;
  m.matrix.resize(static_cast<size_t>(a.in) * static_cast<size_t>(a.out), 0.0f);
  m.bias.resize(static_cast<size_t>(a.out), 0.0f);
  for (size_t i = 0; i < rows.size(); ++i) {
    for (const ResampleTap& tap : rows[i]) {
      m.matrix[i * static_cast<size_t>(a.in) + static_cast<size_t>(tap.index)] =
          static_cast<float>(tap.weight);
    }
    if (!rows[i].empty()) continue;
    m.bias[i] = plan.outside;
    m.has_bias = true;
  }
  return m;
}

bool TooLarge(const ResampleAxis& a) { return int64_t{a.in} * a.out > (1 << 24); }

constexpr char kTooLarge[] = "a resizing that LiteRT has no op for, of too many elements";

// One axis as a GATHER, or as a product of the axis with a constant matrix.
TensorId EmitAxis(OnnxBuilder& b, TensorId x, const Plan& plan, int32_t axis) {
  const ResampleAxis& a = plan.axes[axis];
  const std::vector<ResampleRow> rows = OnnxRows(plan.mode, a);
  if (const auto index = Picked(rows); index.has_value()) {
    return b.Emit(Op::kGather, {x, b.IntList(*index)}, GatherAttrs{.axis = axis});
  }
  if (TooLarge(a)) return b.Fail(b.Unsupported(kTooLarge));
  const AxisMatrix m = MatrixOf(rows, plan, a);
  Permutation perm = IdentityPermutation(b.rank(x));
  std::swap(perm[axis], perm.back());
  const TensorId y = b.Emit(Op::kFullyConnected,
                            {b.Transpose(x, perm), b.FloatConstant(m.matrix, {a.out, a.in}),
                             b.FloatConstant(m.bias, {a.out})},
                            FullyConnectedAttrs{.keep_num_dims = true});
  return b.Transpose(y, perm);
}

// Rows or columns of an NHWC picture as a GATHER, or as a constant matrix times the picture with
// the axes before that axis joined, and those after it: nothing is transposed.
TensorId EmitPictureAxis(OnnxBuilder& b, TensorId x, const Plan& plan, const ResampleAxis& a,
                         int32_t axis) {
  const std::vector<ResampleRow> rows = OnnxRows(plan.mode, a);
  if (const auto index = Picked(rows); index.has_value()) {
    return b.Emit(Op::kGather, {x, b.IntList(*index)}, GatherAttrs{.axis = axis});
  }
  if (TooLarge(a)) return b.Fail(b.Unsupported(kTooLarge));
  const AxisMatrix m = MatrixOf(rows, plan, a);
  Shape shape = b.shape(x);
  const int32_t before = axis == 1 ? shape[0] : shape[0] * shape[1];
  const int32_t after = axis == 1 ? shape[2] * shape[3] : shape[3];
  const TensorId flat = b.Reshape(x, {before, shape[axis], after});
  TensorId y = b.Emit(Op::kBatchMatmul, {b.FloatConstant(m.matrix, {1, a.out, a.in}), flat},
                      BatchMatmulAttrs{});
  if (m.has_bias) {
    y = b.Emit(Op::kAdd, {y, b.FloatConstant(m.bias, {1, a.out, 1})}, ArithmeticAttrs{});
  }
  shape[axis] = a.out;
  return b.Reshape(y, shape);
}

// A picture whose rows and columns change by a rule that LiteRT has no op for.
TensorId EmitPicture(OnnxBuilder& b, TensorId x, const Plan& plan, int first,
                     const std::vector<bool>& changed) {
  TensorId y = first == 2 ? b.Transpose(x, kNchwToNhwc) : x;
  for (int32_t i = 0; i < 2 && b.status().ok(); ++i) {
    if (changed[first + i]) y = EmitPictureAxis(b, y, plan, plan.axes[first + i], i + 1);
  }
  if (!b.status().ok()) return kNoTensor;
  return first == 2 ? b.Transpose(y, kNhwcToNchw) : y;
}

Status Resize(OnnxBuilder& b) {
  const Plan plan = ReadPlan(b);
  if (!b.status().ok()) return b.status();
  const DataType type = b.type(b.in(0));
  TensorId x = plan.mode.mode == "nearest" ? b.in(0) : b.Cast(b.in(0), DataType::kFloat32);
  std::vector<bool> changed;
  for (const ResampleAxis& axis : plan.axes) {
    if (axis.in < 1 || axis.out < 1) return b.Invalid("an empty axis");
    if (axis.in != axis.out && axis.in > kMaxExtent) return b.Unsupported("an axis of over 2^20");
    changed.push_back(axis.in != axis.out || plan.mode.coordinates == "tf_crop_and_resize");
  }
  if (const int first = SpatialAxis(changed); first > 0) {
    TensorId y = EmitResize(b, x, plan, first);
    if (y == kNoTensor && b.status().ok()) y = EmitPicture(b, x, plan, first, changed);
    return b.status().ok() ? b.Set(b.Cast(y, type)) : b.status();
  }
  for (size_t d = 0; d < changed.size() && b.status().ok(); ++d) {
    if (changed[d]) x = EmitAxis(b, x, plan, static_cast<int32_t>(d));
  }
  return b.Set(b.Cast(x, type));
}

// theta [N, 2, 3] times a constant grid.
Status AffineGrid(OnnxBuilder& b) {
  const std::vector<int64_t> size = b.ConstantInts(b.in(1));
  if (!b.status().ok()) return b.status();
  if (size.size() != 4 || size[2] < 1 || size[3] < 1 || size[2] * size[3] > (1 << 24)) {
    return b.Unsupported("a grid that is no picture");
  }
  const bool corners = b.Int("align_corners", 0) != 0;
  const auto at = [&](int64_t i, int64_t n) {
    if (corners)
      return n == 1 ? 0.0 : -1 + 2.0 * static_cast<double>(i) / static_cast<double>(n - 1);
    return -1 + (2.0 * static_cast<double>(i) + 1) / static_cast<double>(n);
  };
  std::vector<float> grid;
  for (int64_t y = 0; y < size[2]; ++y) {
    for (int64_t x = 0; x < size[3]; ++x) {
      for (const double v : {at(x, size[3]), at(y, size[2]), 1.0}) {
        grid.push_back(static_cast<float>(v));
      }
    }
  }
  const auto h = static_cast<int32_t>(size[2]), w = static_cast<int32_t>(size[3]);
  const TensorId points = b.FloatConstant(grid, {1, h * w, 3});
  const TensorId y = b.Emit(Op::kBatchMatmul, {points, b.in(0)}, BatchMatmulAttrs{.adj_y = true});
  return b.Set(b.Reshape(y, {b.shape(b.in(0))[0], h, w, 2}));
}

constexpr OnnxRow kRows[] = {
    {"AffineGrid", AffineGrid, "BATCH_MATMUL with a constant grid"},
    {"Resize", Resize,
     "RESIZE_NEAREST_NEIGHBOR, RESIZE_BILINEAR; GATHER, BATCH_MATMUL or FULLY_CONNECTED for other "
     "rules"},
    {"Upsample", Resize, "as Resize"},
};

}  // namespace

std::span<const OnnxRow> OnnxResizeRows() { return kRows; }

}  // namespace dlpu
