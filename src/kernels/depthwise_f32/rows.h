// SPDX-License-Identifier: Apache-2.0
// The rows of float depthwise convolution as data, for selection, tests and benchmarks. Constant;
// any thread.
#pragma once

#include <memory>
#include <span>

#include "kernels/depthwise_f32/depthwise_f32.h"

namespace dlpu {

struct DepthwiseF32Row {
  const char* name;
  CpuFlags cpu;           // flags it needs
  int32_t lanes, pixels;  // its largest tile; 0 for the reference
  std::unique_ptr<PreparedDepthwiseF32> (*prepare)(const DepthwiseF32Row& row,
                                                   const DepthwiseF32Spec& spec,
                                                   const float* weights, const float* bias);
};

// Best first; the reference, which needs no flag, is last. Every row takes every layer.
std::span<const DepthwiseF32Row> DepthwiseF32Rows();

}  // namespace dlpu
