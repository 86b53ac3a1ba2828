// SPDX-License-Identifier: Apache-2.0
// CONCATENATION: the inputs one after the other along an axis. Integers are copied; a uint8 input
// with another scale or zero point than the output is rescaled (ConcatenationTable).
#include <fmt/format.h>

#include <memory>
#include <optional>

#include "kernels/copy/table.h"
#include "ops/movement.h"

namespace dlpu {
namespace {

constexpr TypeSet kTypes =
    kCommonTypes | Types(DataType::kFloat16, DataType::kBool, DataType::kUInt32);

// The inputs as outer x width[i] x inner elements, the output as outer x total.
struct Geometry {
  std::vector<int64_t> output;
  int64_t outer = 1, total = 0;
  std::vector<int64_t> widths;  // of each input, times inner
};

Result<Geometry> ComputeGeometry(const OpContext& context) {
  const auto& attrs = context.attrs<ConcatenationAttrs>();
  if (attrs.activation != Activation::kNone) {
    return context.Unsupported("a fused activation; make it a node of its own");
  }
  const Tensor& first = context.input(0);
  for (size_t i = 0; i < context.input_count(); ++i) {
    if (!context.has_input(i)) return context.Invalid(fmt::format("input {} is missing", i));
    const Tensor& input = context.input(i);
    DLPU_RETURN_IF_ERROR(ExpectTypeIn(context, input, kTypes));
    DLPU_RETURN_IF_ERROR(ExpectSameType(context, input, first));
    if (input.shape.size() != first.shape.size()) {
      return context.Invalid(fmt::format("shapes {} and {} differ in rank", ShapeText(first.shape),
                                         ShapeText(input.shape)));
    }
  }
  Geometry g;
  if (first.shape.empty()) {  // scalars become a list
    if (attrs.axis != 0 && attrs.axis != -1) return context.Invalid("scalars have no axis");
    for (size_t i = 0; i < context.input_count(); ++i) {
      if (!context.input(i).is_constant) return context.Unsupported("scalars that are computed");
    }
    g.total = static_cast<int64_t>(context.input_count());
    g.widths.assign(context.input_count(), 1);
    g.output = {g.total};
    return g;
  }
  DLPU_TRY(const int axis, NormaliseAxis(context, attrs.axis, first.shape.size()));
  g.output = Extents(first.shape);
  g.output[axis] = 0;
  const int64_t inner = ProductOf(g.output, axis + 1, g.output.size());
  g.outer = ProductOf(g.output, 0, axis);
  for (size_t i = 0; i < context.input_count(); ++i) {
    const Shape& shape = context.input(i).shape;
    for (size_t d = 0; d < shape.size(); ++d) {
      if (static_cast<int>(d) != axis && shape[d] != first.shape[d]) {
        return context.Invalid(fmt::format("shapes {} and {} differ outside axis {}",
                                           ShapeText(first.shape), ShapeText(shape), axis));
      }
    }
    g.output[axis] += shape[axis];
    g.widths.push_back(shape[axis] * inner);
    g.total += g.widths.back();
  }
  return g;
}

Result<std::vector<OutputSpec>> Infer(const OpContext& context) {
  DLPU_TRY(const Geometry g, ComputeGeometry(context));
  return OneOutput(context, context.input(0).type, g.output);
}

// A table when the input's codes must be rescaled. What other types than uint8 need: equal
// quantization (int8) or no zero point (int16; scales are not compared, as in LiteRT).
Result<std::optional<CodeTable>> Rescaling(const OpContext& context, const Tensor& input) {
  const Tensor& output = context.output(0);
  if (input.type == DataType::kInt8) {
    DLPU_RETURN_IF_ERROR(ExpectSameQuantization(context, input, output));
  }
  if (input.type == DataType::kInt16 &&
      (input.quantization.zero0() != 0 || output.quantization.zero0() != 0)) {
    return context.Unsupported(fmt::format("int16 tensor '{}' needs zero point 0", input.name));
  }
  if (input.type != DataType::kUInt8 || ExpectSameQuantization(context, input, output).ok()) {
    return std::optional<CodeTable>();
  }
  DLPU_RETURN_IF_ERROR(ExpectPerTensorQuantization(context, input));
  DLPU_RETURN_IF_ERROR(ExpectPerTensorQuantization(context, output));
  return std::optional<CodeTable>(
      ConcatenationTable(input.quantization.scale0(), input.quantization.zero0(),
                         output.quantization.scale0(), output.quantization.zero0()));
}

struct Part {
  StridedCopy copy;
  std::optional<CodeTable> table;
  int64_t width, offset;  // in elements
};

Result<PreparedOp> Prepare(const PrepareContext& context) {
  DLPU_TRY(const Geometry g, ComputeGeometry(context));
  DLPU_RETURN_IF_ERROR(ExpectSameType(context, context.output(0), context.input(0)));
  auto parts = std::make_shared<std::vector<Part>>();
  int64_t offset = 0;
  for (size_t i = 0; i < g.widths.size(); ++i) {
    DLPU_TRY(const std::optional<CodeTable> table, Rescaling(context, context.input(i)));
    const CopySpec spec{.element_bytes = ElementBytes(context.input(i)),
                        .extents = {g.outer, g.widths[i]},
                        .in_strides = {g.widths[i], 1},
                        .out_strides = {g.total, 1},
                        .out_offset = offset};
    parts->push_back({StridedCopy(spec), table, g.widths[i], offset});
    offset += g.widths[i];
  }
  PreparedOp op;
  op.row = "memcpy";
  op.run = [parts, outer = g.outer, total = g.total](const RunArgs& args) {
    for (size_t i = 0; i < parts->size(); ++i) {
      const Part& part = (*parts)[i];
      if (part.table) {
        CopyRowsThroughTable(*part.table, args.inputs[i], outer, part.width,
                             args.outputs[0] + part.offset, total, args.pool);
      } else {
        part.copy.Run(args.inputs[i], args.outputs[0], args.pool);
      }
    }
    return OkStatus();
  };
  return op;
}

}  // namespace

const OpDef kConcatenationOp = {
    .op = Op::kConcatenation,
    .arity = Arity{1, kAnyNumber, 1, 1},
    .infer = Infer,
    .quantize = QuantizeRule{.kind = QuantizeRule::Kind::kSameAsInput},
    .work = MovementWork,
    .prepare = Prepare,
    .alias = Alias::kNone,
};

}  // namespace dlpu
