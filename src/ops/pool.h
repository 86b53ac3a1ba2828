// SPDX-License-Identifier: Apache-2.0
// What the pooling ops share: shapes, cost and the kernels' specification. Pure functions; any
// thread.
#pragma once

#include <vector>

#include "kernels/pool/pool.h"
#include "ops/common.h"
#include "ops/conv.h"
#include "ops/op.h"

namespace dlpu {

// Input NHWC; output N, out_h, out_w, C of the input's type.
Result<std::vector<OutputSpec>> InferPool(const OpContext& context);
Work PoolWork(const OpContext& context);

// The specification with the bounds of the fused activation. Input and output must be the same
// codes: pooling does not requantize. An error names what does not fit.
Result<PoolSpecInt> MakePoolSpecInt(const OpContext& context);
Result<PoolSpecFloat> MakePoolSpecFloat(const OpContext& context);

// A step that calls pool(spec, input, output, args) with pointers of the input's type.
template <typename Pool>
Result<PreparedOp> PreparePool(const PrepareContext& context, const Pool& pool) {
  const auto step = [&]<typename T>(T, const auto& spec) {
    PreparedOp op;
    op.run = [spec, pool](const RunArgs& args) {
      pool(spec, args.in<T>(0), args.out<T>(0), args);
      return OkStatus();
    };
    return op;
  };
  const DataType type = context.input(0).type;
  if (type == DataType::kFloat32) {
    DLPU_TRY(const PoolSpecFloat spec, MakePoolSpecFloat(context));
    return step(float{}, spec);
  }
  if (type != DataType::kUInt8 && type != DataType::kInt8 && type != DataType::kInt16) {
    return context.UnsupportedType(context.input(0), "float32, int8, uint8 or int16");
  }
  DLPU_TRY(PoolSpecInt spec, MakePoolSpecInt(context));
  LeaveOutBorder(context.border, spec);
  if (type == DataType::kUInt8) return step(uint8_t{}, spec);
  if (type == DataType::kInt8) return step(int8_t{}, spec);
  return step(int16_t{}, spec);
}

}  // namespace dlpu
