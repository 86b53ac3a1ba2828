// SPDX-License-Identifier: Apache-2.0
// The rows of the depthwise family, best first, as data for selection, tests and benchmarks.
#pragma once

#include <memory>
#include <span>

#include "kernels/depthwise/depthwise.h"
#include "kernels/depthwise/tile.h"

namespace dlpu {

struct DepthwiseRow {
  const char* name;
  CpuFlags needs;
  const DepthwiseTiles* (*tiles)();  // null: the reference; may return null (another processor)
};

// The reference is last and needs nothing.
std::span<const DepthwiseRow> DepthwiseRows();

// The layer on this row; null when the row was not built or does not do this layer. The caller
// makes sure that the CPU has what the row needs.
std::unique_ptr<PreparedDepthwise> PrepareDepthwiseRow(const DepthwiseRow& row,
                                                       const DepthwiseSpec& spec,
                                                       const uint8_t* weights, const int32_t* bias);

// Implemented by tiled.cc; REQUIRES multiplier 1.
std::unique_ptr<PreparedDepthwise> PrepareTiledDepthwise(const DepthwiseRow& row,
                                                         const DepthwiseTiles& tiles,
                                                         const DepthwiseSpec& spec,
                                                         const uint8_t* weights,
                                                         const int32_t* bias);

}  // namespace dlpu
