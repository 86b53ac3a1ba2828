// SPDX-License-Identifier: Apache-2.0
// Shapes and types that the generators of moving and reducing ops draw. Pure functions of the
// generator's Random.
#pragma once

#include "cases.h"

namespace dlpu::peer {

// Rank low to high; extents small enough for a few thousand elements, often 1, rarely 0.
inline Shape MovementShape(Random& random, int low_rank, int high_rank) {
  Shape shape(static_cast<size_t>(random.Int(low_rank, high_rank)));
  const int64_t most = shape.size() <= 2 ? 20 : shape.size() <= 4 ? 7 : 4;
  for (int32_t& extent : shape) {
    extent = static_cast<int32_t>(random.Chance(0.2) ? 1 : random.Int(1, most));
  }
  if (!shape.empty() && random.Chance(0.03)) {
    shape[random.Int(0, static_cast<int64_t>(shape.size()) - 1)] = 0;
  }
  return shape;
}

inline DataType MovementType(Random& random, bool with_bool = true) {
  if (with_bool && random.Chance(0.1)) return DataType::kBool;
  return random.Pick({DataType::kFloat32, DataType::kInt8, DataType::kUInt8, DataType::kInt16,
                      DataType::kInt32, DataType::kInt64});
}

// One scale for types that are quantized, none for others.
inline Quantization QuantizationFor(Random& random, DataType type) {
  const bool codes =
      type == DataType::kInt8 || type == DataType::kUInt8 || type == DataType::kInt16;
  return codes ? RandomQuantization(random, type) : Quantization{};
}

}  // namespace dlpu::peer
