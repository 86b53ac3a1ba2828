// SPDX-License-Identifier: Apache-2.0
// The rows of the convolution family, best first, as data for selection, tests and benchmarks.
#pragma once

#include <memory>
#include <span>

#include "kernels/conv/conv.h"
#include "kernels/conv/tile.h"

namespace dlpu {

struct ConvRow {
  const char* name;
  CpuFlags needs;
  const ConvTiles* (*tiles)();  // null: the reference; may return null (built for another CPU)
};

// The reference is last and needs nothing.
std::span<const ConvRow> ConvRows();

// The layer on this row; null when the row was not built or does not do this layer. The caller
// makes sure that the CPU has what the row needs.
std::unique_ptr<PreparedConv> PrepareConvRow(const ConvRow& row, const ConvSpec& spec,
                                             const uint8_t* weights, const int32_t* bias);

// Implemented by tiled.cc.
std::unique_ptr<PreparedConv> PrepareTiledConv(const ConvRow& row, const ConvTiles& tiles,
                                               const ConvSpec& spec, const uint8_t* weights,
                                               const int32_t* bias);

}  // namespace dlpu
