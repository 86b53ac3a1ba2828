// SPDX-License-Identifier: Apache-2.0
// What EQUAL, NOT_EQUAL, LESS, LESS_EQUAL, GREATER and GREATER_EQUAL share. The output is bool (one
// byte, 0 or 1). Any thread.
#pragma once

#include <array>
#include <memory>

#include "base/fixed_point.h"
#include "base/result.h"
#include "ops/binary.h"

namespace dlpu {

// Inputs of one type that broadcast; a bool output.
Result<std::vector<OutputSpec>> InferComparison(const OpContext& context);

// The value a code of `tensor` is compared by: (code - zero) * scale with 8 fraction bits, rounded
// twice. Values closer than about 1/512 are therefore equal (LiteRT, comparisons.cc).
struct ComparableCode {
  int32_t zero = 0;
  QuantizedMultiplier scale;

  int32_t operator()(int32_t code) const {
    return MultiplyByQuantizedMultiplier(ShiftLeftWrap(code - zero, 8), scale);
  }
};
// An error unless the tensor has one scale below 1 (LiteRT stops at 1 and is undefined above).
Result<ComparableCode> MakeComparableCode(const OpContext& context, const Tensor& tensor);

// Both inputs are codes of type T.
template <typename T, typename F>
Result<PreparedOp> PrepareCodeComparison(const PrepareContext& context, F compare) {
  DLPU_TRY(const ComparableCode a, MakeComparableCode(context, context.input(0)));
  DLPU_TRY(const ComparableCode b, MakeComparableCode(context, context.input(1)));
  return PrepareBinary<T, T, uint8_t>(
      context, [a, b, compare](T x, T y) { return static_cast<uint8_t>(compare(a(x), b(y))); });
}

// Elements of type T as they are.
template <typename T, typename F>
Result<PreparedOp> PrepareValueComparison(const PrepareContext& context, F compare) {
  return PrepareBinary<T, T, uint8_t>(
      context, [compare](T x, T y) { return static_cast<uint8_t>(compare(x, y)); });
}

// `is_equality`: EQUAL and NOT_EQUAL, which also take bool and compare quantized int16 codes by
// value; the others compare int16 codes as plain integers.
template <typename F>
Result<PreparedOp> PrepareComparison(const PrepareContext& context, F compare, bool is_equality) {
  DLPU_RETURN_IF_ERROR(InferComparison(context));
  switch (context.input(0).type) {
    case DataType::kFloat32:
      return PrepareValueComparison<float>(context, compare);
    case DataType::kInt32:
      return PrepareValueComparison<int32_t>(context, compare);
    case DataType::kInt64:
      return PrepareValueComparison<int64_t>(context, compare);
    case DataType::kInt8:
      return PrepareCodeComparison<int8_t>(context, compare);
    case DataType::kUInt8:
      return PrepareCodeComparison<uint8_t>(context, compare);
    case DataType::kInt16:
      if (is_equality && context.input(0).quantization.present()) {
        return PrepareCodeComparison<int16_t>(context, compare);
      }
      return PrepareValueComparison<int16_t>(context, compare);
    case DataType::kBool:
      if (is_equality) return PrepareValueComparison<uint8_t>(context, compare);
      break;
    default:
      break;
  }
  return context.UnsupportedType(context.input(0), "a number type, or bool for (in)equality");
}

}  // namespace dlpu
