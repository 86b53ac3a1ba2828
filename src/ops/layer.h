// SPDX-License-Identifier: Apache-2.0
// How a layer with weights finds its form: dynamic-range, float32, 8-bit or 16-bit. Pure functions;
// any thread.
#pragma once

#include "ops/conv16.h"
#include "ops/hybrid.h"

namespace dlpu {

// prepare of a layer whose shapes kGeometry reads, by the types of input 0 and the weights.
template <auto kGeometry, auto kHybrid, auto kFloat, auto kBytes, auto kInt16>
Result<PreparedOp> PrepareLayer(const PrepareContext& context) {
  DLPU_TRY(const auto geometry, kGeometry(context));
  if (IsHybrid(context)) return kHybrid(context, geometry);
  switch (context.input(0).type) {
    case DataType::kFloat32:
      return kFloat(context, geometry);
    case DataType::kUInt8:
    case DataType::kInt8:
      return kBytes(context, geometry);
    case DataType::kInt16:
      return kInt16(context, geometry);
    default:
      return context.UnsupportedType(context.input(0), "float32, int8, uint8 or int16");
  }
}

}  // namespace dlpu
