// SPDX-License-Identifier: Apache-2.0
// Rules of indexing.
#include <fmt/format.h>

#include <algorithm>

#include "formats/onnx_builder.h"

namespace dlpu {
namespace {

// Indices counted from the end become counted from the start.
TensorId FromStart(OnnxBuilder& b, TensorId index, int32_t extent) {
  index = b.Cast(index, DataType::kInt32);
  if (!b.status().ok() || extent < 1) return index;
  if (b.IsConstant(index)) {
    const std::vector<int64_t> values = b.ConstantInts(index);
    if (std::all_of(values.begin(), values.end(), [](int64_t v) { return v >= 0; })) return index;
  }
  return b.Binary(Op::kFloorMod, index, b.IntScalar(extent));
}

Status Gather(OnnxBuilder& b) {
  const TensorId x = b.in(0);
  const int32_t axis = b.Axis(b.Int("axis", 0), b.rank(x));
  if (!b.status().ok()) return b.status();
  const TensorId index = FromStart(b, b.in(1), b.shape(x)[axis]);
  return b.Set(b.Emit(Op::kGather, {x, index}, GatherAttrs{.axis = axis}));
}

// Coordinates of every element of a constant index, with the one along `axis` replaced by it.
TensorId Coordinates(OnnxBuilder& b, TensorId index, int32_t axis, int32_t extent) {
  const Shape shape = b.shape(index);
  const std::vector<int64_t> values = b.ConstantInts(index);
  if (!b.status().ok()) return kNoTensor;
  std::vector<int32_t> points;
  for (size_t i = 0; i < values.size(); ++i) {
    size_t rest = i;
    std::vector<int32_t> point(shape.size());
    for (size_t d = shape.size(); d-- > 0;) {
      point[d] = static_cast<int32_t>(rest % static_cast<size_t>(shape[d]));
      rest /= static_cast<size_t>(shape[d]);
    }
    point[axis] = static_cast<int32_t>(values[i] < 0 ? values[i] + extent : values[i]);
    points.insert(points.end(), point.begin(), point.end());
  }
  Shape list = shape;
  list.push_back(static_cast<int32_t>(shape.size()));
  return b.IntConstant(points, list);
}

Status GatherElements(OnnxBuilder& b) {
  const TensorId x = b.in(0);
  const int32_t axis = b.Axis(b.Int("axis", 0), b.rank(x));
  if (!b.status().ok()) return b.status();
  if (b.rank(b.in(1)) != b.rank(x)) return b.Invalid("indices and data differ in dimensions");
  const TensorId points = Coordinates(b, b.in(1), axis, b.shape(x)[axis]);
  return b.Set(b.Emit(Op::kGatherNd, {x, points}));
}

// Points that begin with the place in the `batch` first axes, as constants, before their own.
TensorId WithBatch(OnnxBuilder& b, TensorId points, size_t batch) {
  const Shape shape = b.shape(points);
  const int64_t count = ElementCount(shape) / std::max(shape.back(), 1);
  if (count > (1 << 24)) return b.Fail(b.Unsupported("over 2^24 points"));
  int64_t inner = 1;  // points of one place in the batch
  for (size_t d = batch; d + 1 < shape.size(); ++d) inner *= shape[d];
  std::vector<int32_t> places;
  for (int64_t i = 0; i < count; ++i) {
    std::vector<int32_t> place(batch);
    int64_t rest = i / std::max<int64_t>(inner, 1);
    for (size_t d = batch; d-- > 0; rest /= shape[d]) {
      place[d] = static_cast<int32_t>(rest % shape[d]);
    }
    places.insert(places.end(), place.begin(), place.end());
  }
  Shape list = shape;
  list.back() = static_cast<int32_t>(batch);
  return b.Emit(Op::kConcatenation, {b.IntConstant(places, list), points},
                ConcatenationAttrs{.axis = static_cast<int32_t>(shape.size()) - 1});
}

Status GatherND(OnnxBuilder& b) {
  const int64_t batch = b.Int("batch_dims", 0);
  const Shape shape = b.shape(b.in(0));
  TensorId points = b.Cast(b.in(1), DataType::kInt32);
  if (!b.status().ok() || b.rank(points) == 0) return b.Invalid("indices without a last axis");
  if (batch < 0 || batch >= static_cast<int64_t>(std::min(b.rank(points), shape.size()))) {
    return b.Invalid(fmt::format("batch_dims {}", batch));
  }
  if (batch > 0) points = WithBatch(b, points, static_cast<size_t>(batch));
  if (!b.status().ok()) return b.status();
  const auto length = static_cast<size_t>(b.shape(points).back());
  if (length > shape.size()) return b.Invalid("points of more dimensions than the data");
  if (length > 0 &&
      *std::min_element(shape.begin(), shape.begin() + static_cast<int>(length)) > 0) {
    const std::vector<int32_t> extents(shape.begin(), shape.begin() + static_cast<int>(length));
    points = b.Binary(Op::kFloorMod, points, b.IntList(extents));
  }
  return b.Set(b.Emit(Op::kGatherNd, {b.in(0), points}));
}

// The updates where something is updated, the data elsewhere; or the data with the updates added.
// SCATTER_ND adds what comes twice, so `counts` must not exceed 1 (the specification wants unique
// indices).
TensorId Scatter(OnnxBuilder& b, TensorId data, TensorId points, TensorId updates, bool add) {
  if (ElementCount(b.shape(updates)) > (1 << 26)) {
    return b.Fail(b.Unsupported("over 2^26 updates"));
  }
  const TensorId shape = b.IntList(b.shape(data));
  const DataType type = b.type(data);
  const DataType wide = type == DataType::kFloat32 ? type : DataType::kInt32;
  const TensorId placed =
      b.EmitMany(Op::kScatterNd, {points, b.Cast(updates, wide), shape}, NoAttrs{}, {wide})[0];
  if (add) return b.Cast(b.Binary(Op::kAdd, b.Cast(data, wide), placed), type);
  const std::vector<int32_t> ones(static_cast<size_t>(ElementCount(b.shape(updates))), 1);
  const TensorId counts =
      b.EmitMany(Op::kScatterNd, {points, b.IntConstant(ones, b.shape(updates)), shape}, NoAttrs{},
                 {DataType::kInt32})[0];
  const TensorId where = b.Binary(Op::kGreater, counts, b.IntScalar(0));
  const TensorId result =
      b.EmitMany(Op::kSelectV2, {where, placed, b.Cast(data, wide)}, NoAttrs{}, {wide})[0];
  return b.Cast(result, type);
}

Status ScatterND(OnnxBuilder& b) {
  const std::string how = b.String("reduction", "none");
  if (how != "none" && how != "add") return b.Unsupported(fmt::format("reduction {}", how));
  TensorId points = b.Cast(b.in(1), DataType::kInt32);
  if (b.rank(points) == 0) return b.Invalid("indices without a last axis");
  const Shape shape = b.shape(b.in(0));
  const auto length = std::min<size_t>(static_cast<size_t>(b.shape(points).back()), shape.size());
  const std::vector<int32_t> extents(shape.begin(), shape.begin() + static_cast<int>(length));
  if (length > 0 && *std::min_element(extents.begin(), extents.end()) > 0) {
    points = b.Binary(Op::kFloorMod, points, b.IntList(extents));
  }
  return b.Set(Scatter(b, b.in(0), points, b.in(2), how == "add"));
}

Status ScatterElements(OnnxBuilder& b) {
  const std::string how = b.String("reduction", "none");
  if (how != "none" && how != "add") return b.Unsupported(fmt::format("reduction {}", how));
  const int32_t axis = b.Axis(b.Int("axis", 0), b.rank(b.in(0)));
  if (!b.status().ok()) return b.status();
  if (b.rank(b.in(1)) != b.rank(b.in(0))) return b.Invalid("indices and data differ in dimensions");
  const TensorId points = Coordinates(b, b.in(1), axis, b.shape(b.in(0))[axis]);
  return b.Set(Scatter(b, b.in(0), points, b.in(2), how == "add"));
}

Status OneHot(OnnxBuilder& b) {
  const std::vector<int64_t> depth = b.ConstantInts(b.Cast(b.in(1), DataType::kInt64));
  const size_t rank = b.rank(b.in(0)) + 1;
  const int32_t axis = b.Axis(b.Int("axis", -1), rank);
  if (!b.status().ok()) return b.status();
  if (depth.size() != 1 || depth[0] < 1 || depth[0] > (1 << 24)) return b.Invalid("its depth");
  const auto n = static_cast<int32_t>(depth[0]);
  const TensorId index = FromStart(b, b.in(0), 0);
  // -depth .. -1 count from the end; others show nothing.
  const TensorId low = b.Binary(Op::kLess, index, b.IntScalar(0));
  const TensorId shifted = b.Binary(Op::kAdd, index, b.IntScalar(n));
  const TensorId wanted =
      b.EmitMany(Op::kSelectV2, {low, shifted, index}, NoAttrs{}, {DataType::kInt32})[0];
  const TensorId off = b.Emit(Op::kSlice, {b.in(2), b.IntList({0}), b.IntList({1})});
  const TensorId on = b.Emit(Op::kSlice, {b.in(2), b.IntList({1}), b.IntList({1})});
  return b.Set(b.EmitMany(Op::kOneHot,
                          {wanted, b.IntScalar(n), b.Reshape(on, {}), b.Reshape(off, {})},
                          PackAttrs{.axis = axis}, {b.type(b.in(2))})[0]);
}

Status CumSum(OnnxBuilder& b) {
  const std::vector<int64_t> axis = b.ConstantInts(b.in(1));
  if (!b.status().ok() || axis.size() != 1) return b.Invalid("its axis must be one constant");
  const CumsumAttrs attrs{b.Int("exclusive", 0) != 0, b.Int("reverse", 0) != 0};
  const int32_t at = b.Axis(axis[0], b.rank(b.in(0)));
  return b.Set(b.Emit(Op::kCumsum, {b.in(0), b.IntScalar(at)}, attrs));
}

// The upper or lower triangle: what is outside becomes 0.
Status Trilu(OnnxBuilder& b) {
  const Shape shape = b.shape(b.in(0));
  if (shape.size() < 2) return b.Invalid("no matrix");
  int64_t k = 0;
  if (b.has(1)) {
    const std::vector<int64_t> values = b.ConstantInts(b.in(1));
    if (!values.empty()) k = std::clamp<int64_t>(values[0], -(1 << 30), 1 << 30);
  }
  const bool upper = b.Int("upper", 1) != 0;
  const int32_t rows = shape[shape.size() - 2], columns = shape.back();
  if (int64_t{rows} * columns > (1 << 26)) return b.Unsupported("a matrix of over 2^26 elements");
  std::vector<int32_t> keep;
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t column = 0; column < columns; ++column) {
      keep.push_back((upper ? column - row >= k : column - row <= k) ? 1 : 0);
    }
  }
  const TensorId mask = b.Cast(b.IntConstant(keep, {rows, columns}), DataType::kBool);
  const TensorId zero = b.Scalar(b.type(b.in(0)), 0);
  return b.Set(b.EmitMany(Op::kSelectV2, {mask, b.in(0), zero}, NoAttrs{}, {b.type(b.in(0))})[0]);
}

