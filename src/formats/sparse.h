// SPDX-License-Identifier: Apache-2.0
// Expands TensorFlow Lite's sparse constants to dense ones. Any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "ir/graph.h"
#include "tflite_generated.h"

namespace dlpu {

// The dense, row-major bytes of `tensor` (type and shape of the dense tensor) whose non-zero
// elements, in traversal order, are `values`. Every segment and index is checked.
Result<std::vector<uint8_t>> ExpandSparse(const tflite::SparsityParameters& sparsity,
                                          const Tensor& tensor, std::span<const uint8_t> values,
                                          const std::string& model);

}  // namespace dlpu
