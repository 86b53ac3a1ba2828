// SPDX-License-Identifier: Apache-2.0
// What ops with two broadcasting inputs share. Pure functions; any thread.
#pragma once

#include <cstdint>
#include <limits>

#include "base/result.h"
#include "kernels/elementwise/broadcast.h"
#include "kernels/elementwise/byte_pair.h"
#include "ops/common.h"
#include "ops/op.h"

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
  return ValueRange<T>{static_cast<T>(range.low),
                       activation == Activation::kRelu ? kHighest : static_cast<T>(range.high)};
}

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
  return op;
}

// The same when all three have type T.
template <typename T, typename F>
Result<PreparedOp> PrepareBinary(const PrepareContext& context, F f) {
  return PrepareBinary<T, T, T, F>(context, std::move(f));
}

// A step that computes out = code(a, b) on the bytes of 8-bit codes; `guess` without type says
// what `code` approximates.
Result<PreparedOp> PrepareBytePairs(const PrepareContext& context, BytePairGuess guess,
                                    const std::function<uint8_t(uint8_t, uint8_t)>& code);

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

}  // namespace dlpu
