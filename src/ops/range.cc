// SPDX-License-Identifier: Apache-2.0
// RANGE: start, start + delta, ... before limit. All three are constants, because they decide the
// shape.
#include <fmt/format.h>

#include <array>
#include <cmath>
#include <cstring>
#include <limits>

#include "ops/movement.h"

namespace dlpu {
namespace {

template <typename T>
struct Bounds {
  T start, limit, delta;
};

template <typename T>
Result<Bounds<T>> ReadBounds(const OpContext& context) {
  std::array<T, 3> values;
  for (size_t i = 0; i < 3; ++i) {
    const Tensor& tensor = context.input(i);
    DLPU_RETURN_IF_ERROR(ExpectSameType(context, tensor, context.input(0)));
    if (!tensor.is_constant) {
      return context.Unsupported(fmt::format(
          "'{}' is computed while the model runs, but it decides the shape; it must be a constant",
          tensor.name));
    }
    if (!tensor.shape.empty()) {
      return context.Invalid(
          fmt::format("'{}' is {}, must be a scalar", tensor.name, ShapeText(tensor.shape)));
    }
    std::memcpy(&values[i], tensor.data.data(), sizeof(T));
  }
  const Bounds<T> b{values[0], values[1], values[2]};
  const bool towards = b.delta > 0 ? b.start <= b.limit : b.delta < 0 && b.start >= b.limit;
  if (!towards) {
    return context.Invalid(
        fmt::format("steps of {} do not lead from {} to {}", b.delta, b.start, b.limit));
  }
  return b;
}

// How many elements; integers round the last step up.
int64_t CountOf(const Bounds<float>& b) {
  const float steps = std::ceil(std::abs((b.limit - b.start) / b.delta));
  return steps < 2147483648.0f ? static_cast<int64_t>(steps) : -1;
}
template <typename T>
int64_t CountOf(const Bounds<T>& b) {
  // Unsigned differences cannot overflow.
  const bool up = b.delta > 0;
  const uint64_t from = static_cast<uint64_t>(up ? b.start : b.limit);
  const uint64_t to = static_cast<uint64_t>(up ? b.limit : b.start);
  const uint64_t step =
      up ? static_cast<uint64_t>(b.delta) : uint64_t{0} - static_cast<uint64_t>(b.delta);
  const uint64_t span = to - from;
  const uint64_t count = span / step + (span % step != 0 ? 1 : 0);
  return count <= uint64_t{INT32_MAX} ? static_cast<int64_t>(count) : -1;
}

template <typename T>
Result<std::vector<OutputSpec>> InferFor(const OpContext& context) {
  DLPU_TRY(const Bounds<T> bounds, ReadBounds<T>(context));
  return OneOutput(context, context.input(0).type, {CountOf(bounds)});
}

template <typename T>
Result<PreparedOp> PrepareFor(const PrepareContext& context) {
  DLPU_TRY(const Bounds<T> bounds, ReadBounds<T>(context));
  PreparedOp op;
  op.run = [bounds, count = CountOf(bounds)](const RunArgs& args) {
    T* out = args.out<T>(0);
    T value = bounds.start;
    for (int64_t i = 0; i < count; ++i) {
      out[i] = value;
      // Floats accumulate, as in LiteRT; the step after the last one may wrap.
      if constexpr (std::numeric_limits<T>::is_integer) {
        value = static_cast<T>(static_cast<uint64_t>(value) + static_cast<uint64_t>(bounds.delta));
      } else {
        value += bounds.delta;
      }
    }
    return OkStatus();
  };
  return op;
}

Result<std::vector<OutputSpec>> Infer(const OpContext& context) {
  switch (context.input(0).type) {
    case DataType::kFloat32:
      return InferFor<float>(context);
    case DataType::kInt32:
      return InferFor<int32_t>(context);
    case DataType::kInt64:
      return InferFor<int64_t>(context);
    default:
      return context.UnsupportedType(context.input(0), "float32, int32 or int64");
  }
}

Result<PreparedOp> Prepare(const PrepareContext& context) {
  switch (context.input(0).type) {
    case DataType::kFloat32:
      return PrepareFor<float>(context);
    case DataType::kInt32:
      return PrepareFor<int32_t>(context);
    case DataType::kInt64:
      return PrepareFor<int64_t>(context);
    default:
      return context.UnsupportedType(context.input(0), "float32, int32 or int64");
  }
}

}  // namespace

const OpDef kRangeOp = {
    .op = Op::kRange,
    .arity = Arity{3, 3, 1, 1},
    .infer = Infer,
    .quantize = QuantizeRule{.kind = QuantizeRule::Kind::kUntyped},
    .work = MovementWork,
    .prepare = Prepare,
    .alias = Alias::kNone,
};

}  // namespace dlpu
