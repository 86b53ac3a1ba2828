// SPDX-License-Identifier: Apache-2.0
// BATCH_MATMUL: matrices in the last two extents of both inputs (either may be transposed), the
// extents before them broadcast; ranks 2 to 5.
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <utility>

#include "kernels/hybrid/hybrid.h"
#include "kernels/matmul/matmul.h"
#include "kernels/matmul_int/matmul_int.h"
#include "ops/common.h"
#include "ops/conv.h"

namespace dlpu {
namespace {

struct Geometry {
  MatMulSpec product;
  Shape output;
};

// Index of the matrix of `shape` that output matrix `index` of the batch shape reads.
int32_t MatrixIndex(const Shape& batch, const Shape& shape, int64_t index) {
  int64_t result = 0, stride = 1;
  const size_t own = shape.size() - 2;
  for (size_t i = 0; i < batch.size(); ++i) {  // from the innermost extent
    const int64_t extent = batch[batch.size() - 1 - i];
    if (i < own) {
      const int64_t mine = shape[own - 1 - i];
      if (mine != 1) result += index % extent * stride;
      stride *= mine;
    }
    index /= extent;
  }
  return static_cast<int32_t>(result);
}

Result<Geometry> ComputeGeometry(const OpContext& context) {
  const Shape &lhs = context.input(0).shape, &rhs = context.input(1).shape;
  const auto& attrs = context.attrs<BatchMatmulAttrs>();
  for (const Shape* shape : {&lhs, &rhs}) {
    if (shape->size() < 2 || shape->size() > 5) {
      return context.Invalid(
          fmt::format("input {} must have 2 to 5 dimensions", ShapeText(*shape)));
    }
  }
  Geometry g;
  MatMulSpec& p = g.product;
  p.lhs_transposed = attrs.adj_x;
  p.rhs_transposed = attrs.adj_y;
  p.rows = lhs[lhs.size() - (attrs.adj_x ? 1 : 2)];
  p.depth = lhs[lhs.size() - (attrs.adj_x ? 2 : 1)];
  p.cols = rhs[rhs.size() - (attrs.adj_y ? 2 : 1)];
  if (rhs[rhs.size() - (attrs.adj_y ? 1 : 2)] != p.depth) {
    return context.Invalid(
        fmt::format("inputs {} and {} share no inner extent", ShapeText(lhs), ShapeText(rhs)));
  }
  DLPU_TRY(g.output, BroadcastShapes(context, Shape(lhs.begin(), lhs.end() - 2),
                                     Shape(rhs.begin(), rhs.end() - 2)));
  g.output.push_back(p.rows);
  g.output.push_back(p.cols);
  return g;
}

// Which matrices each output matrix reads. Not more of them than the output has elements: none are
// listed for an empty output, however many empty matrices its shape names.
Status ListMatrices(const OpContext& context, Geometry& g) {
  MatMulSpec& p = g.product;
  const Shape batch(g.output.begin(), g.output.end() - 2);
  const int64_t matrices = ElementCount(g.output) == 0 ? 0 : ElementCount(batch);
  if (matrices > std::numeric_limits<int32_t>::max()) return context.Invalid("too many matrices");
  p.lhs_index.resize(static_cast<size_t>(matrices));
  p.rhs_index.resize(static_cast<size_t>(matrices));
  for (int64_t i = 0; i < matrices; ++i) {
    p.lhs_index[i] = MatrixIndex(batch, context.input(0).shape, i);
    p.rhs_index[i] = MatrixIndex(batch, context.input(1).shape, i);
  }
  return OkStatus();
}

Result<std::vector<OutputSpec>> Infer(const OpContext& context) {
  DLPU_TRY(const Geometry g, ComputeGeometry(context));
  return std::vector<OutputSpec>{{context.output(0).type, g.output}};
}

Work CountWork(const OpContext& context) {
  Work work = ElementwiseWork(context, 1);
  const Shape& lhs = context.input(0).shape;
  const bool transposed = context.attrs<BatchMatmulAttrs>().adj_x;
  work.macs = ElementCount(context.output(0).shape) * lhs[lhs.size() - (transposed ? 2 : 1)];
  return work;
}

Result<PreparedOp> PrepareFloat(const PrepareContext& context, const Geometry& g) {
  for (const Tensor* tensor : {&context.input(1), &context.output(0)}) {
    if (tensor->type != DataType::kFloat32) return context.UnsupportedType(*tensor, "float32");
  }
  const std::shared_ptr<PreparedMatMul> kernel = PrepareMatMul(g.product, context.cpu);
  PreparedOp op;
  op.row = kernel->row();
  op.scratch_bytes = kernel->ScratchBytes(context.threads);
  op.run = [kernel](const RunArgs& args) {
    kernel->Run(args.in<float>(0), args.in<float>(1), args.out<float>(0), args.scratch, args.pool);
    return OkStatus();
  };
  return op;
}

// int8 weights as units x depth: the right side, turned unless it is transposed already.
std::vector<int8_t> UnitWeights(const Tensor& rhs, const MatMulSpec& p) {
  const int64_t depth = p.depth, cols = p.cols;
  std::vector<int8_t> weights(static_cast<size_t>(depth * cols));
  for (int64_t i = 0; i < depth * cols; ++i) {
    const int64_t at = p.rhs_transposed ? i : i % cols * depth + i / cols;
    weights[at] = static_cast<int8_t>(rhs.data[i]);
  }
  return weights;
}

// A dynamic-range product: one constant int8 matrix on the right is a fully connected layer over
// the rows of the left side.
Result<PreparedOp> PrepareHybrid(const PrepareContext& context, const Geometry& g) {
  const Tensor &rhs = context.input(1), &output = context.output(0);
  const MatMulSpec& p = g.product;
  if (output.type != DataType::kFloat32) return context.UnsupportedType(output, "float32");
  const int64_t matrices = ElementCount(Shape(rhs.shape.begin(), rhs.shape.end() - 2));
  if (!rhs.is_constant || matrices != 1 || p.lhs_transposed) {
    return context.Unsupported(
        "float32 times int8 needs one constant matrix on the right and adj_x false");
  }
  // LiteRT scales the rows of several batch extents with the scales of other rows.
  const Shape& lhs = context.input(0).shape;
  const auto large = std::count_if(lhs.begin(), lhs.end() - 2, [](int32_t n) { return n > 1; });
  if (large > 1) {
    return context.Unsupported(fmt::format(
        "float32 {} times int8 has several batch extents; reshape them to one", ShapeText(lhs)));
  }
  const size_t axis = rhs.shape.size() - (p.rhs_transposed ? 2 : 1);
  DLPU_RETURN_IF_ERROR(ExpectWeightQuantization(context, rhs, static_cast<int>(axis)));
  const int64_t rows = static_cast<int64_t>(p.lhs_index.size()) * p.rows;
  if (rows > std::numeric_limits<int32_t>::max()) return context.Invalid("the input is too large");
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const HybridConvSpec spec = HybridFullyConnected(
      static_cast<int32_t>(rows), p.depth, p.cols, rhs.quantization.scale,
      context.attrs<BatchMatmulAttrs>().asymmetric_quantize_inputs, -kInfinity, kInfinity);
  return RunFloatKernel(context, std::shared_ptr<PreparedHybrid>(
                                     PrepareHybridConv(spec, UnitWeights(rhs, p).data(), nullptr)));
}

template <typename Lhs, typename Rhs, typename Out>
Result<PreparedOp> PrepareInt(const PrepareContext& context, Geometry g) {
  const Tensor &lhs = context.input(0), &rhs = context.input(1), &output = context.output(0);
  MatMulIntSpec spec;
  spec.product = std::move(g.product);
  if (!std::is_same_v<Out, int32_t>) {
    for (const Tensor* tensor : {&lhs, &rhs, &output}) {
      DLPU_RETURN_IF_ERROR(ExpectPerTensorQuantization(context, *tensor));
      if (std::is_same_v<Lhs, int16_t> && tensor->quantization.zero0() != 0) {
        return context.Unsupported(
            fmt::format("tensor '{}': an int16 product needs zero point 0", tensor->name));
      }
    }
    spec.lhs_zero = lhs.quantization.zero0();
    spec.rhs_zero = rhs.quantization.zero0();
    spec.output_zero = output.quantization.zero0();
    // A binary32 product, as in LiteRT's GetQuantizedConvolutionMultipler.
    spec.scale = QuantizeMultiplier(
        static_cast<double>(lhs.quantization.scale0() * rhs.quantization.scale0()) /
        static_cast<double>(output.quantization.scale0()));
  }
  PreparedOp op;
  op.row = "matmul_int_reference";
  op.scratch_bytes = MatMulIntScratchBytes(spec, context.threads);
  op.run = [spec = std::move(spec)](const RunArgs& args) {
    MatMulInt(spec, args.in<Lhs>(0), args.in<Rhs>(1), args.out<Out>(0), args.scratch, args.pool);
    return OkStatus();
  };
  return op;
}

Result<PreparedOp> Prepare(const PrepareContext& context) {
  DLPU_TRY(Geometry g, ComputeGeometry(context));
  DLPU_RETURN_IF_ERROR(ListMatrices(context, g));
  const DataType rhs = context.input(1).type, output = context.output(0).type;
  switch (context.input(0).type) {
    case DataType::kFloat32:
      return rhs == DataType::kInt8 ? PrepareHybrid(context, g) : PrepareFloat(context, g);
    case DataType::kInt8:
      if (rhs != DataType::kInt8) return context.UnsupportedType(context.input(1), "int8");
      if (output == DataType::kInt8) {
        return PrepareInt<int8_t, int8_t, int8_t>(context, std::move(g));
      }
      if (output == DataType::kInt32) {
        return PrepareInt<int8_t, int8_t, int32_t>(context, std::move(g));
      }
      return context.UnsupportedType(context.output(0), "int8 or int32");
    case DataType::kInt16:
      if (output != DataType::kInt16) return context.UnsupportedType(context.output(0), "int16");
      if (rhs == DataType::kInt16) {
        return PrepareInt<int16_t, int16_t, int16_t>(context, std::move(g));
      }
      if (rhs == DataType::kInt8) {
        return PrepareInt<int16_t, int8_t, int16_t>(context, std::move(g));
      }
      return context.UnsupportedType(context.input(1), "int16 or int8");
    default:
      return context.UnsupportedType(context.input(0), "float32, int8 or int16");
  }
}

}  // namespace

const OpDef kBatchMatmulOp = {
    .op = Op::kBatchMatmul,
    .arity = Arity{2, 2, 1, 1},
    .infer = Infer,
    .quantize = QuantizeRule{},
    .work = CountWork,
    .prepare = Prepare,
    .alias = Alias::kNone,
};

}  // namespace dlpu
