// SPDX-License-Identifier: Apache-2.0
// What ops with one input and one output of the same shape share: checks of their quantization,
// tables over all codes, loops over floats. Pure functions; any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <type_traits>

#include "base/result.h"
#include "kernels/elementwise/broadcast.h"
#include "kernels/lut/table.h"
#include "ops/common.h"
#include "ops/op.h"

namespace dlpu {

// Scales, zero points and the code range of the output of a quantized unary op.
struct UnaryCodes {
  CodeScale in, out;
  int32_t low, high;
};
// Error unless input 0 and output 0 have one 8- or 16-bit type (uint8, int8 or int16) and one
// scale each; 16-bit tensors must have zero point 0.
Result<UnaryCodes> ExpectUnaryCodes(const OpContext& context);

// Error unless a 16-bit tensor's zero point is 0.
Status ExpectSymmetric16(const OpContext& context, const Tensor& tensor);

// Output code for an input code.
using CodeFunction = std::function<int32_t(int32_t)>;
// A step that maps every code of an 8- or 16-bit input through `code`, by a table. The output has
// 8, 16 or 32 bits; `code` must stay inside its range.
Result<PreparedOp> PrepareCodeMap(const PrepareContext& context, const CodeFunction& code);

// PrepareCodeMap for int8 or int16 whose run fails when an input code is below the zero point, that
// is, when its value is negative. `code` is called for the other codes only.
Result<PreparedOp> PrepareNonNegativeCodes(const PrepareContext& context, const UnaryCodes& codes,
                                           const CodeFunction& code);

// PrepareCodeMap of fn(real) -> real by LiteRT's 8-bit table rule (TableCode8). `fn` takes and
// returns binary32.
Result<PreparedOp> PrepareTable8(const PrepareContext& context,
                                 const std::function<float(float)>& fn);
// The same for 16 bits by MakeTable16 in binary32.
Result<PreparedOp> PrepareTable16(const PrepareContext& context,
                                  const std::function<float(float)>& fn);

// Shape of input 0 with any output type; the declared type of the output is kept.
Result<std::vector<OutputSpec>> InferSameShape(const OpContext& context);

// work of an op that spends `kOps` vector operations on each element.
template <int kOps>
Work CountElements(const OpContext& context) {
  return ElementwiseWork(context, kOps);
}

// A step that computes out = f(in) on elements of type T.
template <typename T, typename F>
PreparedOp PrepareMap(const PrepareContext& context, F f) {
  const int64_t count = ElementCount(context.input(0).shape);
  PreparedOp op;
  op.row = "map";
  op.run = [count, f](const RunArgs& args) {
    MapElements(args.in<T>(0), args.out<T>(0), count, args.pool, f);
    return OkStatus();
  };
  if constexpr (std::is_same_v<T, float>) {
    op.part.count = count;
    op.part.run = [f](const float* const* in, float* out, int64_t, int64_t n) {
      for (int64_t i = 0; i < n; ++i) out[i] = f(in[0][i]);
    };
  }
  return op;
}

// The same for float32 by a vector row named `name`.
using FloatRowFunction = std::function<void(const float* in, float* out, int64_t n)>;
PreparedOp PrepareFloatRow(const PrepareContext& context, const char* name,
                           const FloatRowFunction& function);

// prepare of an op that exists for float32 only.
template <float (*kFunction)(float)>
Result<PreparedOp> PrepareFloatOnly(const PrepareContext& context) {
  if (context.input(0).type != DataType::kFloat32) {
    return context.UnsupportedType(context.input(0), "float32");
  }
  return PrepareMap<float>(context, [](float x) { return kFunction(x); });
}

// `op`, but a run fails with `error` when `is_valid` refuses an element (of type T) of input
// `index`, which has `count` elements.
template <typename T, typename F>
PreparedOp GuardInput(PreparedOp op, size_t index, int64_t count, Error error, F is_valid) {
  op.run = [run = std::move(op.run), index, count, error = std::move(error),
            is_valid](const RunArgs& args) -> Status {
    const T* values = args.in<T>(index);
    bool valid = true;  // no early exit: the loop vectorises
    for (int64_t i = 0; i < count; ++i) valid &= is_valid(values[i]);
    if (!valid) return error;
    return run(args);
  };
  return op;
}

}  // namespace dlpu
