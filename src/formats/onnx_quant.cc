// SPDX-License-Identifier: Apache-2.0
// Rules of quantization. A scale of each channel stays with constants; a computed tensor has one.
#include "formats/onnx_quant.h"

#include <fmt/format.h>

#include <algorithm>

namespace dlpu {
namespace {

bool IsCode(DataType type) {
  return type == DataType::kInt8 || type == DataType::kUInt8 || type == DataType::kInt16;
}

// Scale and zero point when both are constant; not present otherwise.
Quantization Constants(OnnxBuilder& b, TensorId scale, TensorId zero, int32_t axis) {
  Quantization q;
  if (!b.IsConstant(scale) || (zero != kNoTensor && !b.IsConstant(zero))) return q;
  q.scale = b.ConstantFloats(scale);
  if (zero != kNoTensor) q.zero_point = b.ConstantInts(zero);
  q.zero_point.resize(q.scale.size(), q.zero_point.size() == 1 ? q.zero_point[0] : 0);
  q.axis = q.per_channel() ? axis : 0;
  return q;
}

// A scale or zero point of one axis, shaped to broadcast to `rank` dimensions.
TensorId Along(OnnxBuilder& b, TensorId list, size_t rank, int32_t axis) {
  if (!b.status().ok() || b.rank(list) != 1 || rank == 0) return list;
  Shape shape(rank, 1);
  shape[axis] = b.shape(list)[0];
  return b.Reshape(list, shape);
}

// The formula of the specification, for what QUANTIZE and DEQUANTIZE do not take.
TensorId DequantizeByHand(OnnxBuilder& b, TensorId x, TensorId scale, TensorId zero, int32_t axis) {
  const size_t rank = b.rank(x);
  TensorId value = b.Cast(x, DataType::kFloat32);
  if (zero != kNoTensor) {
    value = b.Binary(Op::kSub, value, Along(b, b.Cast(zero, DataType::kFloat32), rank, axis));
  }
  return b.Binary(Op::kMul, value, Along(b, scale, rank, axis));
}

TensorId QuantizeByHand(OnnxBuilder& b, TensorId x, TensorId scale, TensorId zero, DataType type,
                        int32_t axis) {
  const size_t rank = b.rank(x);
  TensorId value = b.Unary(Op::kRound, b.Binary(Op::kDiv, x, Along(b, scale, rank, axis)));
  if (zero != kNoTensor) {
    value = b.Binary(Op::kAdd, value, Along(b, b.Cast(zero, DataType::kFloat32), rank, axis));
  }
  value = b.Binary(Op::kMaximum, value, b.FloatScalar(static_cast<float>(LowestCode(type))));
  value = b.Binary(Op::kMinimum, value, b.FloatScalar(static_cast<float>(HighestCode(type))));
  return b.Cast(b.Cast(value, DataType::kInt32), type);
}

bool ExpectNumbers(OnnxBuilder& b, TensorId scale, TensorId zero) {
  if (b.type(scale) != DataType::kFloat32 || b.rank(scale) > 1) {
    b.Fail(b.Unsupported("scales for blocks; export with one scale, or one for each channel"));
  } else if (zero != kNoTensor && b.rank(zero) > 1) {
    b.Fail(b.Unsupported("zero points for blocks"));
  }
  return b.status().ok();
}

bool IsUsable(const Quantization& q, const Shape& shape, int32_t axis) {
  if (!q.present()) return false;
  const bool positive =
      std::all_of(q.scale.begin(), q.scale.end(), [](float s) { return s > 0 && s < 1e30f; });
  const bool fits = !q.per_channel() || (axis < static_cast<int32_t>(shape.size()) &&
                                         shape[axis] == static_cast<int32_t>(q.scale.size()));
  return positive && fits && q.zero_point.size() == q.scale.size();
}

Status QuantizeLinear(OnnxBuilder& b) {
  const TensorId zero = b.has(2) ? b.in(2) : kNoTensor;
  DataType type = zero == kNoTensor ? DataType::kUInt8 : b.type(zero);
  if (zero == kNoTensor && b.Int("output_dtype", 0) != 0) {
    type = FromOnnxType(static_cast<OnnxType>(b.Int("output_dtype", 0)));
  }
  if (b.Int("block_size", 0) != 0) return b.Unsupported("scales for blocks");
  return b.Set(Quantize(b, b.in(0), b.in(1), zero, type, b.Int("axis", 1)));
}

Status DequantizeLinear(OnnxBuilder& b) {
  if (b.Int("block_size", 0) != 0) return b.Unsupported("scales for blocks");
  return b.Set(Dequantize(b, b.in(0), b.in(1), b.has(2) ? b.in(2) : kNoTensor, b.Int("axis", 1)));
}

// y = round(x / scale) + zero for a scale that is computed from the range of x.
Status DynamicQuantizeLinear(OnnxBuilder& b) {
  const TensorId x = b.in(0), nothing = b.FloatScalar(0);
  std::vector<int32_t> axes;
  for (size_t d = 0; d < b.rank(x); ++d) axes.push_back(static_cast<int32_t>(d));
  const TensorId low = b.Binary(Op::kMinimum, b.Reduce(Op::kReduceMin, x, axes, false), nothing);
  const TensorId high = b.Binary(Op::kMaximum, b.Reduce(Op::kReduceMax, x, axes, false), nothing);
  const TensorId scale = b.Binary(Op::kDiv, b.Binary(Op::kSub, high, low), b.FloatScalar(255));
  TensorId zero = b.Unary(Op::kRound, b.Binary(Op::kDiv, b.Unary(Op::kNeg, low), scale));
  zero = b.Cast(b.Cast(zero, DataType::kInt32), DataType::kUInt8);
  const TensorId y = QuantizeByHand(b, x, scale, zero, DataType::kUInt8, 0);
  DLPU_RETURN_IF_ERROR(b.Set(0, y));
  DLPU_RETURN_IF_ERROR(b.Set(1, scale));
  return b.Set(2, zero);
}

constexpr OnnxRow kRows[] = {
    {"DequantizeLinear", DequantizeLinear, "DEQUANTIZE; a constant bias becomes float32"},
    {"DynamicQuantizeLinear", DynamicQuantizeLinear, "REDUCE_MIN, REDUCE_MAX and arithmetic"},
    {"QuantizeLinear", QuantizeLinear, "QUANTIZE"},
};

}  // namespace

TensorId Dequantize(OnnxBuilder& b, TensorId x, TensorId scale, TensorId zero, int64_t axis) {
  if (!b.status().ok() || !ExpectNumbers(b, scale, zero)) return kNoTensor;
  const bool listed = b.rank(scale) == 1 && b.rank(x) > 0;
  const int32_t at = listed && b.shape(scale)[0] > 1 ? b.Axis(axis, b.rank(x)) : 0;
  const Quantization q = Constants(b, scale, zero, at);
  const bool usable = b.status().ok() && IsCode(b.type(x)) && IsUsable(q, b.shape(x), at) &&
                      (b.IsConstant(x) || !q.per_channel());
  if (!usable) return DequantizeByHand(b, x, scale, zero, at);
  Tensor& codes = b.graph().tensors[x];
  if (codes.quantization.present() && !(codes.quantization == q)) {
    // The same codes mean something else here: a copy of them.
    x = b.EmitMany(Op::kReshape, {x, b.IntList(b.shape(x))}, ReshapeAttrs{b.shape(x)},
                   {b.type(x)})[0];
    if (x == kNoTensor) return kNoTensor;
  }
  b.graph().tensors[x].quantization = q;
  return b.EmitMany(Op::kDequantize, {x}, NoAttrs{}, {DataType::kFloat32})[0];
}

TensorId Quantize(OnnxBuilder& b, TensorId x, TensorId scale, TensorId zero, DataType type,
                  int64_t axis) {
  if (!b.status().ok() || !ExpectNumbers(b, scale, zero)) return kNoTensor;
  if (!IsInteger(type) || BitsOf(type) > 16) {
    return b.Fail(
        b.Unsupported(fmt::format("codes of type {}; int8, uint8, int16 and uint16 are "
                                  "possible",
                                  DataTypeName(type))));
  }
  x = b.Cast(x, DataType::kFloat32);
  const bool listed = b.rank(scale) == 1 && b.rank(x) > 0;
  const int32_t at = listed && b.shape(scale)[0] > 1 ? b.Axis(axis, b.rank(x)) : 0;
  const Quantization q = Constants(b, scale, zero, at);
  const bool usable =
      b.status().ok() && IsCode(type) && IsUsable(q, b.shape(x), at) && !q.per_channel();
  if (!usable) return QuantizeByHand(b, x, scale, zero, type, at);
  return b.EmitMany(Op::kQuantize, {x}, NoAttrs{}, {type}, q)[0];
}

TensorId DequantizeInput(OnnxBuilder& b, size_t i, int64_t axis) {
  return Dequantize(b, b.in(i), b.in(i + 1), b.has(i + 2) ? b.in(i + 2) : kNoTensor, axis);
}

TensorId QuantizeOutput(OnnxBuilder& b, TensorId y, size_t i) {
  const TensorId zero = b.has(i + 1) ? b.in(i + 1) : kNoTensor;
  const DataType type = zero == kNoTensor ? DataType::kUInt8 : b.type(zero);
  return Quantize(b, y, b.in(i), zero, type, 1);
}

TensorId FloatBias(OnnxBuilder& b, TensorId bias, TensorId x_scale, TensorId w_scale) {
  const TensorId scale = b.Binary(Op::kMul, x_scale, w_scale);
  return b.Binary(Op::kMul, b.Cast(bias, DataType::kFloat32), scale);
}

std::span<const OnnxRow> OnnxQuantRows() { return kRows; }

}  // namespace dlpu
