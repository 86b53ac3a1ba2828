// SPDX-License-Identifier: Apache-2.0
// SCATTER_ND: zeros of the shape in input 2, with the slices of input 1 added at the points in
// input 0. Integers wrap. A point out of range is an error when the model runs.
#include <fmt/format.h>

#include <cstring>

#include "ops/gather.h"

namespace dlpu {
namespace {

struct Geometry {
  PointSpec points;
  std::vector<int64_t> output;
};

Result<Geometry> ComputeGeometry(const OpContext& context) {
  const Tensor &indices = context.input(0), &updates = context.input(1);
  if (indices.type != DataType::kInt32 || context.input(2).type != DataType::kInt32) {
    return context.Unsupported("indices or a shape that are not int32");
  }
  Geometry g;
  DLPU_TRY(g.output, context.ConstantInts(2));
  DLPU_TRY(const Shape output, CheckedShape(context, g.output));
  const Shape &by = indices.shape, &from = updates.shape;
  const auto refuse = [&] {
    return context.Invalid(fmt::format("indices {} and updates {} do not fit {}", ShapeText(by),
                                       ShapeText(from), ShapeText(output)));
  };
  if (by.empty() || from.empty() || by.back() > static_cast<int32_t>(output.size())) {
    return refuse();
  }
  // updates are indices[:-1] + output[length:].
  const auto length = static_cast<size_t>(by.back());
  Shape want(by.begin(), by.end() - 1);
  want.insert(want.end(), output.begin() + static_cast<int64_t>(length), output.end());
  if (want != from) return refuse();
  const std::vector<int64_t> counts = Extents(by);
  g.points.extents.assign(g.output.begin(), g.output.begin() + static_cast<int64_t>(length));
  g.points.count = ProductOf(counts, 0, counts.size() - 1);
  g.points.slice_elements = ProductOf(g.output, length, g.output.size());
  return g;
}

Result<std::vector<OutputSpec>> Infer(const OpContext& context) {
  DLPU_TRY(const Geometry g, ComputeGeometry(context));
  return OneOutput(context, context.input(1).type, g.output);
}

// Sum of two elements; bool is "or".
template <typename T>
T Add(T a, T b) {
  if constexpr (std::numeric_limits<T>::is_integer) {
    return static_cast<T>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
  } else {
    return a + b;
  }
}

template <typename T>
PreparedOp Step(Geometry g, Error error) {
  const int64_t elements = ProductOf(g.output, 0, g.output.size());
  PreparedOp op;
  op.run = [g = std::move(g), elements, error = std::move(error)](const RunArgs& args) -> Status {
    T* out = args.out<T>(0);
    std::memset(args.outputs[0], 0, static_cast<size_t>(elements) * sizeof(T));
    for (int64_t i = 0; i < g.points.count; ++i) {
      const int64_t at = PointOffset(g.points, args.inputs[0], i);
      if (at < 0) return error;
      const T* slice = args.in<T>(1) + i * g.points.slice_elements;
      for (int64_t k = 0; k < g.points.slice_elements; ++k) {
        out[at + k] = Add(out[at + k], slice[k]);
      }
    }
    return OkStatus();
  };
  return op;
}

Result<PreparedOp> Prepare(const PrepareContext& context) {
  DLPU_TRY(Geometry g, ComputeGeometry(context));
  Error error =
      context.Invalid(fmt::format("an index in '{}' is out of range", context.input(0).name));
  switch (context.input(1).type) {
    case DataType::kFloat32:
      return Step<float>(std::move(g), std::move(error));
    case DataType::kUInt8:
      return Step<uint8_t>(std::move(g), std::move(error));
    case DataType::kInt8:
      return Step<int8_t>(std::move(g), std::move(error));
    case DataType::kInt32:
      return Step<int32_t>(std::move(g), std::move(error));
    case DataType::kInt64:
      return Step<int64_t>(std::move(g), std::move(error));
    case DataType::kBool:
      return Step<bool>(std::move(g), std::move(error));
    default:
      return context.UnsupportedType(context.input(1),
                                     "float32, int8, uint8, int32, int64 or bool");
  }
}

}  // namespace

const OpDef kScatterNdOp = {
    .op = Op::kScatterNd,
    .arity = Arity{3, 3, 1, 1},
    .infer = Infer,
    .quantize = QuantizeRule{.kind = QuantizeRule::Kind::kUntyped},
    .work = MovementWork,
    .prepare = Prepare,
    .alias = Alias::kNone,
};

}  // namespace dlpu
