// SPDX-License-Identifier: Apache-2.0
// What an instruction set provides for depthwise convolutions. Plain structs only: files with
// instruction-set flags include this.
//
// Channels are taken in blocks of four vectors. Bytes of several taps of one channel are
// interleaved into one 32-bit lane, which one dot product instruction multiplies with that
// channel's weights. The order in which bytes interleave is the one in which codes pack.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/requant/blocks.h"

namespace dlpu {

inline constexpr int kDepthwiseVectors = 4;

// Any kernel: `groups` of `taps` (see DepthwiseTiles) each; taps that do not exist have weight 0.
struct DepthwiseTapArgs {
  const int32_t* offsets;  // groups x taps, bytes from a pixel's pointer
  int32_t groups;
  const int8_t* weights;  // [group][vector][lane][tap], or [group][tap][channel]
  uint32_t input_flip;    // 0x80808080 when the input's signs are not the kernel's
  RequantPanel requant;
};

// One row of `count` output pixels; pixel p reads from input + p * input_step.
using DepthwiseTapRow = void (*)(const uint8_t* input, ptrdiff_t input_step, int32_t count,
                                 uint8_t* output, ptrdiff_t output_step,
                                 const DepthwiseTapArgs& args);

inline constexpr int kMaxSlideBands = 2;

// 3x3, dilation 1: a window of columns slides along output rows, which come in bands that share a
// vector (two bands serve blocks of at most half the channels). Weights are [output row][column]
// [vector][lane][4 bytes]: with stride 1 a column of four input rows serves two output rows.
struct DepthwiseSlideArgs {
  const int8_t* weights;
  const int8_t* excess;     // what 8 bits do not hold, laid out as weights; or null
  uint32_t excess_columns;  // bit 3j + c: column c of vector j has some
  uint32_t input_flip;
  uint8_t input_zero;
  int32_t in_w, out_w, pad_left;
  ptrdiff_t in_step, out_step;  // bytes between pixels
  RequantPanel requant;
};

struct DepthwiseSlideRows {
  // Input rows of each band from the first pixel on; null for a row outside the picture.
  const uint8_t* input[kMaxSlideBands][4];
  // Output rows of each band; null for one that does not exist. Stride 2 uses the first.
  uint8_t* output[kMaxSlideBands][2];
};

using DepthwiseSlide = void (*)(const DepthwiseSlideRows& rows, const DepthwiseSlideArgs& args);

struct DepthwiseTiles {
  int lanes;  // int32 lanes of a vector
  int taps;   // taps of one group
  DepthwiseTapRow tap_row;
  DepthwiseSlide slide[2][kMaxSlideBands];  // [stride - 1][bands - 1]; may be null
  int weight_bytes = 1;
  bool by_tap = false;        // a group's weights are [tap][channel]
  bool signed_input = false;  // tap_row multiplies signed codes; no slides then
  int least_weight = -128;    // smaller 8-bit weights are split
};

// Each is nullptr when the library was built for another processor.
const DepthwiseTiles* DepthwiseTilesAvx512Vnni();
const DepthwiseTiles* DepthwiseTilesAvxVnni();
const DepthwiseTiles* DepthwiseTilesAvx2();
const DepthwiseTiles* DepthwiseTilesNeonDot();
const DepthwiseTiles* DepthwiseTilesNeon();

}  // namespace dlpu
