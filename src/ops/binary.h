// SPDX-License-Identifier: Apache-2.0
// What ops with two broadcasting inputs share. Pure functions; any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <type_traits>

#include "base/result.h"
#include "kernels/elementwise/broadcast.h"
#include "kernels/elementwise/byte_pair.h"
#include "kernels/elementwise_f32/rows.h"
#include "ops/common.h"
#include "ops/op.h"
#include "ops/unary.h"

namespace dlpu {

// Both inputs of one type; the output has that type and the broadcast shape, at most 8 dimensions.
Result<std::vector<OutputSpec>> InferBinary(const OpContext& context);
// The broadcast shape of both inputs, at most 8 dimensions.
Result<Shape> BinaryShape(const OpContext& context);

// Error unless both inputs and the output have the same 8- or 16-bit type with one scale each, and
// 16-bit zero points are 0.
Status ExpectBinaryCodes(const OpContext& context);

// Whether int16 tensors are to be computed as plain integers: none of them has a scale.
bool IsPlainInt16(const OpContext& context);

// Bounds of a fused activation for a plain integer type; kNone is the whole type.
template <typename T>
struct ValueRange {
  T low, high;
};
template <typename T>
Result<ValueRange<T>> IntegerActivationRange(const OpContext& context, Activation activation) {
  constexpr T kLowest = std::numeric_limits<T>::lowest(), kHighest = std::numeric_limits<T>::max();
  if (activation == Activation::kNone) return ValueRange<T>{kLowest, kHighest};
  DLPU_TRY(const FloatRange range, FloatActivationRange(context, activation));
  // Through int64_t, so that -1 becomes the largest unsigned number on every CPU, as in LiteRT on
  // x86-64; a direct conversion is not defined.
  const auto bound = [](float v) { return static_cast<T>(static_cast<int64_t>(v)); };
  return ValueRange<T>{bound(range.low),
                       activation == Activation::kRelu ? kHighest : bound(range.high)};
}

// A part without its function: which of the two inputs move with the output of that plan.
ElementwisePart BinaryPart(const OpContext& context, const BroadcastPlan& plan);

// A step that computes out = f(a, b) for inputs of types A and B and an output of type Out.
template <typename A, typename B, typename Out, typename F>
Result<PreparedOp> PrepareBinary(const PrepareContext& context, F f) {
  DLPU_TRY(const Shape shape, BinaryShape(context));
  const BroadcastPlan plan =
      PlanBroadcast({&context.input(0).shape, &context.input(1).shape}, shape);
  PreparedOp op;
  op.row = "binary";
  op.run = [plan, f](const RunArgs& args) {
    BroadcastBinary(plan, args.in<A>(0), args.in<B>(1), args.out<Out>(0), args.pool, f);
    return OkStatus();
  };
  if constexpr (std::is_same_v<A, float> && std::is_same_v<B, float> &&
                std::is_same_v<Out, float>) {
    op.part = BinaryPart(context, plan);
    op.part.run = [plan, f, moves_a = op.part.moves[0], moves_b = op.part.moves[1]](
                      const float* const* in, float* out, int64_t begin, int64_t count) {
      BroadcastRange(plan, begin, begin + count, in[0] - (moves_a ? begin : 0),
                     in[1] - (moves_b ? begin : 0), out - begin, f);
    };
  }
  return op;
}

// The same when all three have type T.
template <typename T, typename F>
Result<PreparedOp> PrepareBinary(const PrepareContext& context, F f) {
  return PrepareBinary<T, T, T, F>(context, std::move(f));
}

// A step that computes out = code(a, b) on the bytes of 8-bit codes; `guess` without type says
// what `code` approximates.
Result<PreparedOp> PrepareBytePairRows(const PrepareContext& context, BytePairGuess guess,
                                       const BytePairFunction::Row& row);
template <typename Code>
Result<PreparedOp> PrepareBytePairs(const PrepareContext& context, const BytePairGuess& guess,
                                    const Code& code) {
  return PrepareBytePairRows(context, guess, BytePairRowOf(code));
}

// A step that computes out = f(a, b) on codes; f takes and returns int32. The three tensors have
// one 8- or 16-bit type.
template <typename F>
Result<PreparedOp> PrepareBinaryCodes(const PrepareContext& context, const F& f) {
  const auto narrow = [&]<typename T>(T) {
    return PrepareBinary<T>(context, [f](T a, T b) { return static_cast<T>(f(a, b)); });
  };
  switch (context.input(0).type) {
    case DataType::kInt8:
      return narrow(int8_t{});
    case DataType::kUInt8:
      return narrow(uint8_t{});
    case DataType::kInt16:
      return narrow(int16_t{});
    default:
      return context.UnsupportedType(context.input(0), "int8, uint8 or int16");
  }
}

// A step of a float32 op by the function of a vector row.
Result<PreparedOp> PrepareFloats(const PrepareContext& context, const ElementwiseF32Row& row,
                                 void (*function)(const FloatOperands&, float*, int64_t),
                                 FloatRange range);

// A step that computes out = f(a, b) for inputs and output of one numeric type, whatever it is; f
// is called with that type.
template <typename F>
Result<PreparedOp> PrepareForNumbers(const PrepareContext& context, F f) {
  switch (context.input(0).type) {
    case DataType::kFloat32:
      return PrepareBinary<float>(context, f);
    case DataType::kInt8:
      return PrepareBinary<int8_t>(context, f);
    case DataType::kUInt8:
      return PrepareBinary<uint8_t>(context, f);
    case DataType::kInt16:
      return PrepareBinary<int16_t>(context, f);
    case DataType::kInt32:
      return PrepareBinary<int32_t>(context, f);
    case DataType::kInt64:
      return PrepareBinary<int64_t>(context, f);
    default:
      return context.UnsupportedType(context.input(0),
                                     "float32, int8, uint8, int16, int32 or int64");
  }
}

// `op`, but a run fails when a divisor (an element of input 1, of type T) is `zero`.
template <typename T>
PreparedOp GuardDivisor(const PrepareContext& context, PreparedOp op, int32_t zero) {
  return GuardInput<T>(std::move(op), 1, ElementCount(context.input(1).shape),
                       context.Invalid("a divisor is 0"),
                       [zero](T divisor) { return divisor != static_cast<T>(zero); });
}

}  // namespace dlpu
