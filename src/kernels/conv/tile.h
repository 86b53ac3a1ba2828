// SPDX-License-Identifier: Apache-2.0
// What a convolution tile is: the function an instruction set provides, and its arguments. A tile
// computes a few output pixels of one panel of channels. Plain structs only: files with
// instruction-set flags include this.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/requant/blocks.h"

namespace dlpu {

inline constexpr int kMaxTileVectors = kMaxPanelVectors;
inline constexpr int kMaxTileRows = 12;

// One panel: up to 4 vectors of output channels with their packed weights. The reduction of a
// pixel runs over segments of consecutive input bytes, a step (ConvTiles::step_bytes) at a
// time; weights are packed [segment][step][vector][lane][step_bytes] in the channel order of the
// requantization, the bytes of a lane in runs of lane_bytes. `offsets` are bytes from a pixel's
// pointer; after the regular segments follow extra single steps that carry what weights exceed 8
// bits by.
struct ConvTileArgs {
  const int32_t* offsets;
  int32_t segments, steps;
  int32_t all_segments;  // with the extra ones
  uint32_t input_flip;   // 0x80808080 when the input's signs are not the tile's
  const int8_t* weights;
  // From here on, which need not be memory, a tile may bring bytes to L2, one vector's with a step.
  const int8_t* fetch;
  ptrdiff_t output_stride;
  RequantPanel requant;
};

// Computes `rows` pixels (fixed by the table entry); pixels[r] is where a pixel's input begins.
using ConvTile = void (*)(const uint8_t* const* pixels, uint8_t* output, const ConvTileArgs& args);

// The tiles of an instruction set: tiles[vectors - 1][rows - 1], null beyond max_rows.
struct ConvTiles {
  int lanes;                      // int32 lanes of a vector
  bool widened;                   // activations are copied to 16 bits and weights packed as 16 bits
  int max_rows[kMaxTileVectors];  // 0: the number of vectors is not offered
  ConvTile tiles[kMaxTileVectors][kMaxTileRows];
  int step_bytes = 4;  // input bytes of a step
  // Weights of a step lie [run of lane_bytes input bytes][lane][lane_bytes].
  int lane_bytes = 4;
  bool signed_input = false;  // the tile multiplies signed codes
  int least_weight = -128;    // smaller 8-bit weights are split
  // The same for panels whose last vector computes only its lower half, for half the time; null
  // where there is nothing to gain.
  const ConvTile (*half_tiles)[kMaxTileRows] = nullptr;
};

// Each is nullptr when the library was built for another processor.
const ConvTiles* ConvTilesAvx512Vnni();
const ConvTiles* ConvTilesAvxVnni();
const ConvTiles* ConvTilesAvx2();
const ConvTiles* ConvTilesNeonI8mm();
const ConvTiles* ConvTilesNeonDot();
const ConvTiles* ConvTilesNeon();

}  // namespace dlpu
