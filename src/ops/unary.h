// SPDX-License-Identifier: Apache-2.0
// What ops with one input and one output of the same shape share: checks of their quantization,
// tables over all codes, loops over floats. Pure functions; any thread.
#pragma once

#include <cstdint>
#include <functional>

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

// PrepareCodeMap of fn(real) -> real by LiteRT's 8-bit table rule (TableCode8). `fn` takes and
// returns binary32.
Result<PreparedOp> PrepareTable8(const PrepareContext& context,
                                 const std::function<float(float)>& fn);
// The same for 16 bits by MakeTable16 in binary32.
Result<PreparedOp> PrepareTable16(const PrepareContext& context,
                                  const std::function<float(float)>& fn);

// Shape of input 0 with any output type; the declared type of the output is kept.
Result<std::vector<OutputSpec>> InferSameShape(const OpContext& context);

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
  return op;
}

}  // namespace dlpu
