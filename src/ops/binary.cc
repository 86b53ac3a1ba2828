// SPDX-License-Identifier: Apache-2.0
// Shape and type rules of ops with two broadcasting inputs.
#include "ops/binary.h"

#include <fmt/format.h>

#include <memory>
#include <vector>

#include "ops/unary.h"

namespace dlpu {

Result<Shape> BinaryShape(const OpContext& context) {
  DLPU_TRY(Shape shape, BroadcastShapes(context, context.input(0).shape, context.input(1).shape));
  if (shape.size() > BroadcastPlan::kMaxAxes) {
    return context.Unsupported(fmt::format("{} has {} dimensions; at most {} are possible",
                                           ShapeText(shape), shape.size(),
                                           BroadcastPlan::kMaxAxes));
  }
  return shape;
}

Result<std::vector<OutputSpec>> InferBinary(const OpContext& context) {
  const Tensor &a = context.input(0), &b = context.input(1);
  if (a.type != b.type) {
    return context.Invalid(fmt::format("inputs are {} and {}; both must have one type",
                                       DataTypeName(a.type), DataTypeName(b.type)));
  }
  DLPU_TRY(Shape shape, BinaryShape(context));
  return std::vector<OutputSpec>{{a.type, std::move(shape)}};
}

namespace {

// How a vector row walks two operands; one that is constant may have been repeated, so that the row
// gets long runs.
struct BinaryWalk {
  BroadcastPlan plan;
  std::vector<uint8_t> repeated[2];

  const uint8_t* Operand(const RunArgs& args, size_t i) const {
    return repeated[i].empty() ? args.inputs[i] : repeated[i].data();
  }
  const float* Floats(const float* input, size_t i) const {
    return repeated[i].empty() ? input : reinterpret_cast<const float*>(repeated[i].data());
  }
};

Result<std::shared_ptr<const BinaryWalk>> MakeBinaryWalk(const PrepareContext& context) {
  DLPU_TRY(const Shape shape, BinaryShape(context));
  auto walk = std::make_shared<BinaryWalk>();
  walk->plan = PlanBroadcast({&context.input(0).shape, &context.input(1).shape}, shape);
  for (int i : {1, 0}) {
    const Tensor& tensor = context.input(i);
    if (!tensor.is_constant) continue;
    const int64_t copies = LengthenRuns(walk->plan, i);
    for (int64_t k = 0; copies > 1 && k < copies; ++k) {
      walk->repeated[i].insert(walk->repeated[i].end(), tensor.data.begin(), tensor.data.end());
    }
  }
  return std::shared_ptr<const BinaryWalk>(walk);
}

}  // namespace

Status ExpectBinaryCodes(const OpContext& context) {
  for (const Tensor* tensor : {&context.input(0), &context.input(1), &context.output(0)}) {
    if (tensor->type != context.input(0).type) {
      return context.UnsupportedType(*tensor, DataTypeName(context.input(0).type));
    }
    DLPU_RETURN_IF_ERROR(ExpectPerTensorQuantization(context, *tensor));
    DLPU_RETURN_IF_ERROR(ExpectSymmetric16(context, *tensor));
  }
  return OkStatus();
}

ElementwisePart BinaryPart(const OpContext& context, const BroadcastPlan& plan) {
  ElementwisePart part;
  part.count = plan.count;
  for (size_t i = 0; i < 2; ++i) {
    part.moves[i] = ElementCount(context.input(i).shape) == plan.count;
  }
  return part;
}

Result<PreparedOp> PrepareFloats(const PrepareContext& context, const ElementwiseF32Row& row,
                                 void (*function)(const FloatOperands&, float*, int64_t),
                                 FloatRange range) {
  DLPU_TRY(const std::shared_ptr<const BinaryWalk> walk, MakeBinaryWalk(context));
  PreparedOp op;
  op.row = row.name;
  op.run = [walk, function, range](const RunArgs& args) {
    const BroadcastPlan& plan = walk->plan;
    const auto* a = reinterpret_cast<const float*>(walk->Operand(args, 0));
    const auto* b = reinterpret_cast<const float*>(walk->Operand(args, 1));
    float* out = args.out<float>(0);
    args.pool.ParallelFor(plan.count, kElementwiseGrain, [&](int64_t begin, int64_t end, int) {
      ForEachRun(plan, begin, end, [&](const int64_t* offsets, int64_t first, int64_t n) {
        function({a + offsets[0], b + offsets[1], plan.advances[0], plan.advances[1], range.low,
                  range.high},
                 out + first, n);
      });
    });
    return OkStatus();
  };
  op.part = BinaryPart(context, walk->plan);
  op.part.run = [walk, function, range, moves_a = op.part.moves[0], moves_b = op.part.moves[1]](
                    const float* const* in, float* out, int64_t begin, int64_t count) {
    const BroadcastPlan& plan = walk->plan;
    const float *a = walk->Floats(in[0], 0), *b = walk->Floats(in[1], 1);
    ForEachRun(plan, begin, begin + count, [&](const int64_t* offsets, int64_t first, int64_t n) {
      function({a + offsets[0] - (moves_a ? begin : 0), b + offsets[1] - (moves_b ? begin : 0),
                plan.advances[0], plan.advances[1], range.low, range.high},
               out + first - begin, n);
    });
  };
  return op;
}

bool IsPlainInt16(const OpContext& context) {
  return context.input(0).type == DataType::kInt16 && !context.input(0).quantization.present() &&
         !context.input(1).quantization.present() && !context.output(0).quantization.present();
}

Result<PreparedOp> PrepareBytePairRows(const PrepareContext& context, BytePairGuess guess,
                                       const BytePairFunction::Row& row) {
  DLPU_TRY(const std::shared_ptr<const BinaryWalk> walk, MakeBinaryWalk(context));
  guess.is_signed = context.input(0).type == DataType::kInt8;
  const auto function = std::make_shared<const BytePairFunction>(guess, row, context.cpu);
  PreparedOp op;
  op.row = function->row();
  op.run = [walk, function](const RunArgs& args) {
    BroadcastBytePairs(walk->plan, *function, walk->Operand(args, 0), walk->Operand(args, 1),
                       args.outputs[0], args.pool);
    return OkStatus();
  };
  return op;
}

}  // namespace dlpu
