// SPDX-License-Identifier: Apache-2.0
// The rows of float convolution as data, for selection, tests and benchmarks. Constant; any
// thread.
#pragma once

#include <memory>
#include <span>

#include "kernels/conv_f32/conv_f32.h"

namespace dlpu {

struct ConvF32Row {
  const char* name;
  CpuFlags cpu;                  // flags it needs
  int32_t lanes, rows, vectors;  // its largest tile; 0 for the reference
  std::unique_ptr<PreparedConvF32> (*prepare)(const ConvF32Row& row, const ConvF32Spec& spec,
                                              const float* weights, const float* bias);
};

// Best first; the reference, which needs no flag, is last. Every row takes every layer.
std::span<const ConvF32Row> ConvF32Rows();

}  // namespace dlpu
