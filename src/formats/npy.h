// SPDX-License-Identifier: Apache-2.0
// NumPy's .npy files: one tensor, little-endian, C order. Any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "ir/types.h"

namespace dlpu {

struct NpyArray {
  DataType type = DataType::kFloat32;
  Shape shape;
  std::vector<uint8_t> data;
};

bool IsNpy(std::span<const uint8_t> bytes);
// Format versions 1 to 3. Refused by name: Fortran order, big-endian and object arrays.
Result<NpyArray> ReadNpy(std::span<const uint8_t> bytes, const std::string& name);
// REQUIRES: type has a NumPy name and data has the bytes of type and shape.
std::vector<uint8_t> WriteNpy(DataType type, const Shape& shape, std::span<const uint8_t> data);

}  // namespace dlpu
