// SPDX-License-Identifier: Apache-2.0
// Rules of the matrix products.
#include <fmt/format.h>

#include <algorithm>

#include "formats/onnx_quant.h"

namespace dlpu {
namespace {

// x [.., K] times constant weights [K, N], which become units x depth.
TensorId FullyConnected(OnnxBuilder& b, TensorId x, TensorId weights, TensorId bias,
                        bool weights_transposed) {
  std::vector<TensorId> inputs = {
      x, weights_transposed ? weights : b.TransposeWeights(weights, {1, 0})};
  if (bias != kNoTensor) inputs.push_back(bias);
  FullyConnectedAttrs attrs;
  attrs.keep_num_dims = b.rank(x) != 2;
  return b.Emit(Op::kFullyConnected, inputs, attrs);
}

TensorId MatMulOf(OnnxBuilder& b, TensorId x, TensorId y) {
  if (!b.status().ok()) return kNoTensor;
  const size_t x_rank = b.rank(x), y_rank = b.rank(y);
  if (x_rank == 0 || y_rank == 0) return b.Fail(b.Invalid("a scalar is no matrix"));
  const Shape ys = b.shape(y);
  if (x_rank >= 2 && y_rank == 2 && b.ConstantBehind(y) != kNoTensor && !b.IsConstant(x) &&
      ElementCount(ys) > 0 && ElementCount(b.shape(x)) > 0) {
    return FullyConnected(b, x, y, kNoTensor, false);
  }
  // A vector is a matrix of one row or column; that extent goes again afterwards.
  const Shape xs = b.shape(x);
  if (x_rank == 1) x = b.Reshape(x, {1, xs[0]});
  if (y_rank == 1) y = b.Reshape(y, {ys[0], 1});
  TensorId result = b.Emit(Op::kBatchMatmul, {x, y}, BatchMatmulAttrs{});
  if (!b.status().ok()) return kNoTensor;
  Shape shape = b.shape(result);
  if (x_rank == 1) shape.erase(shape.end() - 2);
  if (y_rank == 1) shape.pop_back();
  return b.Reshape(result, shape);
}

Status MatMul(OnnxBuilder& b) {
  const DataType type = b.type(b.in(0));
  const TensorId y =
      MatMulOf(b, b.Cast(b.in(0), DataType::kFloat32), b.Cast(b.in(1), DataType::kFloat32));
  return b.Set(b.Cast(y, type));
}

// x - zero point, as float32; `row` when a list of zero points belongs to rows.
TensorId Centred(OnnxBuilder& b, size_t input, size_t zero_point, bool row) {
  const TensorId x = b.Cast(b.in(input), DataType::kFloat32);
  if (!b.has(zero_point)) return x;
  TensorId zero = b.Cast(b.in(zero_point), DataType::kFloat32);
  if (row && b.rank(zero) == 1) zero = b.Reshape(zero, {b.shape(zero)[0], 1});
  return b.Binary(Op::kSub, x, zero);
}

// Exact while the sums stay below 2^24.
Status MatMulInteger(OnnxBuilder& b) {
  const TensorId y = MatMulOf(b, Centred(b, 0, 2, true), Centred(b, 1, 3, false));
  return b.Set(b.Cast(y, DataType::kInt32));
}

Status QLinearMatMul(OnnxBuilder& b) {
  const TensorId x = DequantizeInput(b, 0, -2), y = DequantizeInput(b, 3, -1);
  return b.Set(QuantizeOutput(b, MatMulOf(b, x, y), 6));
}

// Whether C is one value for each of n columns.
bool IsBias(const OnnxBuilder& b, TensorId c, int32_t n) {
  const Shape& s = b.shape(c);
  return b.IsConstant(c) && !s.empty() && ElementCount(s) == n && s.back() == n;
}

Status Gemm(OnnxBuilder& b) {
  if (b.rank(b.in(0)) != 2 || b.rank(b.in(1)) != 2) {
    return b.Invalid(fmt::format("{} and {} must be matrices", ShapeText(b.shape(b.in(0))),
                                 ShapeText(b.shape(b.in(1)))));
  }
  const float alpha = b.Float("alpha", 1), beta = b.Float("beta", 1);
  const bool trans_b = b.Int("transB", 0) != 0;
  const DataType type = b.type(b.in(0));
  TensorId x = b.Cast(b.in(0), DataType::kFloat32), w = b.Cast(b.in(1), DataType::kFloat32);
  if (b.Int("transA", 0) != 0) x = b.Transpose(x, {1, 0});
  const bool constant = b.ConstantBehind(w) != kNoTensor && !b.IsConstant(x);
  TensorId c = b.has(2) && beta != 0 ? b.Cast(b.in(2), DataType::kFloat32) : kNoTensor;
  if (c != kNoTensor && beta != 1) c = b.Binary(Op::kMul, c, b.FloatScalar(beta));
  TensorId y = kNoTensor;
  if (constant) {
    if (alpha != 1) w = b.Binary(Op::kMul, w, b.FloatScalar(alpha));
    if (!b.status().ok()) return b.status();
    const int32_t n = b.shape(w)[trans_b ? 0 : 1];
    TensorId bias = kNoTensor;
    if (c != kNoTensor && IsBias(b, c, n)) {
      bias = b.Reshape(c, {n});
      c = kNoTensor;
    }
    if (b.ConstantBehind(w) == kNoTensor) return b.Unsupported("alpha with quantized weights");
    y = FullyConnected(b, x, w, bias, trans_b);
  } else {
    y = b.Emit(Op::kBatchMatmul, {x, w}, BatchMatmulAttrs{.adj_y = trans_b});
    if (alpha != 1) y = b.Binary(Op::kMul, y, b.FloatScalar(alpha));
  }
  if (c != kNoTensor) y = b.Binary(Op::kAdd, y, c);
  return b.Set(b.Cast(y, type));
}

constexpr OnnxRow kRows[] = {
    {"Gemm", Gemm, "FULLY_CONNECTED; BATCH_MATMUL and ADD when both matrices are computed"},
    {"MatMul", MatMul, "FULLY_CONNECTED with a constant matrix, BATCH_MATMUL otherwise"},
    {"MatMulInteger", MatMulInteger, "BATCH_MATMUL in float32, CAST to int32"},
    {"QLinearMatMul", QLinearMatMul, "DEQUANTIZE, MatMul, QUANTIZE"},
};

}  // namespace

std::span<const OnnxRow> OnnxMatMulRows() { return kRows; }

}  // namespace dlpu