// Elements from the end first, along time, for each sequence of full length.
Status ReverseSequence(OnnxBuilder& b) {
  const int64_t time = b.Int("time_axis", 0), batch = b.Int("batch_axis", 1);
  const Shape shape = b.shape(b.in(0));
  const std::vector<int64_t> lengths = b.ConstantInts(b.in(1));
  const int32_t time_axis = b.Axis(time, shape.size()), batch_axis = b.Axis(batch, shape.size());
  if (!b.status().ok()) return b.status();
  if (time_axis == batch_axis || time_axis > 1 || batch_axis > 1 ||
      static_cast<int32_t>(lengths.size()) != shape[batch_axis]) {
    return b.Invalid("its axes or lengths");
  }
  if (int64_t{shape[0]} * shape[1] > (1 << 24)) return b.Unsupported("over 2^24 elements");
  std::vector<int32_t> points;
  for (int32_t i = 0; i < shape[0]; ++i) {
    for (int32_t j = 0; j < shape[1]; ++j) {
      const int32_t at_time = time_axis == 0 ? i : j, at_batch = time_axis == 0 ? j : i;
      const int64_t length = lengths[at_batch];
      const auto from = static_cast<int32_t>(at_time < length ? length - 1 - at_time : at_time);
      points.push_back(time_axis == 0 ? from : at_batch);
      points.push_back(time_axis == 0 ? at_batch : from);
    }
  }
  return b.Set(b.Emit(Op::kGatherNd, {b.in(0), b.IntConstant(points, {shape[0], shape[1], 2})}));
}

constexpr OnnxRow kRows[] = {
    {"CumSum", CumSum, "CUMSUM"},
    {"Gather", Gather, "GATHER"},
    {"GatherElements", GatherElements, "GATHER_ND; indices must be constant"},
    {"GatherND", GatherND, "GATHER_ND"},
    {"OneHot", OneHot, "ONE_HOT"},
    {"ReverseSequence", ReverseSequence, "GATHER_ND; lengths must be constant"},
    {"Scatter", ScatterElements, "as ScatterElements"},
    {"ScatterElements", ScatterElements,
     "SCATTER_ND, SELECT_V2; ADD with reduction add; indices must be constant"},
    {"ScatterND", ScatterND, "SCATTER_ND, SELECT_V2; ADD with reduction add"},
    {"Trilu", Trilu, "SELECT_V2 with a constant mask"},
};

}  // namespace

std::span<const OnnxRow> OnnxIndexRows() { return kRows; }

}  // namespace dlpu
