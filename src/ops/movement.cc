// SPDX-License-Identifier: Apache-2.0
// Shared rules of the ops that move elements.
#include "ops/movement.h"

#include <fmt/format.h>

#include <cstring>
#include <memory>
#include <utility>

#include "ir/verify.h"

namespace dlpu {

Status ExpectTypeIn(const OpContext& context, const Tensor& tensor, TypeSet types) {
  if ((types & Types(tensor.type)) != 0) return OkStatus();
  std::string names;
  for (int t = 0; t < static_cast<int>(DataType::kOther); ++t) {
    const auto type = static_cast<DataType>(t);
    if ((types & Types(type)) == 0) continue;
    if (!names.empty()) names += ", ";
    names += DataTypeName(type);
  }
  return context.UnsupportedType(tensor, names);
}

Status ExpectSameType(const OpContext& context, const Tensor& a, const Tensor& b) {
  if (a.type == b.type) return OkStatus();
  return context.Invalid(fmt::format("tensor '{}' is {}, but '{}' is {}; they must agree", a.name,
                                     DataTypeName(a.type), b.name, DataTypeName(b.type)));
}

Status ExpectSameQuantization(const OpContext& context, const Tensor& a, const Tensor& b) {
  const auto scale = [](const Tensor& t) {
    return t.quantization.present() ? t.quantization.scale0() : 0.0f;
  };
  const auto zero = [](const Tensor& t) {
    return t.quantization.present() ? t.quantization.zero0() : 0;
  };
  if (scale(a) == scale(b) && zero(a) == zero(b)) return OkStatus();
  return context.Unsupported(fmt::format(
      "'{}' has scale {} and zero point {}, but '{}' has {} and {}; they must be equal (quantize "
      "the model again)",
      a.name, scale(a), zero(a), b.name, scale(b), zero(b)));
}

int64_t ElementBytes(const Tensor& tensor) {
  DLPU_CHECK(BitsOf(tensor.type) % 8 == 0 && BitsOf(tensor.type) > 0);
  return BitsOf(tensor.type) / 8;
}

std::vector<int64_t> Extents(const Shape& shape) {
  return std::vector<int64_t>(shape.begin(), shape.end());
}

int64_t ProductOf(const std::vector<int64_t>& extents, size_t begin, size_t end) {
  int64_t product = 1;
  for (size_t d = begin; d < end; ++d) {
    if (__builtin_mul_overflow(product, extents[d], &product)) return kMostElements + 1;
  }
  return product;
}

Result<Shape> CheckedShape(const OpContext& context, const std::vector<int64_t>& extents) {
  Shape shape;
  for (const int64_t extent : extents) {
    if (extent < 0 || extent > INT32_MAX) {
      return context.Invalid(fmt::format("an output extent of {} is out of range", extent));
    }
    shape.push_back(static_cast<int32_t>(extent));
  }
  if (TooManyElements(shape)) {
    return context.Invalid(
        fmt::format("its output {} has more than 2^31 elements", ShapeText(shape)));
  }
  return shape;
}

Result<std::vector<OutputSpec>> OneOutput(const OpContext& context, DataType type,
                                          const std::vector<int64_t>& extents) {
  DLPU_TRY(Shape shape, CheckedShape(context, extents));
  return std::vector<OutputSpec>{{type, std::move(shape)}};
}

Result<int64_t> ConstantInt(const OpContext& context, size_t input) {
  DLPU_TRY(const std::vector<int64_t> values, context.ConstantInts(input));
  if (values.size() != 1) {
    return context.Invalid(
        fmt::format("'{}' has {} values, must have one", context.input(input).name, values.size()));
  }
  return values[0];
}

PreparedOp CopyStep(std::vector<CopyJob> jobs) {
  PreparedOp op;
  op.row = jobs.empty() ? "memcpy" : jobs[0].copy.row();
  auto shared = std::make_shared<const std::vector<CopyJob>>(std::move(jobs));
  op.run = [shared](const RunArgs& args) {
    for (const CopyJob& job : *shared) {
      job.copy.Run(args.inputs[job.input], args.outputs[job.output], args.pool);
    }
    return OkStatus();
  };
  return op;
}

Result<PreparedOp> PrepareSameBytes(const PrepareContext& context) {
  const Tensor& input = context.input(0);
  const auto bytes = static_cast<size_t>(ByteCount(input.type, input.shape));
  PreparedOp op;
  op.row = "memcpy";
  op.run = [bytes](const RunArgs& args) {
    // The memory plan usually lets both share, and then there is nothing to do.
    if (args.outputs[0] != args.inputs[0] && bytes != 0) {
      std::memcpy(args.outputs[0], args.inputs[0], bytes);
    }
    return OkStatus();
  };
  return op;
}

Work MovementWork(const OpContext& context) { return ElementwiseWork(context, 0); }

}  // namespace dlpu
